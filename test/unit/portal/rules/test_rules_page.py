"""The page of rules, asked without a browser."""

import re
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from adaptml.project import Project
from adaptml.tasks.rule_file import digest_of, saves
from portal.rules import routes
from portal.rules.asked import Asked

BROKEN = "def get_lfs(params):\n    return [\n"


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Each project is another one, though folders of two may have one name."""
    routes._looks.forget()
    routes._runs.forget()


def file(project: Project) -> Path:
    return project.settings.tasks_dir / "spam" / "lfs.py"


def post(client: TestClient, part: str, *, htmx: bool = True, **fields: object) -> tuple[int, str]:
    headers = {"hx-request": "true"} if htmx else {}
    answer = client.post(f"/tasks/spam/rules/{part}", data=fields, headers=headers)
    return answer.status_code, answer.text


def test_the_page_comes_before_the_rules_are_run(client: TestClient, project: Project) -> None:
    file(project).write_text("while True: pass\n")
    page = client.get("/tasks/spam/rules").text
    assert "while True: pass" in page
    assert digest_of(file(project).read_text()) in page
    assert '"detail": "class"' in unescape(page)


def test_the_bench_shows_rules_and_rows(client: TestClient) -> None:
    bench = client.get("/tasks/spam/rules/bench", params={"bucket": "wrong", "rule": "check_out"}).text
    assert "24 of 24 rows" in bench
    assert "12 gold points to tune on" in bench
    assert "0.67 [0.21–0.94]" in bench  # 2 right of 3, Wilson
    assert re.search(r"I <mark>check</mark> this song out", bench)
    assert "song → ham ✓" in bench


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ({}, "subscribe"),
        ({"sort": "votes"}, "praise"),
        ({"sort": "rule", "down": "0"}, "check_out"),
        ({"sort": "accuracy", "down": "0"}, "check_out"),
        ({"find": "SO"}, "song"),
        ({"votes_for": "ham"}, "praise"),
    ],
)
def test_the_table_is_sorted_and_filtered(client: TestClient, query: dict[str, str], first: str) -> None:
    table = client.get("/tasks/spam/rules/table", params=query).text
    rows = re.findall(r'class="rules-name">\s*<button[^>]*>([^<]+)<', table)
    assert rows[0] == first


def test_what_is_no_order_is_refused(client: TestClient) -> None:
    assert client.get("/tasks/spam/rules/table", params={"sort": "x"}).status_code == 422


def test_a_save_writes_the_file_and_shows_the_change(client: TestClient, project: Project) -> None:
    before = file(project).read_text()
    client.get("/tasks/spam/rules/bench")
    mine = before.replace('["check"]', '["check", "win"]')
    answer = client.post(
        "/tasks/spam/rules/save",
        data={"text": mine.replace("\n", "\r\n"), "base": digest_of(before)},
        headers={"hx-request": "true"},
    )
    assert file(project).read_text() == mine
    assert answer.headers["x-saved"] == digest_of(mine)
    assert re.search(r">\+2<", answer.text.replace("\n", ""))  # win a phone, win a trip
    assert [one.who for one in saves(project, project.task("spam"))] == ["Ana", ""]


def test_without_a_script_a_save_leads_back_to_the_page(client: TestClient, project: Project) -> None:
    now = file(project).read_text()
    assert post(client, "save", htmx=False, text=f"{now}\n", base=digest_of(now))[0] == 303


def test_a_file_changed_elsewhere_is_shown_and_kept(client: TestClient, project: Project) -> None:
    opened = file(project).read_text()
    file(project).write_text(f"{opened}# theirs\n")
    status, page = post(client, "save", text=f"{opened}# mine\n", base=digest_of(opened))
    assert status == 409
    assert "-# theirs" in page
    assert "+# mine" in page
    assert "<html" not in page
    assert "<html" in post(client, "save", htmx=False, text="# mine", base=digest_of(opened))[1]
    assert file(project).read_text().endswith("# theirs\n")
    base = digest_of(file(project).read_text())
    assert post(client, "save", text=f"{opened}# mine\n", base=base)[0] == 200
    assert file(project).read_text().endswith("# mine\n")


def test_a_version_is_put_back(client: TestClient, project: Project) -> None:
    first = file(project).read_text()
    post(client, "save", text=f"{first}# second\n", base=digest_of(first))
    page = client.get("/tasks/spam/rules/saves", params={"number": 2}).text
    assert "+# second" in page
    assert "changed elsewhere" in page
    status, _ = post(client, "back", htmx=False, number=1, base=digest_of(f"{first}# second\n"))
    assert (status, file(project).read_text()) == (303, first)
    assert len(saves(project, project.task("spam"))) == 3


def test_a_try_saves_nothing(client: TestClient, project: Project) -> None:
    before = file(project).read_text()
    status, bench = post(client, "bench", text=before.replace('["check"]', '["check", "win"]'))
    assert (status, "tried, not saved" in bench) == (200, True)
    assert file(project).read_text() == before
    rows = client.post(
        "/tasks/spam/rules/rows?bucket=hits&rule=check_out",
        data={"text": before.replace('["check"]', '["winter"]')},
    )
    assert "1 row<" in rows.text.replace("</p>", "<")


def test_a_syntax_error_is_told_with_its_line(client: TestClient) -> None:
    bench = post(client, "bench", text=BROKEN)[1]
    assert "SyntaxError" in bench
    assert 'data-line="2"' in bench
    assert 'data-go="2"' in bench


def test_a_rule_that_fails_does_not_hide_the_others(client: TestClient, project: Project) -> None:
    text = file(project).read_text().replace('"www." in x.text', '"www." in x.txet')
    bench = post(client, "bench", text=text)[1]
    assert "failed 36 times" in bench
    assert 'data-line="7"' in bench
    assert "subscribe" in bench


def test_a_vote_for_no_class_is_told_at_the_rule(client: TestClient, project: Project) -> None:
    text = file(project).read_text().replace('return "spam" if', 'return "spem" if')
    assert 'data-line="6"' in post(client, "bench", text=text)[1]


def test_texts_and_names_are_text(client: TestClient, project: Project) -> None:
    evil = "<script>alert(1)</script>"
    project.database.upsert("comments", _frame(evil), ["id"])
    project.featurize("spam", "comments")
    text = file(project).read_text().replace('"song", ["song"', '"<b>song</b>", ["alert"')
    client.post("/tasks/spam/rules/draw?table=comments", data={"seed": 1})
    bench = post(client, "bench?bucket=hits&rule=%3Cb%3Esong%3C/b%3E", text=text)[1]
    assert "&lt;script&gt;<mark>alert</mark>" in bench
    assert "&lt;b&gt;song&lt;/b&gt;" in bench
    assert "<script>" not in bench
    assert "<b>" not in bench


def _frame(text: str) -> object:
    import pandas as pd

    return pd.DataFrame({"id": ["x1"], "text": [text]})


def test_without_gold_nobody_knows_what_is_right(client: TestClient, project: Project) -> None:
    project.settings.gold("spam").unlink()
    project.results.drop_table("spam_gold") if hasattr(project.results, "drop_table") else _drop(
        project, "spam_gold"
    )
    bench = client.get("/tasks/spam/rules/bench", params={"bucket": "wrong"}).text
    assert "no gold, so nobody knows" in bench
    assert "has no gold points here" in bench


def _drop(project: Project, table: str) -> None:
    with project.results.engine.begin() as connection:
        connection.execute(sa.text(f'DROP TABLE "{table}"'))


def test_without_a_table_the_page_says_what_to_do(client: TestClient, project: Project) -> None:
    _drop(project, "comments")
    assert client.get("/tasks/spam/rules").status_code == 200
    assert "No table has the columns" in client.get("/tasks/spam/rules/bench").text


def test_charts_are_drawn(client: TestClient) -> None:
    page = client.get("/tasks/spam/rules/charts").text
    assert page.count("<figure>") == 3
    assert (
        'href="/tasks/spam/rules?table=comments&amp;bucket=overlaps&amp;rule=check_out&amp;other=song"'
        in page
    )


def test_an_address_holds_the_whole_state() -> None:
    asked = Asked(task="a b", bucket="conflicts", rule="x", other="y", sort="votes", offset=20)
    assert asked.url() == "/tasks/a%20b/rules?sort=votes&bucket=conflicts&rule=x&other=y&offset=20"
    assert (
        asked.url("rows", bucket="hits", rule="z") == "/tasks/a%20b/rules/rows?sort=votes&bucket=hits&rule=z"
    )
    assert asked.url(down=False).endswith("?sort=votes&down=0&bucket=conflicts&rule=x&other=y&offset=20")
    assert Asked(task="a").url() == "/tasks/a/rules"


def test_an_answer_is_asked_for_once(client: TestClient, project: Project) -> None:
    asked = []
    known = client.app.app.state if hasattr(client.app, "app") else None
    assert known is not None
    ask = known.ask
    known.ask = lambda kind, **payload: asked.append(kind) or ask(kind, **payload)
    for part in ("bench", "table?sort=votes", "table?find=so", "charts"):
        client.get(f"/tasks/spam/rules/{part}")
    assert asked == ["look"]
    (file(project).parent / "words.txt").write_text("new")
    client.get("/tasks/spam/rules/table")
    assert asked == ["look", "look"]


def test_all_rows_are_a_job(client: TestClient) -> None:
    answer = client.post("/tasks/spam/rules/all?table=comments")
    assert answer.headers["location"] == "/jobs/1"
