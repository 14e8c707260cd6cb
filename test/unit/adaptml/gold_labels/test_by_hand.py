"""Gold by hand: a spreadsheet out, filled in, and in again."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import adaptml
from adaptml.cli.app import app
from adaptml.errors import AdaptmlError, AnnotationError, FrameError
from adaptml.frames import read_frame
from adaptml.gold_labels.core import Origin, read_seen, seen_of
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.gold_labels.sheets import as_cell, write_spreadsheet
from adaptml.labelled import label_set
from adaptml.project import Project

TASK = """
title: Which?
setting: {setting}
classes: [{{name: cat}}, {{name: dog}}]
columns: [{{name: txt}}]
lf_features: [txt]
features: [vec]
"""
TEXTS = ["=1+1", "a cat", 'two\nlines, "quoted"', "déjà vu", "a dog"]


@pytest.fixture(params=["multilabel"])
def zoo(project: Project, request: pytest.FixtureRequest) -> Project:
    folder = project.settings.tasks_dir / "zoo"
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK.format(setting=request.param), encoding="utf-8")
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    ids = [f"{number:02d}" for number in range(1, 6)]
    project.database.upsert("posts", pd.DataFrame({"id": ids, "txt": TEXTS}), ["id"])
    return project


multiclass = pytest.mark.parametrize("zoo", ["multiclass"], indirect=True)


def sheet(project: Project, **columns: Any) -> Path:
    path = project.settings.root / "sheet.csv"
    pd.DataFrame({"table_name": "posts"} | columns).to_csv(path, index=False)
    return path


def fill(path: Path, labels: dict[str, str]) -> None:
    """Write labels into a spreadsheet, as a person does."""
    if path.suffix == ".csv":
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame["label"] = frame["id"].map(labels).fillna("")
        frame.to_csv(path, index=False)
        return
    from openpyxl import load_workbook

    book = load_workbook(path)
    page = book.active
    columns = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=2):
        row[columns.index("label")].value = labels.get(row[columns.index("id")].value)
    book.save(path)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_out_filled_in_and_in_again(zoo: Project, kind: str) -> None:
    path = zoo.gold_template("zoo", "posts", 5, to=zoo.settings.root / f"gold.{kind}")
    fill(path, {"01": "cat", "03": "cat;dog", "04": "NONE"})
    done = zoo.gold("zoo", path)
    assert str(done).splitlines() == [
        "3 labels read: 3 new, 0 changed, 0 as before",
        "  2 rows without a label: left out",
        "gold of task zoo: 3 points",
        "  3 by spreadsheet",
        *[line for line in done.lines() if line.endswith(" judge")],
        "  cat 2, dog 1, none 1",
    ]
    assert [*zip(done.frame["id"], done.frame["gold_label"], done.frame["choice"], strict=True)] == [
        ("01", ["cat"], path.name),
        ("03", ["cat", "dog"], path.name),
        ("04", [], path.name),
    ]
    assert not done.frame["changed"].any()  # whatever a spreadsheet makes of the texts
    again = zoo.gold("zoo", path)
    assert again.lines()[0] == "3 labels read: 0 new, 0 changed, 3 as before"


def test_a_template_has_points_without_gold_and_a_larger_one_has_more(zoo: Project) -> None:
    zoo.gold("zoo", sheet(zoo, id=["02"], label=["cat"]))
    small = pd.read_csv(zoo.gold_template("zoo", "posts", 2), dtype=str)
    large = pd.read_csv(zoo.gold_template("zoo", "posts", 9), dtype=str)
    assert list(small.columns) == ["table_name", "id", "txt", "label", "seen"]
    assert large["id"].tolist()[:2] == small["id"].tolist()
    assert sorted(large["id"]) == ["01", "03", "04", "05"]
    with pytest.raises(FrameError, match=r"gold_2_seed0.csv is there already, maybe filled in; name another"):
        zoo.gold_template("zoo", "posts", 2)
    zoo.gold("zoo", sheet(zoo, id=["01", "03", "04", "05"], label=["cat"] * 4))
    with pytest.raises(AnnotationError, match="every point has a gold label of task 'zoo' already"):
        zoo.gold_template("zoo", "posts", 3)
    with pytest.raises(AnnotationError, match="no gold point of task 'zoo' has changed"):
        zoo.gold_template("zoo")


def test_a_spreadsheet_runs_no_text(zoo: Project) -> None:
    path = zoo.gold_template("zoo", "posts", 5)
    assert "'=1+1" in path.read_text(encoding="utf-8-sig")
    excel = zoo.settings.root / "sheet.xlsx"
    write_spreadsheet(pd.DataFrame({"id": ["1"], "txt": ["=1+1\x07"], "long": ["x" * 40_000]}), excel)
    from openpyxl import load_workbook

    cell = load_workbook(excel).active["B2"]
    assert (cell.value, cell.data_type) == ("=1+1 ", "s")
    with pytest.raises(FrameError, match=r"ends in '.ods'; expected .csv or .xlsx"):
        write_spreadsheet(pd.DataFrame({"id": ["1"]}), Path("sheet.ods"))


def test_a_column_of_0_and_1_for_each_class(zoo: Project) -> None:
    path = sheet(zoo, id=["01", "02", "03", "04"], cat=[1, 0, None, None], dog=[1, 0, 1, None])
    done = zoo.gold("zoo", path)
    assert [*map(list, done.frame["gold_label"])] == [["cat", "dog"], []]
    assert done.lines()[1:3] == [
        "  1 rows without a label: left out",
        "  1 rows half filled in: left out: posts/03",
    ]


def test_points_that_no_table_has(zoo: Project) -> None:
    path = sheet(zoo, id=["01", "1"], label=["cat", "dog"])
    assert "  1 points that no table has: left out: posts/1" in zoo.gold("zoo", path).lines()
    path = sheet(zoo, id=["1", "2"], label=["cat", "dog"])
    with pytest.raises(FrameError, match=r"none of the 2 labelled points .* posts/1, posts/2; .*drops zeros"):
        zoo.gold("zoo", path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            ["cat", "Dog"],
            r"1 names that are not classes of task 'zoo': 'Dog', such as in posts/02; its classes",
        ),
        ([None, ""], r"has 2 rows and none is filled in; .*NONE for none of the classes"),
    ],
)
def test_what_cannot_be_taken_in_changes_nothing(zoo: Project, labels: list[Any], message: str) -> None:
    with pytest.raises(AdaptmlError, match=message):
        zoo.gold("zoo", sheet(zoo, id=["01", "02"], label=labels))
    assert not GoldHome(zoo, "zoo").exists


@multiclass
def test_several_classes_in_a_multiclass_task(zoo: Project) -> None:
    with pytest.raises(
        FrameError, match=r"1 rows with several classes, and task 'zoo' is multiclass: posts/02"
    ):
        zoo.gold("zoo", sheet(zoo, id=["01", "02"], label=["cat", "['cat', 'dog']"]))
    assert len(zoo.gold("zoo", sheet(zoo, id=["01", "02"], label=["cat", "['dog']"])).frame) == 2


def test_a_changed_point_is_asked_again_and_counts_as_it_reads_now(zoo: Project) -> None:
    home = GoldHome(zoo, "zoo")
    zoo.gold("zoo", sheet(zoo, id=["02", "05"], label=["cat", "dog"]))
    settled = home.rows().assign(origin=Origin.ADJUDICATION.value)
    home.replace(settled)  # a higher origin, of the same wording
    zoo.database.upsert("posts", pd.DataFrame({"id": ["02"], "txt": ["a dog now"]}), ["id"])
    assert zoo.gold("zoo").changed == 1
    path = zoo.gold_template("zoo")
    assert pd.read_csv(path, dtype=str)["txt"].tolist() == ["a dog now"]
    fill(path, {"02": "dog"})
    done = zoo.gold("zoo", path)
    assert done.changed == 0
    assert [
        *zip(done.frame["id"], map(list, done.frame["gold_label"]), done.frame["origin"], strict=True)
    ] == [
        ("02", ["dog"], "spreadsheet"),
        ("05", ["dog"], "adjudication"),
    ]
    row = counting(home.rows()).iloc[0]
    assert read_seen(row["seen"]) == seen_of({"txt": "a dog now"})


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_the_export_is_a_frame_of_gold(zoo: Project, kind: str) -> None:
    zoo.gold("zoo", sheet(zoo, id=["01", "02", "03"], label=["cat", "cat;dog", "NONE"]))
    path = zoo.settings.root / f"out.{kind}"
    zoo.gold("zoo", export=path)
    frame = read_frame(path)
    gold = adaptml.Task(classes=["cat", "dog"], setting="multilabel")
    from adaptml.data import read_gold

    read = read_gold(zoo, path, gold)
    assert read is not None
    assert read.Y.tolist() == [[1, 0], [1, 1], [0, 0]]
    assert frame["origin"].tolist() == ["spreadsheet"] * 3
    assert set(frame["part"]) <= {"tune", "judge"}
    with pytest.raises(FrameError, match=r"--export out.ods is of no kind .*\.csv, \.xlsx, \.parquet"):
        zoo.gold("zoo", export="out.ods")


@given(st.sets(st.sampled_from(["cat", "dog", "a;b", "[x]", "NONE", "two words", "it's"])))
def test_a_label_set_in_a_cell_is_read_again(label: set[str]) -> None:
    classes = ["cat", "dog", "a;b", "[x]", "NONE", "two words", "it's"]
    assert label_set(as_cell(sorted(label), classes), classes) == sorted(label)


@pytest.mark.usefixtures("zoo")
def test_the_command() -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["gold", "zoo", *words], prog_name="adaptml")
        return done.output if done.exit_code == 0 else f"{done.exit_code}: {done.output}"

    assert "has no gold labels" in run()
    assert "written to sheet.xlsx\nNext: fill in the column label, then adaptml gold zoo sheet.xlsx" in run(
        "--template", "2", "--data", "posts", "--to", "sheet.xlsx"
    )
    fill(Path("sheet.xlsx"), dict.fromkeys(("01", "02", "03", "04", "05"), "dog"))
    assert "2 labels read: 2 new" in run("sheet.xlsx", "--export", "out.csv")
    assert "gold of task zoo: 2 points\n  2 by spreadsheet\n" in run()
    for wrong in (["--template", "2"], ["--changed", "--data", "posts"], ["sheet.xlsx", "--changed"]):
        assert run(*wrong).startswith("2: ")
