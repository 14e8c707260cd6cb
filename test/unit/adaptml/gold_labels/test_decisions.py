"""What a person decides about gold: what it writes, what outranks it, taking it back, and what a pull leaves alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

import adaptml
from adaptml.database import Database
from adaptml.errors import FrameError
from adaptml.frames import read_frame
from adaptml.gold_labels.core import Origin
from adaptml.gold_labels.decisions import as_decided, decide, decisions, remove, undo
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.project import Project

POINT = ("comments", "s8")


@pytest.fixture(scope="module")
def example() -> Any:
    with adaptml.example_project() as project:
        yield project


@pytest.fixture
def project(example: Project) -> Any:
    """The example with its gold of before and no decision."""
    example.process_annotations("spam", example.settings.root / "annotations.json", choice="1")
    yield example
    for decision in decisions(example, "spam"):
        if decision.undone_by is None:
            undo(example, "spam", decision.number, who="the test")


def now(project: Project, point: tuple[str, str] = POINT) -> tuple[list[str], str] | None:
    """The label of a point that counts, and its origin."""
    rows = counting(GoldHome(project, "spam").rows())
    mine = rows[(rows["table_name"] == point[0]) & (rows["id"] == point[1])]
    return None if mine.empty else (list(mine["label"].iloc[0]), mine["origin"].iloc[0])


def test_who_settles_outranks_annotators_and_says_why(project: Project) -> None:
    done = decide(project, "spam", POINT, ["ham"], who=" anna ", why=" a song ", origin=Origin.ADJUDICATION)
    assert (done.before, done.label, done.who, done.why) == (None, ["ham"], "anna", "a song")
    assert now(project) == (["ham"], "adjudication")
    lines = project.gold("spam").lines()
    assert lines[1] == "  11 by annotators, 1 by adjudication"
    assert lines[-2] == "1 decided by hand, the last first:"
    when = done.made_at.strftime("%Y-%m-%d %H:%M")
    assert lines[-1] == f"  comments/s8 ham (adjudication) by anna, {when}: a song"
    again = decide(project, "spam", POINT, ["spam"], who="ben", origin=Origin.ADJUDICATION)
    assert (again.before, again.label) == (["ham"], ["spam"])
    with pytest.raises(FrameError, match="ben decided about comments/s8 again since; take that back first"):
        undo(project, "spam", done.number, who="anna")
    undo(project, "spam", again.number, who="carla")
    assert now(project) == (["ham"], "adjudication")
    undo(project, "spam", done.number, who="carla")
    assert now(project) == (["spam"], "annotators")
    kept = decisions(project, "spam", POINT)[:2]
    assert [(one.who, one.undone_by) for one in kept] == [("ben", "carla"), ("anna", "carla")]
    with pytest.raises(FrameError, match="taken back already, by carla"):
        undo(project, "spam", done.number, who="ben")


def test_a_page_s_label_says_what_was_seen(project: Project) -> None:
    decide(project, "spam", ("comments", "h1"), [], who="anna")
    row = GoldHome(project, "spam").rows().query("id == 'h1'").iloc[0]
    assert (list(row["label"]), row["origin"], row["who"]) == ([], "page", "anna")
    assert project.gold("spam").changed == 0
    assert "h1" in read_frame(project.settings.gold("spam"))["id"].tolist()


def test_what_was_removed_stays_removed_until_it_is_said_anew(project: Project) -> None:
    removed = remove(project, "spam", POINT, Origin.ANNOTATORS, who="anna", why="not a comment")
    assert (removed.before, removed.label, now(project)) == (["spam"], None, None)
    again = project.process_annotations("spam", project.settings.root / "annotations.json", choice="1")
    assert (again.decided, now(project)) == (1, None)
    with pytest.raises(FrameError, match="comments/s8 has no gold label by annotators"):
        remove(project, "spam", POINT, Origin.ANNOTATORS, who="anna")
    task, later = project.task("spam"), removed.made_at + timedelta(seconds=1)
    row = {"table_name": "comments", "id": "s8", "origin": "annotators", "label": ["ham"], "made_at": later}
    rows = pd.DataFrame([row | dict.fromkeys(("choice", "who", "seen"))], dtype=object)
    assert as_decided(project, task, rows)[1] == 0
    assert as_decided(project, task, rows.assign(made_at=removed.made_at - timedelta(seconds=1)))[0].empty
    undo(project, "spam", removed.number, who="anna")
    assert now(project) == (["spam"], "annotators")


def test_a_pull_leaves_what_was_settled_here(project: Project) -> None:
    decide(project, "spam", POINT, ["ham"], who="anna", origin=Origin.ADJUDICATION)
    task = project.task("spam")
    theirs = {"origin": "adjudication", "choice": None, "who": "3", "seen": None}
    theirs |= {"made_at": datetime(2026, 1, 1, tzinfo=UTC)}
    rows = pd.DataFrame(
        [{"table_name": "comments", "id": key, "label": ["spam"]} | theirs for key in ("s8", "s9")],
        dtype=object,
    )
    left, n = as_decided(project, task, rows)
    told = {row["id"]: (list(row["label"]), row["who"]) for row in left.to_dict("records")}
    assert (n, told) == (1, {"s9": (["spam"], "3"), "s8": (["ham"], "anna")})


def test_all_of_gold_can_be_removed(project: Project) -> None:
    rows = GoldHome(project, "spam").rows()
    for row in rows.itertuples(index=False):
        remove(project, "spam", (str(row.table_name), str(row.id)), Origin(row.origin), who="anna")
    with pytest.raises(FrameError, match="the task 'spam' has no gold labels"):
        project.gold("spam")
    decide(project, "spam", ("comments", "h1"), ["ham"], who="anna")
    assert len(project.gold("spam").frame) == 1


def test_gold_of_before_moves_in_before_a_label_goes(project: Project) -> None:
    home = GoldHome(project, "spam")
    with project.results.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE spam_gold")
    fresh = adaptml.Project(settings=project.settings)
    with fresh:
        remove(fresh, "spam", POINT, Origin.ANNOTATORS, who="anna")
        assert len(GoldHome(fresh, "spam").rows()) == 11
    assert len(home.rows()) == 11


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": ["cat"]}, "cat is no class of task 'spam'; its classes are"),
        ({"label": ["ham", "spam"]}, "ham, spam were given, and task 'spam' is multiclass; give one class"),
        ({"who": "  "}, "no name was given"),
        ({"point": ("comments", "x")}, "comments/x is not in its table any longer"),
        ({"point": ("nowhere", "x")}, "nowhere/x is not in its table any longer"),
    ],
)
def test_what_cannot_be_decided(project: Project, given: dict[str, Any], said: str) -> None:
    named = {"point": POINT, "label": ["ham"], "who": "anna"} | given
    with pytest.raises(FrameError) as error:
        decide(project, "spam", named.pop("point"), named.pop("label"), **named)
    assert said in str(error.value)
    assert now(project) == (["spam"], "annotators")
    with pytest.raises(FrameError, match="has no decision 'x'"):
        undo(project, "spam", "x", who="anna")


def test_every_database_keeps_them(database: Database, clean_room: Path) -> None:
    zoo = adaptml.Task.model_validate(
        {"name": "zoo", "title": "?", "setting": "multilabel", "classes": [{"name": "cat"}, {"name": "dog"}]}
    )
    with Project() as project:
        project.__dict__["_database"], project.__dict__["_results"] = database, None
        database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
        database.upsert("posts", pd.DataFrame({"id": ["1"], "txt": ["a cat"]}), ["id"])
        done = decide(project, zoo, ("posts", "1"), ["dog", "cat"], who="أنا 😾", why="it's “both”")
        (kept,) = decisions(project, zoo)
        assert (kept.label, kept.who, kept.why) == (["cat", "dog"], "أنا 😾", "it's “both”")
        assert abs(kept.made_at - done.made_at) < timedelta(seconds=1)  # CrateDB keeps milliseconds
        undone = undo(project, zoo, done.number, who="ben")
        assert undone.undone_by == "ben"
        assert GoldHome(project, "zoo").rows().empty
        assert decisions(project, zoo)[0].undone_by == "ben"
        project.__dict__.pop("_database")  # the fixture closes it


def test_a_forgotten_point_leaves_no_decision(project: Project) -> None:
    decide(project, "spam", ("comments", "h2"), ["ham"], who="anna")
    removed = project.forget("comments", ["h2"]).removed
    assert removed["spam_gold_decisions"] == 1
    assert decisions(project, "spam", ("comments", "h2")) == []


def test_labels_are_told_by_the_names_of_now(project: Project) -> None:
    decide(project, "spam", POINT, ["ham"], who="anna")
    task = project.task("spam")
    change = {"date": "2026-11-26", "before": ["ham", "spam"], "becomes": {"ham": ["fine"]}}
    classes = [{"name": "fine"}, {"name": "spam"}]
    renamed = adaptml.Task.model_validate(
        {"name": "spam", "title": "?", "setting": task.setting, "classes": classes, "class_changes": [change]}
    )
    assert decisions(project, renamed, POINT)[0].label == ["fine"]
