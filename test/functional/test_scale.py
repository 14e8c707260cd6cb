"""A scheduler and two workers as processes, with TLS on the loopback address: steps, deaths, refusals."""

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from scale_cluster import Here, begin, beside, dump, end, line, refused, running, until
from tolerances import FLOAT32_ATOL
from toy_chunks import toy, unmarked
from typer.testing import CliRunner

from adaptml.cli.scale import app
from adaptml.errors import LabellingError, MissingDataPointsError, PipelineError
from adaptml.project import Project
from adaptml.scale import cluster as cluster_module
from adaptml.scale.certificates import FILES, write_certificates
from adaptml.scale.cluster import Cluster
from adaptml.tasks import Task

ROWS = 6_000
# The first process that comes to row 3000 says so, and waits until it is killed, or a file says that it may go on.
RULES = """
import os, time
from pathlib import Path
from dataprogramming.lfs import regex_lf
from snorkel.labeling import labeling_function

HOME = Path(__file__).resolve().parents[2] / "workspace"

def get_lfs(params):
    words = Path("words.txt").read_text().split()  # in the task's folder, on a worker too

    @labeling_function()
    def waits(x):
        if x.txt == "row 3000" and not (HOME / "go").exists():
            (HOME / "waiting").write_text(str(os.getpid()))
            while not (HOME / "go").exists():
                time.sleep(0.01)
        return params.labels.even if int(x.txt.split()[1]) % 3 == 0 else None
    return [regex_lf("odd", words[0], "odd", "txt"), regex_lf("even", words[1], "even", "txt"), waits]
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with running(tmp_path_factory.mktemp("scale"), RULES, ROWS) as here:
        yield here


def test_labels_are_those_of_one_process_though_a_worker_is_killed_in_the_middle(cluster: Here) -> None:
    waiting, go = cluster.home / "waiting", cluster.home / "go"

    def kill() -> None:
        try:
            pid = int(until(lambda: waiting.is_file() and waiting.read_text()))
            assert pid in cluster.pids()
            os.kill(pid, signal.SIGKILL)
        finally:
            go.touch()

    with beside(kill):
        shared = cluster.project.label("numbers", "rows", scheduler=cluster.address, dry_run=True)
    alone = cluster.project.label("numbers", "rows", dry_run=True, fresh=True)
    np.testing.assert_array_equal(shared.votes.L, alone.votes.L)
    pd.testing.assert_frame_equal(shared.votes.keys, alone.votes.keys)
    pd.testing.assert_frame_equal(shared.training_data, alone.training_data)
    pd.testing.assert_frame_equal(shared.lf_summary, alone.lf_summary)
    assert shared.n_covered == alone.n_covered == ROWS
    again = cluster.project.apply_lfs("numbers", "rows", gold=None, scheduler=cluster.address)
    assert again.reuse is not None
    assert (again.reuse.kept, again.reuse.computed) == (2 * ROWS, ROWS)  # `waits` looks at files


def test_votes_on_some_points_come_in_their_order(cluster: Here) -> None:
    (cluster.home / "go").touch()
    points = pd.DataFrame({"table_name": "rows", "id": [f"r{i:05}" for i in range(ROWS - 1, 0, -2)]})
    shared = cluster.project.apply_lfs("numbers", points, gold=None, scheduler=cluster.address)
    alone = cluster.project.apply_lfs("numbers", points, gold=None)
    np.testing.assert_array_equal(shared.L, alone.L)
    assert shared.keys["id"].tolist() == points["id"].tolist()


def values(project: Project, name: str) -> dict[str, Any]:
    points = pd.DataFrame({"table_name": "rows", "id": [f"r{i:05}" for i in range(ROWS)]})
    frame = project.points.read(points, [name])
    return dict(zip(frame["id"], frame[name], strict=True))


def test_features_are_those_of_one_process_though_a_worker_is_killed_in_the_middle(cluster: Here) -> None:
    project, file = cluster.project, cluster.home / "data.db"

    def kill() -> None:
        """While nobody can write: both workers are in the middle of a range."""
        with sqlite3.connect(file, timeout=60, isolation_level=None) as database:

            def begun() -> bool:
                found = database.execute("SELECT values_table FROM adaptml_features").fetchall()
                return (
                    len(found) == 2
                    and has_table(found[1][0])
                    and bool(database.execute(f"SELECT count(*) FROM {found[1][0]}").fetchone()[0])
                )

            def has_table(name: str) -> bool:
                asked = "SELECT 1 FROM sqlite_master WHERE name = ?"
                return bool(database.execute(asked, (name,)).fetchall())

            until(lambda: has_table("adaptml_features") and begun())
            database.execute("BEGIN IMMEDIATE")
            table = database.execute("SELECT values_table FROM adaptml_features").fetchall()[1][0]
            n_done = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            os.kill(cluster.pids()[0], signal.SIGKILL)
            database.execute("ROLLBACK")
        database.close()
        assert 0 < n_done < ROWS

    with beside(kill):
        shared = project.featurize("numbers", "rows", scheduler=cluster.address)
    # What the killed worker had written, but not told of any more, is found where its range is done again.
    assert shared.rows + shared.kept == ROWS
    assert project.featurize("numbers", "rows", scheduler=cluster.address).kept == ROWS
    alone = project.featurize(
        "numbers", "rows", text="txt", lemmas="words_alone", vector="vec_alone", encoder="hashing"
    )
    assert alone.rows == ROWS
    assert values(project, "words") == values(project, "words_alone")
    vectors = [np.stack(list(values(project, name).values())) for name in ("vec", "vec_alone")]
    np.testing.assert_allclose(*vectors, atol=FLOAT32_ATOL)


def test_what_workers_raise_is_what_one_process_raises(cluster: Here) -> None:
    assert cluster.run([f"square {i}" for i in range(20)]) == [i * i for i in range(20)]
    assert cluster.run(["said"], answer=42) == [{"answer": 42}]
    assert (
        refused(lambda: cluster.run(["square 1", "fail r7"]), error=LabellingError) == "the rule failed on r7"
    )
    with pytest.raises(MissingDataPointsError, match="posts/r8") as raised:
        cluster.run(["missing r8"])
    assert raised.value.missing == [("posts", "r8")]


def test_a_chunk_over_which_workers_end_again_and_again_is_one_line(cluster: Here) -> None:
    once = cluster.home / "once"
    assert cluster.run(["square 2", f"die {once}", "square 3"]) == [4, "done again", 9]
    said = refused(lambda: cluster.run(["die-always"]))
    assert "ended 4 times over the same rows" in said


def test_what_a_worker_lacks_is_one_line_with_its_name(cluster: Here) -> None:
    assert "no chunk function" in refused(lambda: cluster.run(["x"], unmarked))
    assert "no table 'posts'" in refused(lambda: cluster.run(["count posts"]))
    full = refused(lambda: cluster.run(["full"]))
    assert full.startswith("worker tls://127.0.0.1:")
    assert "No space left on device" in full


def test_another_version_of_the_task_or_none_is_refused(cluster: Here, clean_room: Path) -> None:
    mine = clean_room / "tasks" / "numbers"
    shutil.copytree(cluster.task().folder, mine)  # type: ignore[arg-type]
    shutil.copytree(mine, mine.with_name("others"))
    (mine / "words.txt").write_text("[1]$ [2]$")
    shutil.copytree(cluster.project.settings.root / "secrets", clean_room / "secrets")
    database_url = cluster.project.settings.database_url.get_secret_value()
    with Project(clean_room, database_url=database_url) as project:

        def run(name: str) -> list[Any]:
            with Cluster(project, cluster.address) as pool:
                return list(pool.run(toy, project.task(name), {}, ["square 2"]))

        assert "has another version of the task 'numbers' in" in refused(lambda: run("numbers"))
        assert "has no task 'others' in" in refused(lambda: run("others"))
        (mine / "words.txt").write_text((cluster.task().folder / "words.txt").read_text())  # type: ignore[operator]
        assert run("numbers") == [4]


def test_results_that_would_go_into_another_database_are_refused(
    cluster: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "results.db"
    shutil.copy(cluster.home / "data.db", copy)  # whatever tables a step looks for are there
    monkeypatch.setenv("ADAPTML_RESULTS_DATABASE_URL", f"sqlite:///{copy}")
    before = dump(cluster.home / "data.db")
    with Project(cluster.project.settings.root) as project:
        steps = [
            lambda: project.label("numbers", "rows", scheduler=cluster.address, write=True),
            lambda: project.featurize("numbers", "rows", all_rows=True, scheduler=cluster.address),
        ]
        for step in steps:
            said = refused(step)
            assert said.startswith("worker tls://127.0.0.1:")
            assert said.endswith(
                f": the database sqlite:///{cluster.home / 'data.db'} is another one than that of whoever asks; "
                "give it the same (ADAPTML_RESULTS_DATABASE_URL)"
            )
        assert [name for name in project.results.tables() if name.endswith("_labels")] == []
    assert dump(cluster.home / "data.db") == before


def test_a_task_without_a_folder_and_data_in_a_file_of_this_machine_are_refused(cluster: Here) -> None:
    made = Task(classes=["a", "b"])  # type: ignore[arg-type]
    with Cluster(cluster.project, cluster.address) as pool:
        assert "made in Python" in refused(lambda: list(pool.run(toy, made, {}, ["square 2"])))
    assert "(SQLite)" in refused(lambda: Cluster(cluster.project, "tls://192.0.2.1"))
    both = refused(lambda: cluster.project.featurize("numbers", "rows", workers=2, scheduler=cluster.address))
    assert "give one of the two" in both


def test_the_extra_is_named_where_it_is_not_installed(cluster: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = refused(lambda: Cluster(cluster.project, cluster.address))
    assert said == (
        "workers of a scheduler need a library that is not installed; install the extra: "
        "pip install -e '.[scale]'"
    )


def test_other_certificates_are_refused_on_both_sides(
    cluster: Here, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 3.0)
    with Project(clean_room) as project:
        said = refused(lambda: Cluster(project, cluster.address))
        assert f"needs {', '.join(FILES)} in {clean_room / 'secrets'}" in said
        write_certificates(clean_room / "secrets")
        said = refused(lambda: Cluster(project, cluster.address).__enter__())
        assert said.startswith(f"no scheduler answers at {cluster.address}: ")
        assert said.endswith("with the same certificates as here")
        # One that knows the authority of the others, and shows a certificate of its own.
        shutil.copy(cluster.project.settings.scale_certificates / FILES[0], clean_room / "secrets")
        said = refused(lambda: Cluster(project, cluster.address).__enter__())
        assert said.startswith(f"no scheduler answers at {cluster.address}: ")
        (clean_room / "secrets" / FILES[1]).write_text("no certificate")
        assert "cannot be used" in refused(lambda: Cluster(project, cluster.address))


def test_a_scheduler_that_is_away_is_one_line(cluster: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    away = "tls://127.0.0.1:1"
    with Project(cluster.project.settings.root) as project:
        few = pd.DataFrame({"table_name": "rows", "id": ["r00001", "r00002"]})  # no worker would be asked
        steps = [
            lambda: project.featurize("numbers", "rows", scheduler=away),
            lambda: project.apply_lfs("numbers", few, scheduler=away),
            lambda: project.label("numbers", few, scheduler=away),
            lambda: project.predict("numbers", few, scheduler=away),
        ]
        found = [refused(step) for step in steps]
        found.append(refused(lambda: project.run("numbers", "rows", scheduler=away), error=PipelineError))
    for said in found:
        assert f"no scheduler answers at {away}: " in said
        assert "adaptml scale scheduler" in said
    assert [said.partition("no scheduler")[0] for said in found] == [""] * 4 + ["stopped at featurize: "]


def test_a_step_that_is_interrupted_ends_on_its_workers(cluster: Here) -> None:
    file = cluster.home / "hanging"
    pid = 0

    def interrupt() -> None:
        nonlocal pid
        pid = int(until(lambda: file.is_file() and file.read_text()))
        os.kill(os.getpid(), signal.SIGINT)

    with beside(interrupt), pytest.raises(KeyboardInterrupt):
        cluster.run([f"hang {file}"])
    until(lambda: not psutil.pid_exists(pid))
    assert cluster.run(["square 2", "square 3"]) == [4, 9]


def test_a_scheduler_without_workers_and_one_that_goes_away_lose_nothing(
    clean_room: Path, cluster: Here
) -> None:
    scheduler = begin(clean_room, "scheduler", "tcp://127.0.0.1:0")
    try:
        address = line(scheduler).split()[-1]
        pool = Cluster(cluster.project, address, patience_s=0.2)
        with pool:
            said = refused(lambda: list(pool.run(toy, cluster.task(), {}, ["square 2"])))
        assert said.startswith(f"the scheduler {address} has no worker; start some with")
    finally:
        assert end(scheduler) == 0


def test_a_scheduler_that_went_away_while_the_step_was_busy_is_one_line(cluster: Here) -> None:
    with Cluster(cluster.project, cluster.address) as pool:

        def chunks() -> Iterator[str]:
            yield "square 2"
            pool._client.close()  # as Dask does when it has looked for the scheduler in vain
            yield "square 3"

        said = refused(lambda: list(pool.run(toy, cluster.task(), {}, chunks())))
    assert (
        said == f"the scheduler {cluster.address} went away; what is done is kept, run it again for the rest"
    )


@pytest.mark.parametrize("words", [["scheduler", "tcp://0.0.0.0:8786"], ["worker", "http://127.0.0.1"]])
def test_commands_refuse_addresses_that_others_could_reach_without_a_certificate(
    words: Sequence[str],
) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "expected tls://host:port" in done.output
