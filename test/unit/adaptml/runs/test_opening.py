"""Opening MLflow's server or store: one that is away, one of another version, one that several make at once."""

import datetime
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mlflow.db import commands
from mlflow.store.db import utils

from adaptml import progress
from adaptml.errors import TrackingError
from adaptml.runs import opening
from adaptml.runs.opening import open_client

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
OLDER = "84291f40a231"  # a schema of MLflow 2


@contextmanager
def answering(
    answer: Callable[[BaseHTTPRequestHandler], None],
) -> Iterator[tuple[ThreadingHTTPServer, list[str]]]:
    """A server on loopback that answers every question like this; the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            answer(self)

        do_GET = do_POST  # noqa: N815 - the class's own names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server, asked
        server.shutdown()


def refusal(uri: str) -> str:
    with pytest.raises(TrackingError) as refused:
        open_client(uri)
    text = str(refused.value)
    assert text.startswith(f"MLflow at {uri} cannot be used: ")
    assert text.endswith("; see that it runs, or set MLFLOW_TRACKING_URI")
    assert "\n" not in text
    return text


def test_a_server_that_is_away_is_told_of_at_once() -> None:
    assert "Connection refused" in refusal("http://127.0.0.1:9")


def test_a_server_that_is_starting_is_asked_twice() -> None:
    def starting(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(503)

    with answering(starting) as (server, asked):
        assert "503" in refusal(f"http://127.0.0.1:{server.server_port}")
    assert len(asked) == 2


def test_a_login_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def redirected(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "http://127.0.0.1:9/login")
        handler.end_headers()

    with answering(redirected) as (server, _):
        assert "login" in refusal(f"http://127.0.0.1:{server.server_port}")


def test_a_server_that_says_nothing_is_waited_for_with_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "FIRST_ANSWER_S", 0.2)
    monkeypatch.setattr(progress, "WONDER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert "timed out" in refusal(uri)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("adaptml")]
    assert ours == [f"waiting for MLflow at {uri}"]


def test_a_wrong_certificate(tmp_path: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
    )
    (tmp_path / "both.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with answering(lambda _: None) as (server, asked):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        assert "certificate verify failed" in refusal(f"https://localhost:{server.server_port}")
        assert asked == []


def older_store(path: Path) -> None:
    """A store as an MLflow of before made it."""
    import sqlalchemy as sa
    from alembic import command
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config = utils._get_alembic_config(str(engine.url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
    engine.dispose()


def test_a_store_of_an_older_mlflow_is_migrated_by_the_command_that_is_named_and_not_before(
    tmp_path: Path,
) -> None:
    path = tmp_path / "my runs.db"
    older_store(path)
    before = path.read_bytes()
    with pytest.raises(TrackingError) as refused:
        open_client(f"sqlite:///{path}")
    assert path.read_bytes() == before
    text = str(refused.value)
    assert f"is of an older MLflow (schema {OLDER}; this one needs " in text
    assert f"so copy {path} first, then run `mlflow db upgrade 'sqlite:///{path}'`" in text
    assert Path(sys.executable).with_name("mlflow").exists()
    assert CliRunner().invoke(commands, ["upgrade", f"sqlite:///{path}"]).exit_code == 0
    assert [found.name for found in open_client(f"sqlite:///{path}").search_experiments()] == ["Default"]


def test_a_store_of_a_newer_mlflow_is_left_alone(empty_store: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'fffffffffff1'")
    with pytest.raises(TrackingError, match=r"is of a newer MLflow \(schema fffffffffff1; .*use that MLflow"):
        open_client(f"sqlite:///{path}")


def test_the_schemas_that_migrations_name_are_those_that_alembic_finds() -> None:
    script = ScriptDirectory.from_config(utils._get_alembic_config(""))
    known = {revision.revision for revision in script.walk_revisions()}
    assert opening._schemas() == (script.get_current_head(), known)


def test_tables_of_others_in_the_same_database_are_no_store(tmp_path: Path) -> None:
    path = tmp_path / "both.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE posts (id TEXT)")
    opening._check_age(f"sqlite:///{path}", path)  # and MLflow makes its own beside them


def test_first_commands_at_once_all_get_the_store(tmp_path: Path) -> None:
    program = "import sys; from adaptml.runs.opening import open_client; print(len(open_client(sys.argv[1]).search_experiments()))"
    words = [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'mlflow.db'}"]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in started]
    assert [out for out, _ in said] == [b"1\n"] * 2, said
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mlflow.db"]
