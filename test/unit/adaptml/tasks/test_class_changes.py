from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adaptml.errors import TaskError
from adaptml.tasks import Now, Task, parse_task


def change(before: list[str], becomes: dict[str, list[str]], day: int = 1) -> dict[str, Any]:
    return {"date": f"2026-11-{day:02}", "before": before, "becomes": becomes}


def test_labels_of_any_time_are_read_in_the_names_of_now() -> None:
    task = Task(
        classes=["feline", "dog", "wolf", "bird"],
        setting="multilabel",
        class_changes=[
            change(["cat", "kitten", "canine", "fish"], {"cat": ["feline"], "kitten": ["feline"]}, 1),
            change(["feline", "canine", "fish"], {"canine": ["dog", "wolf"], "fish": []}, 2),
        ],
    )
    assert task.now(["kitten", "cat"]) == Now(("feline",))
    assert task.now(["fish"]) == Now(())
    assert task.now(["bird", "feline"]) == Now(("feline", "bird"))
    assert task.now(["canine", "cat"]) == Now(("feline",), ("canine",))
    assert task.now(["unheard", "bird"]) == Now(("bird", "unheard"))
    assert task.class_lists[1:] == [["feline", "canine", "fish"], ["cat", "kitten", "canine", "fish"]]


def test_in_a_multiclass_task_nothing_else_takes_the_place_of_a_class_that_was_dropped() -> None:
    task = Task(classes=["cat", "dog"], class_changes=[change(["cat", "dog", "fish"], {"fish": []})])
    assert task.now(["fish"]) == Now((), ("fish",))
    assert task.now(["fish", "dog"]) == Now(("dog",))
    assert task.now([]) == Now(())
    assert task.now(["unheard"]) == Now(("unheard",))


def test_a_split_is_decided_when_its_parts_are_merged_and_not_when_one_is_dropped() -> None:
    split = change(["cat", "dog"], {"dog": ["hound", "pup"]}, 1)
    merged = change(["cat", "hound", "pup"], {"hound": ["canine"], "pup": ["canine"]}, 2)
    dropped = change(["cat", "hound", "pup"], {"pup": []}, 2)
    assert Task(classes=["cat", "canine"], class_changes=[split, merged]).now(["dog"]) == Now(("canine",))
    assert Task(classes=["cat", "hound"], class_changes=[split, dropped]).now(["dog"]) == Now((), ("dog",))


def test_a_class_can_be_renamed_back() -> None:
    there = change(["cat", "dog"], {"dog": ["hound"]}, 1)
    back = change(["cat", "hound"], {"hound": ["dog"]}, 2)
    task = Task(classes=["cat", "dog"], class_changes=[there, back])
    assert [task.now([name]).labels for name in ("dog", "hound")] == [("dog",), ("dog",)]


@pytest.mark.parametrize(
    ("classes", "changes", "facts"),
    [
        (["cat", "dog"], [change(["cat", "pup"], {"pup": ["hound"]})], ["2026-11-01", "leads to hound", "classes after it are cat, dog", "`becomes`"]),
        (["cat", "dog"], [change(["cat", "pup"], {})], ["leads to pup", "cat, dog"]),
        (["cat", "dog"], [change(["cat", "dog"], {"pup": ["dog"]})], ["becomes names pup; expected names in before"]),
        (["cat", "dog"], [change(["cat", "cat"], {})], ["before has a name that is duplicated"]),
        (["dog", "pup"], [change(["dog", "cat"], {"dog": ["dog", "pup"], "cat": []})], ["'dog' would mean two things", "2026-11-01", "'dog' or 'pup'", "take a name", "--undo"]),
        (["cat", "dog"], [change(["cat", "dog"], {"cat": ["dog"], "dog": ["cat"]})], ["'cat' would mean two things"]),
        (["cat", "dog"], [change(["cat", "dog"], {"dog": []}, 1), change(["cat", "bird"], {"bird": []}, 2)], ["'dog' would mean two things", "no class, and later 'dog'"]),
        (["cat", "dog"], [{"date": "2026-13-01", "before": ["cat", "pup"]}], ["date"]),
        (["cat", "dog"], [{"date": "2026-11-01", "before": ["cat", "dog"], "after": []}], ["after", "unknown key"]),
    ],
)  # fmt: skip
def test_changes_that_do_not_fit_are_told(classes: list[str], changes: list[Any], facts: list[str]) -> None:
    with pytest.raises(ValidationError):
        Task(classes=classes, class_changes=changes)
    content = f"title: abc\nsetting: multilabel\nclasses: {classes}\nclass_changes: {changes}\ncolumns: [{{name: x}}]\nlf_features: [x]\nfeatures: [x]\n"
    with pytest.raises(TaskError) as caught:
        parse_task(content, Path("t"), "t/task.yaml")
    for fact in ["class_changes", *facts]:
        assert fact in str(caught.value)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str], dict[str, set[str | None]]]:
    """Changes in which every new name is new, the classes of now, and what each name came to, step by step."""
    fresh = (f"c{number}" for number in count())
    present = [next(fresh) for _ in range(draw(st.integers(2, 4)))]
    came_to: dict[str, set[str | None]] = {name: {name} for name in present}
    changes = []
    for day in range(1, draw(st.integers(1, 4)) + 1):
        becomes: dict[str, list[str]] = {}
        for name in present:
            kind = draw(st.sampled_from(["stay", "rename", "split", "drop", "merge"]))
            if kind != "stay":
                n = {"rename": 1, "split": 2, "drop": 0, "merge": 1}[kind]
                becomes[name] = [next(fresh) for _ in range(n)] if kind != "merge" else [present[0]]
        becomes.pop(present[0], None)
        added = [next(fresh) for _ in range(2)]
        changes.append(change(present, becomes, day))
        present = list(dict.fromkeys(t for name in present for t in becomes.get(name, [name]))) + added
        came_to |= {name: {name} for name in present if name not in came_to}
        for name, reached in came_to.items():
            came_to[name] = {
                later
                for one in reached
                for later in ([None] if one is None else becomes.get(one, [one]) or [None])
            }
    return changes, present, came_to


@given(histories())
def test_the_meaning_of_a_name_is_what_it_came_to_step_by_step(history: Any) -> None:
    changes, present, came_to = history
    task = Task(classes=present, setting="multilabel", class_changes=changes)
    for name, reached in came_to.items():
        now = task.now([name])
        assert (now.undecided == (name,)) == (len(reached) > 1)
        if len(reached) == 1:
            assert set(now.labels) == reached - {None}
            assert task.now(now.labels) == now
