import datetime

import pytest

from adaptml.errors import TaskError
from adaptml.tasks import Task
from adaptml.tasks.class_edits import ClassEdits, plan_classes

DAY = datetime.date(2026, 11, 26)
TASK = Task(
    name="animals",
    classes=["cat", "dog", "bird", "fish"],
    class_changes=[{"date": "2026-11-01", "before": ["feline", "dog", "bird", "fish"], "becomes": {"feline": ["cat"]}}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "names", "becomes"),
    [
        (ClassEdits(rename={"dog": "hound"}), ["cat", "hound", "bird", "fish"], {"dog": ("hound",)}),
        (ClassEdits(rename={"cat": "feline"}), ["feline", "dog", "bird", "fish"], {"cat": ("feline",)}),
        (ClassEdits(merge={"pet": ["fish", "cat"]}), ["pet", "dog", "bird"], {"cat": ("pet",), "fish": ("pet",)}),
        (ClassEdits(merge={"fish": ["fish", "cat"]}), ["dog", "bird", "fish"], {"cat": ("fish",), "fish": ("fish",)}),
        (ClassEdits(merge={"bird": ["fish"]}), ["cat", "dog", "bird"], {"fish": ("bird",)}),
        (ClassEdits(split={"dog": ["wolf", "pup"]}), ["cat", "wolf", "pup", "bird", "fish"], {"dog": ("wolf", "pup")}),
        (ClassEdits(split={"dog": ["bird", "pup"]}), ["cat", "bird", "pup", "fish"], {"dog": ("bird", "pup")}),
        (ClassEdits(add=["x", "a"], drop=["dog"]), ["cat", "bird", "fish", "x", "a"], {"dog": ()}),
    ],
)  # fmt: skip
def test_classes_keep_their_places(
    edits: ClassEdits, names: list[str], becomes: dict[str, tuple[str, ...]]
) -> None:
    plan = plan_classes(TASK, edits, DAY)
    assert plan.names == names
    assert plan.change.becomes == becomes
    assert plan.change.before == ("cat", "dog", "bird", "fish")
    texts = [one.written_as for one in plan.classes if one.written_as]
    assert texts == [name for name in TASK.class_names if name in texts]


def test_the_positive_class_stays_positive_as_long_as_there_are_two() -> None:
    task = Task(classes=["ham", "spam"], positive="spam")
    assert plan_classes(task, ClassEdits(rename={"spam": "junk"}), DAY).positive == "junk"
    assert plan_classes(task, ClassEdits(rename={"ham": "good"}), DAY).positive == "spam"
    for gone in (ClassEdits(add=["news"]), ClassEdits(split={"spam": ["a", "b"]}, drop=["ham"])):
        assert plan_classes(task, gone, DAY).positive is None


@pytest.mark.parametrize(
    ("edits", "facts"),
    [
        (ClassEdits(drop=["wolf"]), ["'wolf' is no class of task 'animals' and never was", "cat, dog, bird, fish"]),
        (ClassEdits(rename={"feline": "x"}), ["'feline' is no class", "is now 'cat'"]),
        (ClassEdits(rename={"dog": "x"}, drop=["dog"]), ["dog would become two things"]),
        (ClassEdits(rename={"dog": "cat"}), ["'dog' cannot be renamed to 'cat'", "--merge dog,cat=cat"]),
        (ClassEdits(merge={"hound": ["dog"]}), ["dog alone is no merge", "--rename dog=hound"]),
        (ClassEdits(split={"dog": ["pup", "pup"]}), ["'dog' split into pup, pup is no split", "two names"]),
        (ClassEdits(split={"dog": ["dog", "pup"]}), ["'dog' would mean two things", "take a name that the task never had", "--undo"]),
        (ClassEdits(rename={"dog": "bird", "bird": "dog"}), ["'dog' cannot be renamed to 'bird'"]),
        (ClassEdits(rename={"dog": "feline"}), ["'feline' would mean two things: until 2026-11-01 what is now 'cat', and later 'feline'"]),
        (ClassEdits(add=["cat"]), ["cat is a class already"]),
        (ClassEdits(add=["x"], rename={"dog": "x"}), ["x is a class already or would be made twice"]),
        (ClassEdits(drop=["cat", "dog", "bird"]), ["2 to 127 classes; given 1"]),
        (ClassEdits(rename={"dog": "NONE"}), ["NONE is reserved"]),
        (ClassEdits(add=["<b>"]), ["1 to 80 characters", "'<b>'"]),
    ],
)  # fmt: skip
def test_changes_that_cannot_be_made(edits: ClassEdits, facts: list[str]) -> None:
    with pytest.raises(TaskError) as caught:
        plan_classes(TASK, edits, DAY)
    assert "\n" not in str(caught.value)
    for fact in facts:
        assert fact in str(caught.value)
