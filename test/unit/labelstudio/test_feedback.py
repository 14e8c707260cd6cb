"""Words that annotators marked and what they wrote: kept beside their labels, counted by class."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.feedback import annotators_in, hints
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotations import Annotations, collect
from labelstudio.annotator_agreement import annotator_agreement
from labelstudio.export import parse_export
from labelstudio.process_annotations import process_annotations, summary

Json = dict[str, Any]
CAT, DOG = {"class": "cat", "column": "txt"}, {"class": "dog", "column": "txt"}


def chosen(*names: str) -> Json:
    return {"from_name": "label", "to_name": "txt", "type": "choices", "value": {"choices": list(names)}}


def marked(text: str, name: str, **other: Any) -> Json:
    value = {"start": 3, "end": 9, "text": text, "labels": [name]}
    return {"from_name": "words_in_txt", "to_name": "txt", "type": "labels", "value": value} | other


def wrote(*lines: str) -> Json:
    return {"from_name": "what_decided", "to_name": "txt", "type": "textarea", "value": {"text": list(lines)}}


@pytest.fixture
def tasks(exported: Any, annotation: Any) -> list[Json]:
    """Two annotators, of whom the second says less; words of cats, dogs and wings."""
    return [
        exported(
            "01",
            annotation(
                3,
                result=[
                    marked("Purrs", "cat"),
                    chosen("cat"),
                    wrote("the sound it makes"),
                    marked("bark", "dog"),
                ],
            ),
            annotation(4, result=[chosen("cat", "dog"), marked("purrs ", "cat")]),
        ),
        exported("02", annotation(3, result=[chosen("cat"), marked("purrs", "cat"), wrote("the whiskers")])),
        exported(
            "03", annotation(4, result=[chosen("dog"), wrote("the leash", "a Leash!")]), annotation(3, "NONE")
        ),
    ]


def read(tasks: list[Json], task: Any) -> Annotations:
    return collect(parse_export(tasks, "here"), task, "here")


def test_words_and_comments_stand_beside_the_labels(tasks: list[Json], make_task: Any) -> None:
    found = read(tasks, make_task())
    frame = found.frame()
    people = [f"{name}{what}" for name in "34" for what in ("_words", "_comment")]
    assert list(frame.columns) == ["table_name", "id", "3", "4", *people]
    assert frame["3"].tolist() == [["cat"], ["cat"], []]
    assert frame["3_words"].tolist() == [
        [CAT | {"text": "Purrs"}, DOG | {"text": "bark"}], [CAT | {"text": "purrs"}], None,
    ]  # fmt: skip
    assert frame["3_comment"].tolist() == ["the sound it makes", "the whiskers", None]
    assert frame["4_words"].tolist() == [[CAT | {"text": "purrs "}], None, None]
    assert frame["4_comment"].tolist() == [None, None, "the leash\na Leash!"]
    assert annotators_in(frame) == ["3", "4"]
    assert not found.counts["other_results"]


def test_an_annotation_without_them_is_as_before(exported: Any, annotation: Any, make_task: Any) -> None:
    # Controls that somebody added by hand are left out, whatever they hold.
    by_hand = [chosen("cat"), marked("purrs", "x", from_name="mine"), wrote("so") | {"from_name": "note"}]
    found = read([exported("01", annotation(3, result=by_hand))], make_task())
    assert list(found.frame().columns) == ["table_name", "id", "3"]
    assert found.counts["other_results"] == 2


def test_what_counts_is_said_beside_the_label_that_counts(
    exported: Any, annotation: Any, make_task: Any
) -> None:
    before = annotation(3, result=[chosen("dog"), wrote("a first thought")])
    after = annotation(3, result=[chosen("cat"), marked("\ud83d", "cat"), marked("purrs", "lion")])
    without = annotation(
        4, result=[marked("cat", "cat"), wrote("cat")]
    )  # no choice: about none of the classes
    found = read([exported("01", before, after, without)], make_task())
    frame = found.frame()
    assert frame["3_comment"].tolist() == [None]
    assert frame["3_words"].tolist() == [[CAT | {"text": "?"}]]  # half a character, which no file takes
    assert (found.counts["unknown_marks"], found.counts["without_choice"]) == (1, 1)
    assert (frame["4"].tolist(), frame["4_comment"].tolist()) == ([[]], ["cat"])


def test_the_words_of_each_class(tasks: list[Json], make_task: Any) -> None:
    found = hints(read(tasks, make_task()).frame(), make_task())
    rows = [
        (
            row["class"],
            row["word"],
            row["points"],
            row["marked"],
            row["commented"],
            row["annotators"],
            row["id"],
        )
        for row in found.to_dict("records")
    ]
    # "the" is in all comments. Of "cat" there are two comments, of "dog" one.
    assert rows == [
        ("cat", "purrs", 2, 2, 0, 2, "01"),
        *(("cat", word, 1, 0, 1, 1, "01") for word in ("it", "makes", "sound")),
        ("cat", "whiskers", 1, 0, 1, 1, "02"),
        ("dog", "bark", 1, 1, 0, 1, "01"),
        *(("dog", word, 1, 0, 1, 1, "03") for word in ("Leash", "a")),
    ]


def test_words_follow_a_change_of_the_classes(exported: Any, annotation: Any, make_task: Any) -> None:
    before = make_task(classes="cat hound puss old")
    becomes = {"hound": ["dog"], "puss": ["cat"], "old": []}
    change = {"date": "2026-11-26", "before": before.class_names, "becomes": becomes}
    after = Task.model_validate({"classes": ["cat", "dog"], "setting": "multilabel", "name": "zoo", "class_changes": [change]})  # fmt: skip
    results = [
        marked("purrs", "puss"),
        marked("barks", "hound"),
        marked("so", "old"),
        chosen("hound"),
        wrote("ears"),
    ]
    tasks = [exported("01", annotation(3, result=results))]
    found = read(tasks, after)
    assert [(mark.class_name, mark.text) for mark in found.labels[0].marks] == [
        ("cat", "purrs"),
        ("dog", "barks"),
    ]
    assert found.counts["unknown_marks"] == 1
    # Annotations that were read before the change say the same.
    words = hints(read(tasks, before).frame(), after)[["class", "word"]].to_numpy().tolist()
    assert words == [["cat", "purrs"], ["dog", "barks"], ["dog", "ears"]]


def test_files_summary_and_agreement(
    tasks: list[Json], make_task: Any, write_export: Any, project: Project
) -> None:
    tasks[1]["annotations"][0]["completed_by"] = 4
    done = process_annotations(project, make_task(), Path(write_export(tasks)), "majority")
    lines = summary(done)
    at = lines.index("3 comments and 4 marked words; by class, with how many points they were met on:")
    assert lines[at + 1 : at + 3] == [
        "  cat: purrs 2, it 1, makes 1, sound 1, whiskers 1", "  dog: bark 1, Leash 1, a 1",
    ]  # fmt: skip
    ann_df = read_frame(done.folder / "ann_df.parquet")
    pd.testing.assert_frame_equal(hints(ann_df, make_task()), done.hints)
    assert annotator_agreement(project, make_task()).points == 3


WORDS = st.lists(st.sampled_from(["Purr", "purr", "the", "ß", "👍"]), max_size=4)
ANSWERS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), WORDS, WORDS), min_size=1, max_size=6)


@given(ANSWERS)
def test_counts_never_exceed_what_was_said(answers: list[tuple[str | None, list[str], list[str]]]) -> None:
    keys = pd.DataFrame({"table_name": "t", "id": [str(i) for i in range(len(answers))]})
    labels = [[label] if label else [] for label, _, _ in answers]
    marks = [[{"class": "a", "column": "c", "text": word} for word in words] for _, words, _ in answers]
    said = [" ".join(words) or None for _, _, words in answers]
    cells = {"1": labels, "1_words": marks, "1_comment": said}
    frame = keys.assign(**{name: pd.Series(cell, dtype=object) for name, cell in cells.items()})
    found = hints(frame, Task(classes=["a", "b"]))
    assert not found.duplicated(["class", "word"]).any()
    for row in found.to_dict("records"):
        word = row["word"].lower()
        with_mark = {i for i, (_, words, _) in enumerate(answers) if word in map(str.lower, words)}
        assert row["marked"] == (len(with_mark) if row["class"] == "a" else 0)
        assert row["points"] >= max(row["marked"], row["commented"]) >= 1
        assert row["points"] <= row["marked"] + row["commented"]
        assert row["annotators"] == 1
