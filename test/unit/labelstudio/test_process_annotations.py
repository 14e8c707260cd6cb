"""From an export to three files and two tables: all or nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError, DatabaseError, FileError
from adaptml.frames import read_frame
from adaptml.gold_labels.annotators import STANDING
from adaptml.gold_labels.core import cell_hash, read_seen
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.settings import Settings
from labelstudio.annotator_agreement import annotator_agreement
from labelstudio.process_annotations import FRAMES, process_annotations, summary


@pytest.fixture
def export(exported: Any, annotation: Any, write_export: Any) -> Path:
    tasks = [
        exported("01", annotation(3, "cat", "dog"), annotation(4, "dog", "cat")),
        exported("02", annotation(3, "cat"), annotation(4, "dog")),
        exported("03", annotation(3, "NONE"), annotation(4, result=[], was_cancelled=True)),
        exported("04"),
    ]
    return Path(write_export([*tasks, tasks[0]]))


def cells(frame: pd.DataFrame, column: str) -> list[Any]:
    return [None if cell is None else list(cell) for cell in frame[column]]


def files(settings: Settings) -> dict[str, bytes | None]:
    paths = sorted(settings.annotations("zoo").glob("*"))
    return {path.name: path.read_bytes() if path.is_file() else None for path in paths}


def test_the_three_frames(export: Path, make_task: Any, settings: Settings, project: Project) -> None:
    done = process_annotations(project, make_task(), export, "majority")
    assert list(files(settings)) == sorted([STANDING, *(f"{name}.parquet" for name in FRAMES)])
    ann_df, task_df, gold_df = (read_frame(done.folder / f"{name}.parquet") for name in FRAMES[:3])
    assert ann_df["id"].tolist() == ["01", "02", "03", "04"]
    assert cells(ann_df, "3") == [["cat", "dog"], ["cat"], [], None]
    assert cells(ann_df, "4") == [["cat", "dog"], ["dog"], None, None]
    assert task_df["id"].tolist() == ["01", "02"]
    assert list(gold_df.columns) == ["table_name", "id", "gold_label", "origin", "part"]
    assert done.gold_df["id"].tolist() == gold_df["id"].tolist()
    assert (gold_df["id"].tolist(), cells(gold_df, "gold_label")) == (["01", "03"], [["cat", "dog"], []])
    assert settings.gold("zoo").is_file()


def test_everything_met_is_told(export: Path, make_task: Any, project: Project) -> None:
    done = process_annotations(project, make_task(), export, "majority")
    assert summary(done) == [
        "4 points, 5 labels of 2 annotators",
        "  annotator 3: 3 points, 1 never labelled",
        "  annotator 4: 2 points, 2 never labelled",
        "  1 duplicated tasks of the export: read once",
        "  2 duplicated annotations of the export: the latest copy counts",
        "  1 cancelled (skipped) annotations: left out",
        "  1 annotations with the choice NONE or N/A: about none of the classes",
        "  1 points that nobody labelled",
        "2 points with two or more annotators",
        "2 gold labels, chosen by majority",
        "  1 labelled points have none: ties",
        "  1 of them were labelled by one annotator alone",
        f"written to {done.folder}: ann_df.parquet, task_df.parquet, gold_df.parquet, sample_df.parquet",
    ]
    assert "  1 of them were ties, settled by the seed" in summary(
        process_annotations(project, make_task(), export, "random")
    )


def test_a_bare_name_is_looked_for_here_then_in_the_folders_of_annotations(
    export: Path,
    make_task: Any,
    settings: Settings,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    task, folder = make_task(), settings.annotations("zoo")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    points = export.read_bytes()
    with pytest.raises(AnnotationError) as caught:
        process_annotations(project, task, "mine.json", "majority")
    facts = ("mine.json cannot be read", f"nor in {folder} nor in {folder.parent}; expected a JSON export")
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    folder.mkdir(parents=True, exist_ok=True)
    # Each place that is nearer wins over a file there that cannot be read.
    for place, farther in ((folder.parent, None), (folder, folder.parent), (elsewhere, folder)):
        (place / "mine.json").write_bytes(points)
        if farther is not None:
            (farther / "mine.json").write_text("none")
        assert len(process_annotations(project, task, "mine.json", "majority").ann_df) == 4
    with pytest.raises(AnnotationError, match=r"in/mine\.json cannot be read"):
        process_annotations(project, task, "in/mine.json", "majority")


def test_the_same_files_from_the_same_export(
    export: Path, make_task: Any, settings: Settings, project: Project
) -> None:
    process_annotations(project, make_task(), export, "random", seed=4)
    before = files(settings)
    process_annotations(project, make_task(), export, "random", seed=4)
    assert files(settings) == before


def test_a_wrong_gold_choice_writes_nothing(
    export: Path, make_task: Any, settings: Settings, project: Project
) -> None:
    with pytest.raises(AnnotationError, match="gold choice 'majorty' does not exist"):
        process_annotations(project, make_task(), export, "majorty", write=True)
    assert not settings.home.exists()


def test_all_three_files_or_none(export: Path, make_task: Any, settings: Settings, project: Project) -> None:
    process_annotations(project, make_task(), export, "majority")
    settings.gold("zoo").unlink()
    settings.gold("zoo").mkdir()  # no file can take the place of a folder
    before = files(settings)
    with pytest.raises(FileError, match=r"gold_df.parquet is a folder; expected a file"):
        process_annotations(project, make_task(), export, "random")
    assert files(settings) == before


def test_a_database_that_refuses_leaves_the_files_alone(
    export: Path, make_task: Any, settings: Settings, project: Project
) -> None:
    database = project.database
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE zoo_gold (other TEXT)"))
    with pytest.raises(DatabaseError):
        process_annotations(project, make_task(), export, "majority", write=True)
    assert list(settings.annotations("zoo").glob("*")) == []


def rows(project: Project, table: str) -> list[tuple[Any, ...]]:
    database = project.database
    with database.engine.connect() as connection:
        found = connection.execute(sa.text(f'SELECT * FROM "{table}" ORDER BY 1, 2, 3, 4')).all()
    return [tuple(row) for row in found]


def test_written_twice_changes_nothing(export: Path, make_task: Any, project: Project) -> None:
    first = process_annotations(project, make_task(), export, "majority", write=True)
    assert first.new_rows == {"zoo_annotations": 5}
    before = rows(project, "zoo_annotations"), rows(project, "zoo_gold")
    second = process_annotations(project, make_task(), export, "majority", write=True)
    assert second.new_rows == {"zoo_annotations": 0}
    assert (rows(project, "zoo_annotations"), rows(project, "zoo_gold")) == before
    other = process_annotations(project, make_task(), export, "drop", write=True)
    assert other.run_id != first.run_id
    assert other.new_rows == {"zoo_annotations": 5}
    assert f"zoo_annotations: 5 new rows, run {other.run_id}" in summary(other)


def test_what_is_in_the_tables(export: Path, make_task: Any, project: Project) -> None:
    done = process_annotations(project, make_task(), export, "majority", write=True)
    assert {row[2] for row in rows(project, "zoo_annotations")} == {done.run_id}
    gold = GoldHome(project, "zoo").rows()
    assert [*zip(gold["id"], map(list, gold["label"]), gold["who"], strict=True)] == [
        ("01", ["cat", "dog"], "3, 4"),
        ("03", [], "3"),
    ]
    assert set(gold["origin"]) == {"annotators"}
    assert set(gold["choice"]) == {"majority"}
    assert gold["made_at"].astype(str).str.startswith("2026-11-22 19:52:08").all()
    assert gold["seen"].map(read_seen).tolist() == [{"txt": cell_hash("text")}] * 2


def settled(key: str, number: int, *annotations: Any, text: str = "text") -> Any:
    """A task in which a third person settles a point."""
    meta = {"table_name": "posts", "task": "zoo", "purpose": "adjudication"}
    data = {"ref_id": key, "meta_info": meta, "txt": text}
    return {"id": number, "annotations": list(annotations), "drafts": [], "data": data}


def test_adjudication_is_gold_of_its_own_and_no_annotator(
    exported: Any, annotation: Any, write_export: Any, make_task: Any, project: Project
) -> None:
    tasks = [
        exported("01", annotation(3, "cat"), annotation(4, "cat")),
        exported("02", annotation(3, "cat"), annotation(4, "dog")),
        settled("02", 7, annotation(5, "cat"), annotation(6, "dog", updated_at="2026-11-23T00:00:00Z")),
        settled("01", 8),  # nobody has looked at it yet
    ]
    done = process_annotations(project, make_task(), write_export(tasks))
    assert list(done.ann_df.columns) == ["table_name", "id", "3", "4"]
    assert [
        *zip(done.gold_df["id"], cells(done.gold_df, "gold_label"), done.gold_df["origin"], strict=True)
    ] == [
        ("01", ["cat"], "annotators"),
        ("02", ["dog"], "adjudication"),  # the last word
    ]
    assert summary(done)[-4:-1] == [
        "  1 labelled points have none: ties",
        "2 gold labels in all",
        "  1 of them by adjudication, which counts more",
    ]
    rows = GoldHome(project, "zoo").rows()
    assert rows.loc[rows["origin"] == "adjudication", "who"].tolist() == ["6"]
    # An export without such tasks, as of another project, leaves what was settled.
    again = process_annotations(project, make_task(), write_export(tasks[:2]))
    assert again.gold_df["origin"].tolist() == ["annotators", "adjudication"]


def test_a_point_that_was_asked_again_counts_as_it_reads_now(
    exported: Any, annotation: Any, write_export: Any, make_task: Any, project: Project
) -> None:
    before = exported("01", annotation(3, "cat"), annotation(4, "cat"))
    unread = exported("02", annotation(3, "cat"))
    meta = before["data"]["meta_info"]
    new = before | {"id": 9, "annotations": [annotation(3, "dog")]}
    new["data"] = {"ref_id": "01", "meta_info": meta, "txt": "another text"}
    not_yet = unread | {"id": 10, "annotations": [], "data": unread["data"] | {"txt": "edited"}}
    done = process_annotations(project, make_task(), write_export([before, new, unread, not_yet]))
    assert cells(done.gold_df, "gold_label") == [["dog"], ["cat"]]
    assert "  2 annotations of an earlier wording of their point, which was annotated again: left out" in (
        summary(done)
    )
    seen = GoldHome(project, "zoo").rows()["seen"].map(read_seen).tolist()
    assert seen == [{"txt": cell_hash("another text")}, {"txt": cell_hash("text")}]


def test_agreement_reads_what_was_written(
    export: Path, make_task: Any, settings: Settings, project: Project
) -> None:
    process_annotations(project, make_task(), export, "majority")
    found = annotator_agreement(project, make_task())
    assert (found.points, found.compared) == (3, 2)
    assert [p.id for p in found.disputed] == ["02"]
    assert "Agreement of annotators" in (settings.annotations("zoo") / "agreement.txt").read_text(
        encoding="utf-8"
    )
    assert '"verdict": "cannot be told"' in (settings.annotations("zoo") / "agreement.json").read_text(
        encoding="utf-8"
    )


def test_agreement_before_any_annotation(make_task: Any, settings: Settings, project: Project) -> None:
    with pytest.raises(AnnotationError) as error:
        annotator_agreement(project, make_task())
    assert str(error.value) == (
        f"no annotations of task 'zoo' in {settings.annotations('zoo')}; "
        "run process-annotations on an export first"
    )


def page(settings: Settings) -> str:
    return (settings.annotations("zoo") / "report.html").read_text(encoding="utf-8")


def test_the_page_on_agreement_shows_the_texts_of_disputed_points(
    export: Path, make_task: Any, settings: Settings, project: Project
) -> None:
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    rows = pd.DataFrame({"id": ["01", "02"], "txt": ["agreed upon", "a cat or a dog?"]})
    project.database.upsert("posts", rows, ["id"])
    process_annotations(project, make_task(), export)
    annotator_agreement(project, make_task())
    assert "a cat or a dog?" in page(settings)
    assert "agreed upon" not in page(settings)
    annotator_agreement(project, make_task(), texts=False)
    assert "a cat or a dog?" not in page(settings)
    assert "02" in page(settings)


def test_agreement_needs_no_database(
    export: Path, make_task: Any, settings: Settings, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    process_annotations(project, make_task(), export)
    away = Project(settings.root, database_url="postgresql+psycopg://me:secret@127.0.0.1:1/none")
    assert annotator_agreement(away, make_task()).verdict
    assert "the report shows no texts" in caplog.text
    assert "secret" not in caplog.text
    assert "cannot be told" in page(settings).lower()


def test_claims_are_told_and_taken_where_they_are_accepted(
    exported: Any, annotation: Any, write_export: Any, make_task: Any, project: Project
) -> None:
    mine = [annotation(3, "cat"), annotation(4, "dog", import_id=7)]
    path = write_export([exported("01", *mine)])
    left_out, same = (process_annotations(project, make_task(), path, "3") for _ in range(2))
    assert left_out.annotations.annotators == ["3"]
    accepted = process_annotations(project, make_task(), path, "3", accept_claims=True)
    assert accepted.annotations.annotators == ["3", "4"]
    assert left_out.run_id == same.run_id != accepted.run_id
    assert (
        "  1 annotations without the server's record of who made them: they count for those whom they name"
        in summary(accepted)
    )


KILLED_AT_EACH_CHANGE = """
import os, sys
from pathlib import Path
import subprocess
import sys
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.process_annotations import process_annotations

TASK = Task.model_validate({
    "name": "zoo", "folder": Path(), "setting": "multiclass", "classes": [{"name": "cat"}, {"name": "dog"}],
    "columns": [{"name": "txt"}], "lf_features": ["txt"],
})

def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

def run(choice, at=0):
    seen = 0
    def kill(event, args):
        nonlocal seen
        if event in ("os.rename", "os.remove", "os.rmdir") and "annotations" in str(args[0]):
            seen += 1
            if seen == at:
                os._exit(9)
    if at:
        sys.addaudithook(kill)
    with Project() as project:
        process_annotations(project, TASK, sys.argv[1], choice)

def child(choice, at):
    number = os.fork()
    if number == 0:
        run(choice, at)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])

settings = Project().settings
run("majority")
new = state(settings.annotations("zoo"))
run("dawid-skene")
old = state(settings.annotations("zoo"))
assert old.keys() - new.keys() == {"annotators.json"}, old.keys()
found, at = [], 0
while True:
    at += 1
    code = child("majority", at)
    now = state(settings.annotations("zoo"))
    found.append("old" if now == old else "new" if now == new else f"mixed: {now.keys()}")
    if code == 0:
        break
    run("dawid-skene")
print(*found)
"""


def test_a_kill_at_any_change_leaves_all_files_of_before_or_all_new_ones(
    exported: Any, annotation: Any, write_export: Any
) -> None:
    given = [("cat", "cat"), ("dog", "cat"), ("dog", "dog"), ("cat", "dog")]
    labels = [(annotation(3, one), annotation(4, other)) for one, other in given]
    export = write_export([exported(f"{n:02}", *both) for n, both in enumerate(labels)])
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EACH_CHANGE, export], capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr[-2000:]
    found = done.stdout.split()
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)  # old until one moment, new from then on
