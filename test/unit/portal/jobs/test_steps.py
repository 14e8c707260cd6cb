"""Which commands may be a job, and that no value becomes an option."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.cli.app import STEPS as COMMANDS
from portal.jobs.job import JobError
from portal.jobs.steps import STEPS, order, room_of, step_of, task_of


def test_every_step_is_a_command() -> None:
    assert {name.split()[0] for name in STEPS} <= set(COMMANDS)


@pytest.mark.parametrize(
    "argv",
    [
        [], ["up"], ["serve"], ["jobs", "start", "label", "spam"], ["worker"], ["backup", "x"], ["--help"],
        ["task", "new", "spam"], ["label\0", "spam"], ["sh", "-c", "id"], ["label", "a\0b"],
    ],
)  # fmt: skip
def test_what_is_no_step_cannot_be_a_job(argv: list[str]) -> None:
    with pytest.raises(JobError, match="cannot be a job; expected one of import, forget"):
        step_of(argv)


def test_words_without_end_cannot_be_a_job() -> None:
    with pytest.raises(JobError, match="too long; expected 100,000 bytes at most"):
        step_of(["label", "x" * 100_001])


@pytest.mark.parametrize(
    ("argv", "task", "room"),
    [
        (["label", "spam", "--data", "t"], "spam", "labelling"),
        (["label", "--data=t", "--", "spam"], "spam", "labelling"),
        (["train", "spam", "--keep"], "spam", "portal"),
        (["task", "check", "spam"], "spam", "labelling"),
        (["annotate", "push", "--", "spam"], "spam", "annotation"),
        (["import", "a.csv", "t"], "", "labelling"),
        (["deploy", "multiclass_spam"], "", "modelling"),
        (["label", "--data", "t", "spam"], "", "labelling"),
        (["run", "spam"], "spam", "portal"),
    ],
)
def test_the_words_say_the_task_and_the_room(argv: list[str], task: str, room: str) -> None:
    assert (task_of(argv), room_of(argv)) == (task, room)


typed = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(typed, typed, st.lists(typed, max_size=3))
def test_no_value_becomes_an_option(name: str, data: str, classes: list[str]) -> None:
    words = order("task check", name, data=data, rename=classes, write=True, seed=3, fresh=False, gold=None)
    expected = [f"--data={data}", *(f"--rename={one}" for one in classes), "--write", "--seed=3"]
    assert words == ["task", "check", *expected, "--", name]
