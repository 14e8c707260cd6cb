"""Rows by what a task knows of them: the same whether it is listed, looked up or left out."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.browsing.conditions import Condition, parse
from adaptml.browsing.facts import ListedIds, WrittenFacts
from adaptml.browsing.find import KeptIds, found_before
from adaptml.browsing.known import facts_asked, known_of
from adaptml.browsing.paging import checked
from adaptml.browsing.run_facts import LabelRun, RunFacts, label_runs
from adaptml.browsing.search import Query, every_page, search
from adaptml.data import read_points
from adaptml.database import Database, WritebackKind, write_back
from adaptml.database.class_slugs import read_slugs
from adaptml.errors import FrameError, UnknownTableError
from adaptml.project import Project
from adaptml.tasks import Task

TABLE = "comments"


def ids(project: Project, *texts: str, task: str | None = "spam") -> list[str]:
    asked = [parse(text) for text in texts]
    query = Query(
        project.database,
        TABLE,
        checked(project.database, TABLE, asked),
        facts_asked(project, task, TABLE, asked),
    )
    found = [key for rows in every_page(query, 7) for key in rows.ids]
    pages, after = [], None
    while True:
        hits = search(query, after=after, n=3)
        pages += hits.rows.ids
        after = hits.after
        if after is None:
            break
    assert pages == found
    return found


def test_gold_labels_and_predictions_are_found(spam: Project) -> None:
    gold = [f"h{n}" for n in (10, 11, 6, 7, 8, 9)]
    assert ids(spam, "@gold is ham") == gold
    assert ids(spam, "@gold is-filled") == [*gold, "s10", "s11", "s6", "s7", "s8", "s9"]
    assert ids(spam, "@gold is-empty", "id begins h") == ["h0", "h1", "h2", "h3", "h4", "h5"]
    assert len(ids(spam, "@gold is-not ham")) == 18
    assert ids(spam, "@prediction is spam") == ["h1", "s0"]
    assert ids(spam, "@prediction is spam", "text contains chorus") == ["h1"]
    assert ids(spam, "@prediction is spam", "text contains voice") == []
    assert ids(spam, "@prediction is-empty", "@gold is-empty", "id begins s") == [
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
    ]
    assert ids(spam, "@predicted:spam >= 0.6", "@predicted:spam < 0.8") == ["h1"]


def test_labels_are_those_that_were_written(spam: Project) -> None:
    labels = known_of(spam, "spam", TABLE, [f"s{n}" for n in range(12)] + ["nope"])
    of_spam = sorted(key for key, known in labels.items() if known.label and known.label.label == ["spam"])
    assert ids(spam, "@label is spam", "id begins s") == of_spam
    assert len(of_spam) > 5
    assert labels["nope"].label is None
    assert labels["s6"].gold == ["spam"]
    assert labels["s6"].origin == "annotators"
    without = ids(spam, "@label is-empty")
    assert sorted(without + ids(spam, "@label is-filled")) == sorted(ids(spam, task=None))


def test_what_cannot_be_asked_is_said(spam: Project) -> None:
    with pytest.raises(FrameError, match="'@gold is ham' asks for something that a task knows; name a task"):
        ids(spam, "@gold is ham", task=None)
    with pytest.raises(
        FrameError, match="'eggs' is no class in table spam_labels; expected one of ham, spam"
    ):
        ids(spam, "@label is eggs")
    with pytest.raises(
        FrameError, match="no labels of task 'other' were written yet; `adaptml label --write`"
    ):
        ids(spam, "@label is spam", task="other")
    with pytest.raises(FrameError, match="'much' is no number"):
        ids(spam, "@prob:spam > much")


@pytest.fixture(scope="module")
def run(spam: Project, tmp_path_factory: pytest.TempPathFactory) -> LabelRun:
    return next(iter(label_runs(spam, "spam", TABLE, tmp_path_factory.mktemp("run"))))


def of_run(spam: Project, run: LabelRun, *texts: str) -> list[str]:
    facts = RunFacts(run, [parse(text) for text in texts])
    found = [key for rows in every_page(Query(spam.database, TABLE, (), [facts]), 5) for key in rows.ids]
    if facts.lists:
        assert facts.count() == len(found)
    return found


def test_votes_of_a_run_are_found(spam: Project, run: LabelRun) -> None:
    assert run.rules == ["subscribe", "check_out", "link", "praise", "song"]
    assert of_run(spam, run, "@vote:subscribe is spam") == ["s0", "s3", "s6", "s9"]
    assert of_run(spam, run, "@vote:subscribe is spam", "@vote:song is-filled") == []
    assert of_run(spam, run, "@vote:link is-filled") == ["s11", "s2", "s5", "s8"]
    assert len(of_run(spam, run, "@vote:link is-empty")) == 20
    disputed = of_run(spam, run, "@votes is disagreement")
    known = run.of_rows(disputed)
    assert disputed
    assert all(len(set(known[key]["votes"].values())) == 2 for key in disputed)
    uncovered = of_run(spam, run, "@votes is uncovered")
    assert uncovered
    assert all(not found["votes"] and found["label"] is None for found in run.of_rows(uncovered).values())
    assert of_run(spam, run, "@label is-empty") == uncovered


def test_labels_of_a_run_are_those_that_it_wrote(spam: Project, run: LabelRun) -> None:
    assert of_run(spam, run, "@label is spam") == ids(spam, "@label is spam")
    assert of_run(spam, run, "@prob:spam >= 0.9") == ids(spam, "@prob:spam >= 0.9")
    assert run.of_rows(["s0", "nope"])["s0"] == {
        "votes": {"subscribe": "spam"}, "label": ["spam"], "probs": {"ham": 0.25, "spam": 0.75}
    }  # fmt: skip


def test_a_run_says_what_it_does_not_have(spam: Project, run: LabelRun) -> None:
    with pytest.raises(FrameError, match="has no labelling function 'nope'; it has subscribe"):
        of_run(spam, run, "@vote:nope is spam")
    with pytest.raises(FrameError, match="knows no class 'eggs'; expected one of ham, spam"):
        of_run(spam, run, "@vote:link is eggs")
    with pytest.raises(FrameError, match="expected @votes is uncovered, disagreement"):
        of_run(spam, run, "@votes is odd")


@given(st.sets(st.integers(0, 99)), st.integers(1, 30))
def test_listed_ids_come_once_and_in_order(numbers: set[int], n: int) -> None:
    facts = ListedIds.of(f"{number:02}" for number in numbers)
    found: list[str] = []
    after = None
    while True:
        batch = facts.batch(after, n)
        found += batch.ids
        after = batch.after
        if after is None:
            break
    assert found == sorted(f"{number:02}" for number in numbers)
    every = [f"{number:02}" for number in range(100)]
    assert set(facts.holds(every)) == set(found)
    assert set(ListedIds(facts.ids, negated=True).holds(every)) == set(every) - set(found)


def test_a_search_is_kept_and_listed(spam: Project) -> None:
    asked = ["text contains subscribe", "@gold is-empty"]
    conditions = [parse(text) for text in asked]
    assert found_before(spam, TABLE, conditions, "spam") is None
    found = spam.find(TABLE, asked, task="spam")
    assert found.path is not None
    assert (found.rows, pd.read_parquet(found.path)["id"].tolist()) == (2, ["s0", "s3"])
    again = found_before(spam, TABLE, conditions[::-1], "spam")
    assert again is not None
    assert (again.rows, again.path) == (2, found.path)
    query = Query(spam.database, TABLE, (), [KeptIds(found.path)])
    assert search(query).rows.ids == ["s0", "s3"]
    assert found_before(spam, TABLE, conditions, "other") is None
    assert json.loads(Path(found.path).with_suffix(".json").read_text())["conditions"] == asked
    assert read_points(spam, found.path)["id"].tolist() == ["s0", "s3"]
    counted = spam.find(TABLE)
    assert (counted.rows, counted.path, found_before(spam, TABLE, ())) == (24, None, counted)
    with pytest.raises(UnknownTableError, match="no table 'nope'"):
        spam.find("nope")


def test_rows_of_a_search_are_read_a_part_at_a_time(spam: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.browsing.find.CHUNK_ROWS", 4)
    found = spam.find(TABLE, ["id begins s"])
    assert found.path is not None
    kept = KeptIds(found.path)
    every = pd.read_parquet(found.path)["id"].tolist()
    assert len(every) == 12
    for n in (1, 3, 4, 5, 12, 20):
        ids: list[str] = []
        after = None
        while True:
            batch = kept.batch(after, n)
            ids, after = ids + list(batch.ids), batch.after
            assert len(batch.ids) <= n
            if after is None:
                break
        assert ids == every
    assert list(kept.batch("gone", 2).ids) == every[:2]
    assert kept.holds(["h1", "s3", "s11"]) == {"s3", "s11"}


def test_a_long_table_is_searched_by_a_job(spam: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.browsing.search.SEARCHED_ROWS", 10)
    text, by_id = Condition("text", "contains", "x"), Condition("id", "is", "s0")
    gold = facts_asked(spam, "spam", TABLE, [parse("@gold is ham")])
    assert Query(spam.database, TABLE, [text]).needs_a_job
    assert not Query(spam.database, TABLE, [by_id]).needs_a_job
    assert not Query(spam.database, TABLE, [text], gold).needs_a_job
    assert not Query(spam.database, TABLE).needs_a_job


def test_a_search_ends_when_time_is_up(spam: Project) -> None:
    nothing = ListedIds.of([f"x{n:05}" for n in range(2_000)])
    hits = search(Query(spam.database, TABLE, (), [nothing]), patience_s=0)
    assert (hits.rows.ids, hits.after, hits.complete) == ([], "x00499", False)


def test_written_labels_are_found_in_every_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.browsing.facts.WINDOW_ROWS", 4)
    task, every = Task(classes=["ham", "my spam"]), [f"{n:02}" for n in range(20)]
    for run, spam in (("r1", 0), ("r2", 3)):  # of the second run, which is the newer one, every third is spam
        chosen = [key for key in every if spam and int(key) % spam == 0]
        frame = pd.DataFrame({"table_name": "posts", "id": every})
        frame["label"] = [["my spam"] if key in chosen else ["ham"] for key in every]
        frame["label_probs"] = [[0.1, 0.9] if key in chosen else [0.6, 0.4] for key in every]
        write_back(database, task, WritebackKind.LABELS, frame, run)
    results, slugs = database.found_table("task_labels", []), read_slugs(database, "task")

    def found(*texts: str) -> list[str]:
        facts = WrittenFacts(database, results, slugs, "posts", [parse(text) for text in texts])
        ids: list[str] = []
        after = None
        while True:
            batch = facts.batch(after, 3)
            ids, after = ids + list(batch.ids), batch.after
            if after is None:
                return ids

    spam = [key for key in every if int(key) % 3 == 0]
    assert found("@label is my spam") == found("@prob:my spam > 0.5") == spam
    assert found("@label is ham") == [key for key in every if key not in spam]
    assert found("@label is ham", "@prob:ham > 0.7") == []
