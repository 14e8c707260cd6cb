"""Gold labels by hand, for every choice."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adaptml.errors import AnnotationError
from labelstudio.annotations import Annotations, Label
from labelstudio.gold import Gold, GoldOptions, choose_gold

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLASSES = {"c": "cat", "d": "dog", "l": "left-wing", "r": "right-wing"}


def annotations(**points: str) -> Annotations:
    """`annotations(p1="c cd -")`: annotators 1, 2, 3 say cat, cat and dog, nothing; `0` is no class."""
    labels = [
        Label(("posts", key), str(i), tuple(CLASSES[c] for c in word if c in CLASSES), NOW, i)
        for key, words in points.items()
        for i, word in enumerate(words.split(), start=1)
        if word != "-"
    ]
    return Annotations(tuple(("posts", key) for key in points), tuple(labels), Counter())


@pytest.fixture
def choose(make_task: Any) -> Any:
    def run(said: Annotations, choice: str, per_class: bool = False, seed: int = 0) -> Gold:
        return choose_gold(said, make_task(), GoldOptions(choice, per_class, seed))

    return run


def labels(gold: Gold) -> dict[str, str]:
    short = {name: letter for letter, name in CLASSES.items()}
    return {
        key: "".join(short[name] for name in label)
        for key, label in zip(gold.frame["id"], gold.frame["gold_label"], strict=True)
    }


SAID = {
    "agreed": "cd cd -",
    "most": "c c d",
    "tie": "c d -",
    "three": "c d l",
    "alone": "- r -",
    "none": "0 0 c",
}


def test_majority_drops_ties(choose: Any) -> None:
    gold = choose(annotations(**SAID), "majority")
    assert labels(gold) == {"agreed": "cd", "most": "c", "alone": "r", "none": ""}
    assert (gold.dropped, gold.single, gold.settled, gold.why_dropped) == (2, 1, 0, "ties")


def test_a_tie_of_the_leaders_is_a_tie(choose: Any) -> None:
    # cat and dog lead with two votes each: a third opinion does not settle it
    with pytest.raises(AnnotationError) as error:
        choose(annotations(p="c c d d l"), "majority")
    assert str(error.value) == (
        "gold choice 'majority' leaves none of 1 labelled points: annotators disagree on all; "
        "choose random or an annotator's id, or annotate again"
    )


def test_drop_keeps_what_all_say(choose: Any) -> None:
    gold = choose(annotations(**SAID), "drop")
    assert labels(gold) == {"agreed": "cd", "alone": "r"}
    assert (gold.dropped, gold.why_dropped) == (4, "annotators differ")


def test_random_settles_ties_by_the_seed_among_the_leaders(choose: Any) -> None:
    drawn = [choose(annotations(**SAID), "random", seed=seed) for seed in range(30)]
    assert all(labels(gold)["most"] == "c" and gold.settled == 2 and gold.dropped == 0 for gold in drawn)
    assert {labels(gold)["tie"] for gold in drawn} == {"c", "d"}
    assert {labels(gold)["three"] for gold in drawn} == {"c", "d", "l"}
    assert labels(choose(annotations(**SAID), "random", seed=7)) == labels(drawn[7])


def test_random_does_not_depend_on_who_said_what(choose: Any) -> None:
    for seed in range(10):
        one, other = (choose(annotations(p=words), "random", seed=seed) for words in ("c d l", "l c d"))
        assert labels(one) == labels(other)


def test_an_annotator_alone(choose: Any) -> None:
    gold = choose(annotations(**SAID), "2")
    assert labels(gold) == {"agreed": "cd", "most": "c", "tie": "d", "three": "d", "alone": "r", "none": ""}
    assert (gold.dropped, gold.single) == (0, 1)
    gold = choose(annotations(**SAID), "3")
    assert (gold.dropped, gold.why_dropped) == (3, "annotator 3 did not label them")


def test_majority_per_class(choose: Any) -> None:
    said = annotations(sets="c cd cl", tie="cd c -", none="0 d l", alone="- cr -")
    gold = choose(said, "majority", per_class=True)
    assert labels(gold) == {"sets": "c", "none": "", "alone": "cr"}
    assert gold.dropped == 1
    assert "sets" not in labels(choose(said, "majority"))


def test_a_misspelt_choice(choose: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        choose(annotations(**SAID), "mayority")
    assert str(error.value) == (
        "gold choice 'mayority' does not exist; expected majority, random, drop, dawid-skene, ground-truth "
        "or an annotator's id: 1, 2, 3"
    )


def test_per_class_is_for_majority_of_label_sets(choose: Any, make_task: Any) -> None:
    expected = "it is for majority in multilabel tasks: leave it out"
    with pytest.raises(AnnotationError, match=f"'drop' and task 'zoo' is multilabel; {expected}"):
        choose(annotations(**SAID), "drop", per_class=True)
    with pytest.raises(AnnotationError, match=f"'majority' and task 'zoo' is multiclass; {expected}"):
        choose_gold(annotations(p="c c"), make_task("multiclass"), GoldOptions("majority", per_class=True))


def test_ground_truth_takes_what_is_marked(choose: Any) -> None:
    said = annotations(**SAID)
    marked = {("most", "3"), ("agreed", "1"), ("tie", "1"), ("tie", "2")}
    flagged = [replace(v, ground_truth=(v.key[1], v.annotator) in marked) for v in said.labels]
    gold = choose(replace(said, labels=tuple(flagged)), "ground-truth")
    assert labels(gold) == {"agreed": "cd", "most": "d"}  # two marked ones of `tie` differ
    assert (gold.dropped, gold.why_dropped) == (
        4, "no annotation is marked as ground truth, or those that are differ",
    )  # fmt: skip


def test_ground_truth_that_nobody_marked(choose: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        choose(annotations(**SAID), "ground-truth")
    assert str(error.value) == (
        "gold choice 'ground-truth': none of 14 annotations is marked as ground truth; "
        "mark some in Label Studio (the star beside an annotation), or choose otherwise"
    )
