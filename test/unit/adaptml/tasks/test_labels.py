"""The votes that a task's labelling functions may cast."""

import pickle

import pytest

from adaptml.tasks import ABSTAIN, Labels, Task

LABELS = Task(classes=["ham", "check out"]).labels


def test_a_class_is_an_attribute_an_item_and_a_number() -> None:
    assert (LABELS.ABSTAIN, LABELS.ham, LABELS["check out"]) == (ABSTAIN, 0, 1)
    assert (LABELS.ham.name, LABELS(1).name, LABELS.ham.value) == ("ham", "check out", 0)
    assert [(label.name, int(label)) for label in LABELS] == [("ABSTAIN", -1), ("ham", 0), ("check out", 1)]
    assert (len(LABELS), 1 in LABELS, 2 in LABELS) == (3, True, False)


def test_a_copy_is_equal() -> None:
    copy = pickle.loads(pickle.dumps(LABELS))
    assert [(label.name, int(label)) for label in copy] == [(label.name, int(label)) for label in LABELS]


def test_a_class_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no class 'spma'; the classes are ham, check out"):
        LABELS.spma  # noqa: B018
    with pytest.raises(KeyError, match="no class 'spma'; the classes are ham, check out"):
        LABELS["spma"]
    with pytest.raises(ValueError, match="no class 7; expected -1 to 1"):
        LABELS(7)


def test_names_of_pythons_own() -> None:
    labels = Labels(["mro", "_other_", "__other__", "count", "__class__"])
    assert [labels[name] for name in ("mro", "_other_", "__other__", "count", "__class__")] == [0, 1, 2, 3, 4]
    assert (labels.mro, labels._other_, labels.__other__, labels.count) == (0, 1, 2, 3)


def test_a_name_of_before_is_a_vote_for_the_class_of_now() -> None:
    was = {"date": "2026-11-26", "before": ["cat", "kitten", "wolf"], "becomes": {"kitten": ["cat"], "wolf": ["dog", "fox"]}}  # fmt: skip
    labels = Task(classes=["cat", "dog", "fox"], class_changes=[was]).labels
    copy = pickle.loads(pickle.dumps(labels))
    for votes in (labels, copy):
        assert (votes.kitten, votes["kitten"].name, len(votes)) == (0, "cat", 4)
        assert [vote.name for vote in votes] == ["ABSTAIN", "cat", "dog", "fox"]
        with pytest.raises(AttributeError, match="no class 'wolf'; the classes are cat, dog, fox"):
            votes.wolf  # noqa: B018
