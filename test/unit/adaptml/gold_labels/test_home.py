"""Gold's home: whose row counts, what replaces what, and projects made before there was one."""

from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.data import read_gold
from adaptml.database import Database, WritebackKind
from adaptml.errors import DatabaseError, FrameError
from adaptml.frames import read_frame
from adaptml.gold_labels.core import JUDGE, TUNE, Origin, cell_hash, part_of, read_seen, seen_of, seen_text
from adaptml.gold_labels.home import COLUMNS, GoldHome, counting
from adaptml.gold_labels.reading import gold_labels
from adaptml.project import Project
from adaptml.tasks import Task

ZOO = Task.model_validate(
    {"name": "zoo", "title": "Which?", "setting": "multilabel", "classes": [{"name": "cat"}, {"name": "dog"}]}
)


def rows(origin: Origin, labels: dict[str, list[str]], **other: Any) -> pd.DataFrame:
    """Rows of one origin: id → label."""
    frame = pd.DataFrame({"table_name": "posts", "id": list(labels), "origin": origin.value})
    frame["label"] = pd.Series(list(labels.values()), dtype=object)
    return frame.assign(**dict.fromkeys(("choice", "who", "made_at", "seen"), None) | other)


def told(home: GoldHome) -> dict[str, tuple[list[str], str]]:
    """Id → the label that counts, and its origin."""
    frame = counting(home.rows())
    return {r.id: (list(r.label), r.origin) for r in frame.itertuples(index=False)}  # type: ignore[misc]


@pytest.fixture
def on(database: Database, project: Project) -> Project:
    """The project with each database in turn."""
    project.__dict__["_database"] = database
    project.__dict__["_results"] = None
    return project


@pytest.fixture
def home(on: Project) -> GoldHome:
    return GoldHome(on, "zoo")


def test_the_highest_origin_counts(home: GoldHome) -> None:
    home.add(rows(Origin.ADJUDICATION, {"1": ["cat"]}))
    home.add(rows(Origin.PAGE, {"1": ["dog"], "2": ["cat", "dog"]}))
    home.add(rows(Origin.SPREADSHEET, {"1": ["dog"], "2": ["dog"], "3": []}))
    home.replace(
        rows(Origin.ANNOTATORS, {str(key): ["dog"] for key in range(5)}, who="3, 4", choice="majority")
    )
    assert told(home) == {
        "0": (["dog"], "annotators"),
        "1": (["cat"], "adjudication"),
        "2": (["cat", "dog"], "page"),
        "3": ([], "spreadsheet"),
        "4": (["dog"], "annotators"),
    }
    assert len(home.rows()) == 11
    assert list(home.rows().columns) == COLUMNS


def test_each_way_replaces_only_its_own(home: GoldHome) -> None:
    home.add(rows(Origin.SPREADSHEET, {"1": ["cat"]}))
    home.replace(rows(Origin.ANNOTATORS, {"1": ["dog"], "2": ["dog"]}))
    home.replace(rows(Origin.ANNOTATORS, {"3": ["cat"]}))  # 2 is no longer gold
    assert told(home) == {"1": (["cat"], "spreadsheet"), "3": (["cat"], "annotators")}
    home.add(rows(Origin.SPREADSHEET, {"1": ["dog"], "4": ["dog"]}))  # a second sheet leaves the first
    home.add(rows(Origin.SPREADSHEET, {"5": ["cat"]}))
    assert told(home) == {
        "1": (["dog"], "spreadsheet"),
        "3": (["cat"], "annotators"),
        "4": (["dog"], "spreadsheet"),
        "5": (["cat"], "spreadsheet"),
    }


def test_gold_df_is_the_export(home: GoldHome) -> None:
    home.replace(rows(Origin.ANNOTATORS, {"2": ["cat"], "1": ["dog"]}))
    home.add(rows(Origin.PAGE, {"1": ["cat", "dog"]}))
    frame = read_frame(home.project.settings.gold("zoo"))
    assert list(frame.columns) == ["table_name", "id", "gold_label", "origin", "part"]
    assert [list(label) for label in frame["gold_label"]] == [["cat", "dog"], ["cat"]]
    assert frame["origin"].tolist() == ["page", "annotators"]
    assert frame["part"].tolist() == [part_of("posts", "1"), part_of("posts", "2")]


def test_a_file_of_before_is_gold_and_moves_in_with_the_first_rows(home: GoldHome) -> None:
    path = home.project.settings.gold("zoo")
    path.parent.mkdir(parents=True)
    old = pd.DataFrame({"table_name": "posts", "id": ["1", "2"], "gold_label": [["cat"], []]})
    old.to_parquet(path, index=False)
    assert told(home) == {"1": (["cat"], "annotators"), "2": ([], "annotators")}
    assert "zoo_gold" not in home.project.results.tables()  # reading writes nothing
    home.add(rows(Origin.SPREADSHEET, {"3": ["dog"]}))
    path.unlink()
    assert told(home) == {
        "1": (["cat"], "annotators"),
        "2": ([], "annotators"),
        "3": (["dog"], "spreadsheet"),
    }


def table_of_before(database: Database) -> None:
    """What `--write` left before gold had a home: the gold of two runs."""
    from adaptml.database.types import TextList

    text = {name: sa.Text() for name in ("table_name", "id", "run_id")}
    columns = text | {"gold_label": TextList(), "written_at": sa.DateTime(timezone=True)}
    database.create_table("zoo_gold", columns, ["table_name", "id", "run_id"])
    for run, day, labels in (("b", 1, {"1": ["cat"], "2": ["cat"]}), ("a", 2, {"1": ["dog"]})):
        frame = pd.DataFrame({"table_name": "posts", "id": list(labels), "run_id": run})
        frame["gold_label"] = pd.Series(list(labels.values()), dtype=object)
        when = pd.Timestamp(2026, 1, day, tz="UTC").to_pydatetime()
        frame["written_at"] = pd.Series([when] * len(frame), dtype=object)
        database.upsert("zoo_gold", frame, ["table_name", "id", "run_id"])


def test_a_table_of_before_is_read_and_loses_no_row(home: GoldHome) -> None:
    database = home.project.results
    table_of_before(database)
    assert home.exists
    assert told(home) == {"1": (["dog"], "annotators")}  # of the run that was written last
    home.replace(rows(Origin.ANNOTATORS, {"7": ["cat"]}))
    assert told(home) == {"7": (["cat"], "annotators")}
    assert database.count("zoo_gold_of_before") == 3


def test_a_table_of_something_else_is_left_alone(home: GoldHome) -> None:
    home.project.results.create_table("zoo_gold", {"id": sa.Text(), "price": sa.Text()})
    with pytest.raises(DatabaseError, match=r"'zoo_gold' holds no gold labels.*give it another name"):
        home.replace(rows(Origin.ANNOTATORS, {"7": ["cat"]}))
    assert not home.project.settings.gold("zoo").exists()
    assert list(home.project.results.columns("zoo_gold")) == ["id", "price"]


def posts(project: Project, texts: dict[str, str]) -> None:
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    frame = pd.DataFrame({"id": list(texts), "txt": list(texts.values())})
    project.database.upsert("posts", frame, ["id"])


def test_changed_and_gone_points_are_counted(on: Project, caplog: pytest.LogCaptureFixture) -> None:
    posts(on, {"1": "as it was", "2": "edited", "3": "never looked at"})
    seen = [seen_text(seen_of({"txt": text})) for text in ("as it was", "before", "gone")] + [None]
    GoldHome(on, "zoo").add(
        rows(Origin.SPREADSHEET, {"1": ["cat"], "2": ["dog"], "4": ["dog"], "3": ["cat"]}, seen=seen)
    )
    found = gold_labels(on, "zoo")
    assert dict(zip(found.frame["id"], found.frame["changed"], strict=True)) == {
        "1": False,
        "2": True,
        "3": None,
    }
    assert found.gone["id"].tolist() == ["4"]
    assert (found.changed, found.overruled) == (1, 0)
    gold = read_gold(on, "task", ZOO)
    assert gold is not None
    assert gold.keys["id"].tolist() == ["1", "2", "3"]
    assert "1 gold points are no longer in their tables" in caplog.text
    assert "1 gold points have changed since they were labelled" in caplog.text


def test_gold_of_a_table_that_is_gone(on: Project) -> None:
    GoldHome(on, "zoo").add(rows(Origin.PAGE, {"1": ["cat"]}))
    with pytest.raises(FrameError, match=r"none of the 1 gold points of task 'zoo' is in its table"):
        read_gold(on, "task", ZOO)


def test_no_gold(project: Project) -> None:
    with pytest.raises(FrameError, match=r"'zoo' has no gold labels.*process-annotations.*adaptml gold zoo"):
        gold_labels(project, "zoo")


def test_what_json_does_not_keep_apart_is_the_same() -> None:
    assert cell_hash(None) == cell_hash("") == cell_hash(float("nan"))
    assert cell_hash(1) == cell_hash(1.0) != cell_hash("one")
    assert cell_hash(["a", "b"]) == cell_hash(("a", "b")) != cell_hash(["ab"])
    assert len({cell_hash(value) for value in ("a", "b", True, 0.5, ["a"])}) == 5


@given(st.dictionaries(st.text(), st.text()))
def test_what_was_seen_is_kept(cells: dict[str, str]) -> None:
    assert read_seen(seen_text(seen_of(cells))) == seen_of(cells)


@pytest.mark.parametrize("text", ["[1]", "{", "seen", '{"txt": 3}', None, 4.0])
def test_what_is_no_record_of_what_was_seen(text: object) -> None:
    assert read_seen(text) == {}


def test_half_of_gold_judges_whatever_else_is_gold() -> None:
    judging = sum(part_of("posts", str(key)) == JUDGE for key in range(10_000))
    assert 4_800 < judging < 5_200  # four standard deviations
    assert {part_of("posts", "1"), part_of("posts", "2"), part_of("posts", "3")} <= {JUDGE, TUNE}
    # SHA-256 of "posts", a zero byte and "1" begins with 0xe1: at or above one half
    assert part_of("posts", "1") == TUNE


def test_writeback_no_longer_has_gold() -> None:
    assert [kind.value for kind in WritebackKind] == ["annotations", "labels", "predictions"]
