"""Processes of this machine: what they do, how they fail, and that the ends of some cost nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_chunks import toy, unmarked

from adaptml.errors import LabellingError, ScaleError
from adaptml.project import Project
from adaptml.scale.pool import open_pool
from adaptml.scale.processes import Processes
from adaptml.scale.work import Work, folder_digest
from adaptml.tasks import Task

TASK = Task(classes=["a", "b"])  # type: ignore[arg-type]


@pytest.fixture
def pool(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "support"))
    opened = open_pool(project, 2)
    assert isinstance(opened, Processes)
    with opened:
        yield opened


def test_chunks_are_done_in_their_order_by_several_processes(pool: Processes, project: Project) -> None:
    chunks = [*(f"square {i}" for i in range(9)), "folder"]

    def run(*chunks: str, begin: Any = toy) -> list[Any]:
        return list(pool.run(begin, TASK, {"n": 1}, chunks))

    assert run(*chunks) == [*(i * i for i in range(9)), str(project.settings.root)]
    assert run("said") == [{"n": 1}]
    once = project.settings.root / "once"
    assert run("square 2", f"die {once}", *chunks[:3]) == [4, "done again", 0, 1, 4]
    with pytest.raises(LabellingError, match=r"^the rule failed on r7$"):
        run("fail r7")
    with pytest.raises(ScaleError, match="no chunk function"):
        run("x", begin=unmarked)
    with pytest.raises(ScaleError, match="No space left on device"):
        run("full")
    with pytest.raises(ScaleError, match="ended 3 times without a word over the same rows"):
        run("die-always", "square 1")


def test_what_was_just_given_may_be_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread fails over it, which pytest tells as an error of the test."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "support"))
    for _ in range(5):
        with Processes(project, 2) as pool:
            submit = pool._submitter(Work.of(toy, project, TASK, {}), TASK)
            for i in range(4):
                submit(f"square {i}")


def test_a_database_in_memory_is_no_other_process_s(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTML_RESULTS_DATABASE_URL", "sqlite:///:memory:")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "support"))
    with Project() as project, Processes(project, 2) as pool, pytest.raises(ScaleError) as refused:
        list(pool.run(toy, TASK, {}, ["square 2"]))
    assert str(refused.value) == (
        "a process of this machine: the database sqlite:///:memory: is another one than that of whoever asks; "
        "give it the same (ADAPTML_RESULTS_DATABASE_URL)"
    )


def test_what_workers_are_told_is_plain(pool: Processes) -> None:
    with pytest.raises(ScaleError, match="cannot be sent to workers"):
        list(pool.run(toy, TASK, {"n": object()}, ["said"]))
    with pytest.raises(ScaleError, match="cannot be sent to other processes"):
        list(pool.run(toy, Task(classes=["a", "b"], lfs=[(x for x in "ab")]), {}, ["said"]))  # type: ignore[arg-type]


def test_one_process_needs_no_pool(project: Project) -> None:
    assert open_pool(project) is None


def test_the_digest_of_a_folder_sees_names_and_contents_and_no_bytecode(tmp_path: Path) -> None:
    (tmp_path / "lfs.py").write_text("one")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("a")
    first = folder_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "lfs.pyc").write_text("x")
    (tmp_path / ".hidden").write_text("x")
    assert folder_digest(tmp_path) == first
    (tmp_path / "words" / "a.txt").write_text("b")
    second = folder_digest(tmp_path)
    (tmp_path / "words" / "a.txt").rename(tmp_path / "words" / "b.txt")
    assert len({first, second, folder_digest(tmp_path)}) == 3
