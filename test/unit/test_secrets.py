"""Marked secrets in every setting, in every form; whatever comes out is searched for the mark."""

import shutil
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from portal_server import page_of
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.example import example_project
from adaptml.masked_logs import mask_this_process
from adaptml.masking import remember
from adaptml.project import Project
from adaptml.settings import Settings
from modelling.app.api_key import keyed_app
from modelling.app.main import create_app
from portal.jobs import JobStore
from portal.jobs.steps import ROOMS
from portal.jobs.worker import Worker

MARK = "Zq7mark"
FORMS = {
    "before the @": "{scheme}://ada:{mark}1@{host}/x",
    "encoded": "{scheme}://ada:{mark}%402%2F3@{host}/x",
    "a raw @ and /": "{scheme}://ada:{mark}4@{mark}5/{mark}6?{mark}7@{host}/x",
    "after the ?": "{scheme}://{host}/x?user=ada&password={mark}8&sslpassword={mark}9&token={mark}10",
    "no password": "{scheme}://{host}/x",
}
COMMANDS = [
    "settings", "settings tracking_uri", "settings label_studio_token", "settings --export", "settings nothing",
    "tables", "find comments", "featurize spam --data comments", "label spam --data comments", "train spam --data {run}",
    "predict spam --data comments", "watch spam --data comments", "deploy multiclass_spam", "runs spam", "lfs spam --history",
    "run spam --data comments", "import {home}/none.csv posts", "sample-tasks spam --data comments --n 2",
    "annotate setup spam", "annotate pull spam", "gold spam", "jobs", "ui --invite Ana", "status", "backup {home}/../saved.tar",
]  # fmt: skip
FEW = ["settings", "tables", "runs", "ui --invite Ana"]
PAGES = [
    "/", "/home/services", "/home/tables", "/home/jobs", "/tasks/spam/standing?whole=true", "/tasks/spam/runs", "/tasks/spam/runs/list",
    "/tasks/spam/models", "/tasks/spam/models/list", "/tasks/spam/rules", "/tasks/spam/runs/" + "0" * 32, "/data", "/data/comments", "/help",
    "/jobs", "/jobs/1", "/jobs/1/log", "/nothing",
]  # fmt: skip
CHAMPION = (
    b'{"registered_models": [{"name": "multiclass_spam", "creation_timestamp": 1, "aliases": [{"alias": "champion",'
    b' "version": "1"}], "tags": [{"key": "adaptml.kind", "value": "end_model"}]}]}'
)
runner = CliRunner()


class Server(BaseHTTPRequestHandler):
    """As bad as one can be: it says what it was asked with; as a registry it names a model and then hangs up."""

    def do_GET(self) -> None:
        is_registry = not self.server.refuses  # type: ignore[attr-defined]
        if is_registry and "/registered-models/search" not in self.path:
            self.close_connection = True
            return
        said = CHAMPION if is_registry else f"{self.path} {self.headers}".encode()
        self.send_response(200 if is_registry else 401)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_PATCH = do_GET  # noqa: N815 - the library's names

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(*, refuses: bool) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.refuses = refuses  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small example."""
    folder = tmp_path_factory.mktemp("made") / "eg"
    example_project(folder).close()
    return folder


@pytest.fixture
def eg(made: Path, clean_room: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, clean_room / "eg")
    return clean_room / "eg"


def shown_marks(text: str) -> list[str]:
    """The lines that show a secret, as it is or as a header of a request has it."""
    headers = [b64encode(f"ada:{MARK}{n}".encode()).decode().rstrip("=")[:-1] for n in (1, 4, 8)]
    return [line for line in text.splitlines() if any(mark in line for mark in (MARK, *headers))]


def set_secrets(monkeypatch: pytest.MonkeyPatch, root: Path, form: str, database: str, server: str) -> None:
    """Put a marked secret into everything that can hold one."""
    (root / "secrets").mkdir()
    for name in ("api_key", "worker_modelling_token"):
        (root / "secrets" / name).write_text(f"{MARK}-{name}-{name}")
    web = FORMS[form].format(scheme="http", mark=MARK, host=server)
    for name, value in {
        "ADAPTML_ROOT": str(root),
        "ADAPTML_DATABASE_URL": database,
        "MLFLOW_TRACKING_URI": web,
        "ADAPTML_LABEL_STUDIO_URL": web,
        "ADAPTML_LABEL_STUDIO_TOKEN": f"{MARK}-studio",
        "ADAPTML_WORKER_URL": web,
        "ADAPTML_PORTAL_URL": web,
        "ADAPTML_SERVICES": f"MLflow|{web}|{web};Other|{web}",
        "HTTPS_PROXY": web,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    (root / ".env").write_text(f"MLFLOW_TRACKING_USERNAME=ada\nMLFLOW_TRACKING_PASSWORD={MARK}8\n")


def said_by(command: str, home: Path) -> str:
    """All that a command prints, and what it died of."""
    done = runner.invoke(app, command.format(run="0" * 32, home=home).split(), prog_name="adaptml")
    died = "" if isinstance(done.exception, SystemExit | None) else "".join(
        traceback.format_exception(done.exception)
    )  # fmt: skip
    assert not died, f"adaptml {command}: {died}"
    return done.stdout + done.stderr


def all_files(folder: Path) -> str:
    return "\n".join(f"{path}: {path.read_bytes()!r}" for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("form", "dead"), [("before the @", "database"), ("before the @", "servers"), *((form, "few") for form in FORMS)]
)  # fmt: skip
def test_no_command_shows_one(
    eg: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, form: str, dead: str
) -> None:
    """Each fails in its own way: the database is not there, or the server repeats what it was asked with."""
    away = FORMS[form].format(scheme="postgresql+psycopg", mark=MARK, host="127.0.0.1:1")
    here = f"sqlite:///{eg}/workspace/data.db"
    with serving(refuses=True) as server:
        set_secrets(monkeypatch, eg, form, here if dead == "servers" else away, server)
        said = {
            command: said_by(command, eg / "workspace") for command in (FEW if dead == "few" else COMMANDS)
        }
    assert {command: shown for command, text in said.items() if (shown := shown_marks(text))} == {}
    assert shown_marks(caplog.text) == []
    assert shown_marks(all_files(eg / "workspace")) == []
    assert "***" in said["settings"]
    assert "127.0.0.1" in said["settings"]  # no more than the secret is cut out
    assert "error: " in said["runs spam" if dead == "servers" else "tables"]


def test_the_service_shows_none_where_the_registry_breaks_off(
    eg: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its champion's files cannot be fetched: `/` says so without the address, and `/health`, open to all, says less."""
    with serving(refuses=False) as server:
        set_secrets(monkeypatch, eg, "before the @", f"sqlite:///{eg}/workspace/data.db", server)
        mask_this_process({})
        with Project() as project, TestClient(create_app(project), raise_server_exceptions=False) as client:
            health, listing = client.get("/health"), client.get("/")
            others = [client.get("/nothing"), client.post("/predict_multiclass_spam?token=x", json={})]
            text = "".join(answer.text for answer in (health, listing, *others))
    problem = listing.json()["models"][0]["problem"]
    assert "MlflowException" in problem
    assert problem.endswith("the server's log says why")
    assert server not in health.text + listing.text
    assert "multiclass_spam" in health.json()["not_loaded"]
    assert shown_marks(text) == []
    assert "does not load" in caplog.text
    assert f"http://ada:***@{server}/x/api" in caplog.text  # its log does say where
    assert shown_marks(caplog.text) == []


def test_the_container_s_service_answers_a_wrong_key_and_shows_none(
    eg: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("API_BIND", "0.0.0.0")
    away = FORMS["after the ?"].format(scheme="postgresql+psycopg", mark=MARK, host="127.0.0.1:1")
    with serving(refuses=True) as server:
        set_secrets(monkeypatch, eg, "before the @", away, server)
        with TestClient(keyed_app(), "http://127.0.0.1", raise_server_exceptions=False) as client:
            answers = [
                client.get("/health"),
                client.get("/"),
                client.get("/", headers={"X-API-Key": f"{MARK}-api_key-api_key"}),
            ]
            answers.append(
                client.post("/predict_x", json={"table_name": [], "id": []}, headers={"X-API-Key": "no"})
            )
    assert [answer.status_code for answer in answers] == [503, 401, 200, 401]
    assert shown_marks("".join(answer.text for answer in answers) + caplog.text) == []
    assert "the model registry does not answer" in caplog.text


def test_no_page_shows_one_and_no_job(
    eg: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Labelling fails at the tracking server, as a job; the pages show it, and all that is away."""
    with serving(refuses=True) as server:
        set_secrets(monkeypatch, eg, "before the @", f"sqlite:///{eg}/workspace/data.db", server)
        mask_this_process({})
        with Project() as project:
            jobs = JobStore(project.settings.home)
            jobs.start(["label", "spam", "--data=comments"], by="Ana")
            Worker(jobs, ROOMS, eg, eg / "workspace" / "events", threading.Event()).work(lambda: True)
            portal = page_of(project, jobs=jobs)
            with TestClient(portal.app, base_url=portal.url, raise_server_exceptions=False) as client:
                client.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
                client.cookies.set(*portal.cookie())
                pages = {page: client.get(page).text for page in PAGES}
    assert {page: shown for page, text in pages.items() if (shown := shown_marks(text))} == {}
    assert "http://ada:***@127.0.0.1" in pages["/jobs/1/log"]
    assert f'href="http://{server}/x"' in pages["/home/services"]  # a link that can be opened
    assert shown_marks(caplog.text) == []
    assert shown_marks(all_files(eg / "workspace")) == []


def test_a_run_records_none(tracking: Settings, project: Project, tmp_path: Path) -> None:
    remember(f"{MARK}-known")
    secret = f"http://ada:{MARK}1@h and {MARK}-known"
    with pytest.raises(ValueError, match="ada"), project.runs.run("eg", "step", {"data": secret}) as run:
        run.log.warning("%s", secret)
        raise ValueError(secret)
    with project.runs.run("eg", "step", {"data": secret}) as done:
        done.tags["note"] = secret
    log = project.runs.client.download_artifacts(run.run_id, "log.txt", str(tmp_path))
    assert Path(log).read_text().count("http://ada:***@h and ***") >= 3  # parameters, warning, traceback
    assert "note" in project.runs.get(done.run_id).data.tags
    assert shown_marks(all_files(tracking.home)) == []
