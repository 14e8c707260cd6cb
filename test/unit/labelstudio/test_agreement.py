"""The whole measurement on a few points worked out by hand, and its report."""

import builtins
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adaptml.errors import AnnotationError, TaskError
from labelstudio.agreement import Agreement, measure_agreement
from labelstudio.agreement_report import as_text
from labelstudio.alpha import Alpha
from labelstudio.breakdown import ClassAgreement, Confusion, DisputedPoint
from labelstudio.verdict import Verdict

L, R = "left-wing", "right-wing"


def frame(**annotators: Sequence[list[str] | None]) -> pd.DataFrame:
    n = len(next(iter(annotators.values())))
    columns = {name.strip("_"): pd.Series(list(cells), dtype=object) for name, cells in annotators.items()}
    return pd.DataFrame({"table_name": "posts", "id": [f"{i:02}" for i in range(n)]} | columns)


def test_multiclass_by_hand(make_task: Any) -> None:
    found = measure_agreement(frame(_3=[["cat"], ["cat"], ["dog"], [L]], _4=[["cat"], ["dog"], ["dog"], None]),
                      make_task("multiclass"), 0)  # fmt: skip
    assert found.measure == "nominal"
    assert list(found.alphas) == ["nominal"]
    assert found.alpha.value == pytest.approx(4 / 9)  # as in test_alpha
    assert (found.points, found.compared) == (4, 3)
    assert found.verdict is Verdict.UNDEFINED
    (pair,) = found.pairs
    assert (pair.annotators, pair.points) == (("3", "4"), 3)
    assert pair.agreement == pytest.approx(2 / 3)
    assert pair.alpha == pytest.approx(4 / 9)
    for person in found.annotators:
        assert (person.points, person.alpha_without) == (3, None)
        assert person.alpha == pytest.approx(4 / 9)
    assert found.confusions == [Confusion((["cat"], ["dog"]), 1)]
    assert found.disputed == [DisputedPoint("posts", "01", 1.0, {"3": ["cat"], "4": ["dog"]})]


def test_classes_worst_first_and_never_cut_at_a_hyphen(make_task: Any) -> None:
    # left-wing and right-wing share a word, not a class: all points differ.
    found = measure_agreement(frame(_1=[[L], [R], ["cat"]], _2=[[R], [L], ["cat"]]), make_task(), 0)
    by_name = {c.name: c for c in found.classes}
    assert [c.name for c in found.classes] == [L, R, "cat", "dog"]
    assert (by_name[L].chosen, by_name[L].disputed) == (2, 2)
    # present or absent: n = 6, D_o = 4/6, 2 present and 4 absent: D_e = 2·2·4/30; alpha = 1 - 20/16
    assert by_name[L].alpha.value == pytest.approx(-0.25)
    assert by_name["cat"].alpha.value == 1.0
    assert (by_name["cat"].chosen, by_name["cat"].disputed) == (1, 0)
    assert by_name["dog"] == ClassAgreement("dog", Alpha(None), 0, 0)
    assert [p.distance for p in found.disputed] == [1.0, 1.0]


def test_perfect_agreement_on_label_sets(make_task: Any) -> None:
    sets = [[L, R], ["cat"], [], ["dog", "cat"]]
    found = measure_agreement(frame(_1=sets * 8, _2=[list(reversed(s)) for s in sets * 8]), make_task(), 0)
    assert {name: a.value for name, a in found.alphas.items()} == {"masi": 1.0, "nominal": 1.0}
    assert found.verdict is Verdict.RELY
    assert found.disputed == []
    assert found.confusions == []


def test_the_one_who_differs_is_found(make_task: Any) -> None:
    truth = [["cat"], ["dog"], [L], [R]] * 3
    contrary = [["dog"], ["cat"], [R], [L]] * 3
    found = measure_agreement(frame(_1=truth, _2=truth, _3=contrary), make_task("multiclass"), 0)
    worst = found.annotators[0]
    assert (worst.name, worst.agreement, worst.alpha_without) == ("3", 0.0, 1.0)
    assert [p.annotators for p in found.pairs] == [("1", "3"), ("2", "3"), ("1", "2")]
    assert found.annotators[1].agreement == 0.5


def test_points_that_some_missed_are_compared(make_task: Any) -> None:
    found = measure_agreement(
        frame(_1=[["cat"], ["dog"], None, None], _2=[["cat"], None, ["dog"], None], _3=[None, ["dog"], ["dog"], ["cat"]]),
        make_task("multiclass"), 0,
    )  # fmt: skip
    assert (found.points, found.compared, found.alpha.value) == (4, 3, 1.0)
    assert [p.points for p in found.pairs] == [1, 1, 1]
    assert [c.alpha.value for c in found.classes] == [1.0, 1.0, None, None]


def test_an_annotator_is_judged_on_own_points_only(make_task: Any) -> None:
    # n = 6, four cats and two dogs: D_e = 2·4·2/30 = 8/15. Annotator 3 labelled one point and differs there;
    # annotator 2 differs on one of two, annotator 1 on two of three.
    data = frame(_1=[["cat"]] * 3, _2=[["dog"], ["cat"], None], _3=[None, None, ["dog"]])
    found = {a.name: a for a in measure_agreement(data, make_task("multiclass"), 0).annotators}
    assert [found[name].points for name in "123"] == [3, 2, 1]
    assert [found[name].agreement for name in "123"] == [pytest.approx(1 / 3), 0.5, 0.0]
    apart = [2 / 3, 1 / 2, 1]
    assert [found[name].alpha for name in "123"] == pytest.approx([1 - d * 15 / 8 for d in apart])


def test_everyone_always_the_same(make_task: Any) -> None:
    found = measure_agreement(frame(_1=[["cat"]] * 3, _2=[["cat"]] * 3), make_task("multiclass"), 0)
    assert found.alpha == Alpha(None)
    assert found.verdict is Verdict.UNDEFINED
    assert "undefined" in as_text(found)
    assert found.annotators[0].alpha is None


def test_nobody_to_compare_with(make_task: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        measure_agreement(frame(_1=[["cat"], None], _2=[None, ["cat"]]), make_task(), 0)
    assert str(error.value) == (
        "none of 2 points of task 'zoo' has labels of two annotators; "
        "agreement compares people: let a second person annotate the same points"
    )


def test_classes_that_the_task_has_no_more(make_task: Any) -> None:
    with pytest.raises(TaskError, match="newt"):
        measure_agreement(frame(_1=[["newt"]], _2=[["cat"]]), make_task(), 0)


cells = st.none() | st.lists(st.sampled_from(["cat", "dog", L, R]), unique=True)


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cells, cells, cells), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_order_changes_nothing(make_task: Any, points: list[Any], random: Any) -> None:
    data = frame(_1=[p[0] for p in points], _2=[p[1] for p in points], _3=[p[2] for p in points])
    columns = ["1", "2", "3"]
    random.shuffle(columns)
    shuffled = data.sample(frac=1, random_state=random.randrange(100))[["table_name", "id", *columns]]
    if (data[["1", "2", "3"]].notna().sum(axis=1) >= 2).any():
        first, second = (rounded(measure_agreement(d, make_task(), 5)) for d in (data, shuffled))
        assert first == second


def rounded(found: Agreement) -> Any:
    return json.loads(json.dumps(asdict(found)), parse_float=lambda text: round(float(text), 9))


def test_report_aligns_and_shows_what_to_fix(make_task: Any) -> None:
    said = {"_1": [["cat"], [L], ["dog"]] * 10, "_2": [["cat"], [R], []] * 10}
    text = as_text(measure_agreement(frame(**said), make_task(), 0))
    lines = text.splitlines()
    assert lines[0] == "Agreement of annotators, task zoo (multilabel)"
    assert lines[1].startswith("Verdict: start again. alpha = ")
    assert "30 of 30 labelled points have two or more annotators; all metrics rest on them." in lines
    assert "10 more in agreement.json" in lines
    assert any(line.startswith("│ none | dog") for line in lines)
    assert any("1: left-wing; 2: right-wing" in line for line in lines)
    for line in lines:
        assert len(line) <= 100
        if line.startswith(("│", "┃")):
            assert line.endswith(("│", "┃"))


def test_names_are_not_read_as_markup(make_task: Any) -> None:
    task = make_task("multiclass", "[bold] [/red]")
    text = as_text(
        measure_agreement(frame(_1=[["[bold]"], ["[/red]"]], _2=[["[bold]"], ["[bold]"]]), task, 0)
    )
    assert "│ [/red]" in text
    assert "1: [/red]; 2: [bold]" in text


def test_the_report_is_a_text_in_a_notebook_too(make_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, rich shows what a console is told instead of writing it, unless it is told not to."""
    found = measure_agreement(frame(a=[["cat"], ["dog"]], b=[["cat"], ["cat"]]), make_task(), 0)
    elsewhere = as_text(found)

    class ZMQInteractiveShell:
        """By the name of its class, rich knows a notebook."""

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    assert as_text(found) == elsewhere
