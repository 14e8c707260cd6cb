import logging
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml import masking
from adaptml.errors import DatabaseError, one_line
from adaptml.masked_logs import MaskedFormatter, masked_record
from adaptml.masking import MASK, holds_secret, masked, remember, secret_variables, secrets_of, without_user
from adaptml.settings import load_settings


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", masking._Known(frozenset(), None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://ada:pw@db/x away", "postgresql+psycopg://ada:***@db/x away"),
        ("crate://ada:p@ss/w?rd@db:4200", "crate://ada:***@db:4200"),
        ("postgresql://db/x?user=ada&password=pw&a=1", "postgresql://db/x?user=ada&password=***&a=1"),
        ("<http://h/?SSLPassword=pw>", "<http://h/?SSLPassword=***>"),
        ("http://h?api_key=a&api-token=b;client_secret=c#d", "http://h?api_key=***&api-token=***;client_secret=***#d"),
        ("https://TOKEN@mlflow/x", "https://***@mlflow/x"),
        ("'http://proxy/?u=http://a:pw@h'", "'http://proxy/?u=http://a:***@h'"),
        ("ALTER USER a SET (password = 'p w')", "ALTER USER a SET (password = ***)"),
        ("host=h password=pw user=a", "host=h password=*** user=a"),
        ("{'Authorization': 'Basic YWRhOnB3'}", "{'Authorization': 'Basic ***'}"),
        ("Bearer abcdefghij", "Bearer ***"),
    ],
)  # fmt: skip
def test_what_is_a_secret_by_its_form_is_cut_out(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown
    assert holds_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ada@db/x", "sqlite:////home/a@b/data.db", "file:///home/a:b@c/x", "http://h:8050/data/posts@2",
        "http://[::1]:8050/data/a:b@2", "http://h/models:/m@champion", "ada@example.org", "text@1 of table posts",
        "http://h?max_tokens=4&n=1", "Basic idea", "the token is asked for", "run --data 'posts where a = 1'",
    ],
)  # fmt: skip
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text
    assert not holds_secret(text)


def test_a_known_secret_is_cut_out_in_each_form() -> None:
    remember("p@ss wörd/1", 'quo"ted&\\')
    forms = ["p@ss wörd/1", quote("p@ss wörd/1", safe=""), quote_plus("p@ss wörd/1"), 'quo"ted&\\', 'quo\\"ted&\\\\',
             "quo&quot;ted&amp;\\", repr('quo"ted&\\')[1:-1]]  # fmt: skip
    assert [masked(f"x{form}y") for form in forms] == [f"x{MASK}y"] * len(forms)


def test_a_short_secret_counts_as_a_word_and_a_tiny_one_not_at_all() -> None:
    remember("secret", "abc", "")
    assert masked("secret, secrets and abc in secret/x") == "***, secrets and abc in ***/x"


def test_each_part_of_a_password_that_a_library_may_take_for_a_host_is_a_secret() -> None:
    assert {"p4ss@w0rd/more", "p4ss", "w0rd", "more"} <= secrets_of("crate://ada:p4ss@w0rd/more@h:4200")
    assert {"p%40ss", "p@ss"} <= secrets_of("postgresql://ada:p%40ss@h/db")
    assert {"k1", "k2 "} <= secrets_of("postgresql://h/db?password=k1&sslpassword=k2%20")
    assert b64encode(b"ada:pw").decode() in secrets_of("http://ada:pw@h")  # as a request's header has it
    assert secrets_of("http://h:8000/a@b") == secrets_of("sqlite:////a:b@c") == secrets_of("C:\\x") == set()


def test_a_password_that_the_address_shows_anyway_is_no_word_to_cut_out() -> None:
    remember(*secrets_of("postgresql://adaptml:adaptml@research/research"))
    assert masked("postgresql://adaptml:adaptml@research/x, see `adaptml up`") == (
        "postgresql://adaptml:***@research/x, see `adaptml up`"
    )


def test_variables_named_like_secrets_and_addresses_in_others_count() -> None:
    environment = {"MLFLOW_TRACKING_PASSWORD": "one1", "GITHUB_TOKEN": "two2", "AWS_SECRET_ACCESS_KEY": "three3",
                   "HTTPS_PROXY": "http://ada:four4@proxy:3128", "API_KEY_FILE": "/run/key", "PATH": "/bin"}  # fmt: skip
    assert {"one1", "two2", "three3", "four4"} <= secret_variables(environment.items())
    assert "/run/key" not in secret_variables(environment.items())


def test_a_link_for_people_is_without_the_part_before_the_host() -> None:
    assert without_user("https://ada:pw@h:5000/x?token=t") == "https://h:5000/x?token=***"
    assert without_user("http://h:5000/a@b") == "http://h:5000/a@b"


PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=8, max_size=20)


@given(PASSWORDS, st.sampled_from(["raw", "encoded", "query"]))
def test_the_password_of_an_address_is_never_said(password: str, form: str) -> None:
    password, encoded = f"\N{SECTION SIGN}{password}", quote(f"\N{SECTION SIGN}{password}", safe="")
    address = {
        "raw": f"crate://ada:{password}@h:4200",
        "encoded": f"crate://ada:{encoded}@h:4200",
        "query": f"crate://h:4200?password={encoded}",
    }[form]
    masking._known = masking._Known(frozenset(), None)  # of the example before
    remember(*secrets_of(address))
    for text in (
        one_line(ValueError(f"cannot ask {address}")),
        str(DatabaseError(f"{password!r} is wrong!")),
    ):
        assert password not in text
        assert encoded not in text


def test_settings_remember_what_is_secret_and_show_none(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:uri5uri5@h")
    monkeypatch.setenv("ADAPTML_SERVICES", "A|http://h|http://b:health5@h/health;B|http://link5@h")
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN", "token5token5")
    settings = load_settings(clean_room).replaced(database_url="crate://ada:data5@h:4200")
    secrets = ("uri5uri5", "health5", "link5", "token5token5", "data5")
    assert masked(" ".join(secrets)) == " ".join([MASK] * 5)
    assert [secret for secret in secrets if secret in repr(settings) + str(settings)] == []


@given(st.text())
def test_what_is_cut_out_once_stays_so(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_a_record_s_message_and_traceback_are_masked() -> None:
    remember("hunter2hunter2")
    try:
        int("http://ada:pw@h and hunter2hunter2")
    except ValueError:
        where = sys.exc_info()
    record = masked_record("a", logging.ERROR, "f", 1, "%s: %d", ("http://ada:pw@h", 3), where)
    text = logging.Formatter().format(record)
    assert text.startswith("http://ada:***@h: 3\nTraceback")
    assert text.endswith("with base 10: 'http://ada:***@h and ***'")
    assert '("http://ada:***@h and ***")' in text  # the line of code too
    plain = logging.LogRecord("a", logging.ERROR, "f", 1, "%s", ("http://ada:pw@h",), where)
    assert "pw" not in MaskedFormatter().format(plain)
    odd = masked_record("a", logging.ERROR, "f", 1, "%d", ("x",), None)
    assert (odd.msg, odd.args) == ("%d", ("x",))  # the handler says that it does not fit
    access = masked_record("uvicorn.access", logging.INFO, "f", 1, "%s %d", ("/?token=t", 200), None)
    assert access.args == ("/?token=***", 200)


UNCAUGHT = """
import logging, threading
from adaptml.masked_logs import mask_this_process
mask_this_process({"X_TOKEN": "hunter2hunter2"})
def fail(): raise ValueError("http://ada:pw12@h?a=hunter2hunter2")
threading.Thread(target=fail).start()
logging.getLogger("any.library").error("%s", "hunter2hunter2", exc_info=ValueError("http://ada:pw12@h"))
fail()
"""


def test_nothing_that_a_process_of_ours_logs_or_dies_of_shows_one() -> None:
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("ValueError: http://ada:***@h") == 3
    assert "hunter2" not in done.stderr
    assert "pw12@" not in done.stderr.replace('"http://ada:pw12@h', "")  # the line of code
