"""Calibration, counted by hand."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.calibration import Bin, Calibration, Reliability, reliability
from adaptml.reports.calibration import calibration_section
from adaptml.reports.html import joined
from adaptml.tasks import MULTICLASS, MULTILABEL

NAMES = ["ham", "spam"]
Y = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.int8)
P = np.array([[0.95, 0.05], [0.3, 0.7], [0.25, 0.75], [0.0, 1.0]])


def counted(found: Calibration) -> list[tuple[float, int, float, int]]:
    return [(one.low, one.n, round(one.mean, 6), one.true) for one in found.bins]


def shown(found: Reliability | None) -> str:
    return joined(part for part in calibration_section(found) if part)


def test_multiclass_claims_the_most_probable_class() -> None:
    found = reliability(MULTICLASS, NAMES, Y, P).overall
    assert counted(found) == [(0.7, 2, 0.725, 1), (0.9, 2, 0.975, 2)]
    assert found.error == pytest.approx((2 * (0.725 - 0.5) + 2 * (1 - 0.975)) / 4)
    assert found.sentence.startswith("On average 0.850 was said and 0.750 was true, of 4 claims. ")
    assert "Expected calibration error 0.125 (95 % interval 0.000 to " in found.sentence


def test_multilabel_claims_every_class_of_every_point() -> None:
    both = np.array([[1, 1], [0, 0]], dtype=np.int8)
    found = reliability(MULTILABEL, NAMES, both, np.array([[0.6, 0.2], [0.2, 0.0]]), n_bins=5).overall
    assert counted(found) == [(0.0, 1, 0.0, 0), (0.2, 2, 0.2, 1), (0.6, 1, 0.6, 1)]


def test_each_class_is_claimed_with_what_was_said_of_it_and_the_rarest_comes_first() -> None:
    three = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=np.int8)
    probs = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.85, 0.05], [0.5, 0.3, 0.2]])
    found = reliability(MULTICLASS, ["a", "b", "c"], three, probs)
    assert [name for name, _ in found.rarest_first] == ["c", "b", "a"]
    b = found.by_class["b"]
    assert (b.true, counted(b)) == (1, [(0.2, 1, 0.2, 0), (0.3, 1, 0.3, 0), (0.8, 2, 0.825, 1)])
    assert b.error == pytest.approx((0.2 + 0.3 + 2 * (0.825 - 0.5)) / 4)
    assert (found.by_class["c"].true, found.by_class["a"].true) == (0, 3)
    assert found.metrics("dev") == {
        "dev_ece": found.overall.error,
        "dev_ece_low": found.overall.error_low,
        "dev_ece_high": found.overall.error_high,
        **{f"dev_ece/{name}": found.by_class[name].error for name in "abc"},
    }


def test_a_border_belongs_to_the_bin_above_it() -> None:
    probs = np.array([[0.7, 0.3], [0.1 * 3, 1 - 0.1 * 3]])  # 0.7 times 10 falls just short of 7
    assert counted(reliability(MULTICLASS, NAMES, Y[:2], probs).overall) == [(0.7, 2, 0.7, 1)]


def test_without_points_nothing_is_said() -> None:
    found = reliability(MULTICLASS, NAMES, Y[:0], P[:0])
    assert (found.overall.n, found.overall.bins, found.overall.sentence) == (0, [], "")
    assert math.isnan(found.overall.error)
    assert found.metrics("dev") == {}
    assert "No gold" in shown(found)
    assert "No gold" in shown(None)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_no_claim_is_lost_and_the_error_is_a_share(rows: list[tuple[float, int]]) -> None:
    probs, truth = (np.array(column, dtype=float)[:, None] for column in zip(*rows, strict=True))
    found = reliability(MULTILABEL, ["x"], truth.astype(np.int8), probs).overall
    assert (sum(one.n for one in found.bins), found.true) == (len(rows), truth.sum())
    assert all(one.low - 1e-9 <= one.mean <= one.high + 1e-9 for one in found.bins)
    assert -1e-9 <= found.error_low <= found.error <= found.error_high <= 1 + 1e-9


def test_the_interval_holds_0_where_probabilities_are_right_and_not_where_they_are_far_off() -> None:
    rng = np.random.default_rng(0)
    right = rng.uniform(0, 1, 400)
    truth = (rng.random(400) < right).astype(np.int8)
    believable = reliability(MULTILABEL, ["x"], truth[:, None], right[:, None]).overall
    assert 0 == believable.error_low < believable.error < believable.error_high < 0.15
    bold = np.where(right > 0.5, 0.99, 0.01)
    wrong = reliability(MULTILABEL, ["x"], truth[:, None], bold[:, None]).overall
    assert wrong.error == pytest.approx(0.24, abs=0.05)  # half of each side is 0.25 from the end, on average
    assert 0.15 < wrong.error_low < wrong.error < wrong.error_high < 0.35


def test_as_json_and_back_nothing_changes() -> None:
    found = reliability(MULTICLASS, NAMES, Y, P)
    again = Reliability.read(json.loads(json.dumps(found.plain())))
    assert (again, list(again.by_class)) == (found, list(found.by_class))


SURE, FEW = Bin(0.9, 1.0, 20, 0.975, 20), Bin(0.7, 0.8, 9, 0.725, 4)
SURE_ONLY = Calibration(20, [SURE], 0.0, 0.1)


def test_the_diagram_has_a_dot_and_an_interval_for_each_bin_that_is_not_few() -> None:
    overall = Calibration(29, [FEW, SURE], 0.0, 0.2)
    drawn = shown(Reliability(overall, {"spam": overall}))
    assert "said 0.975, true 1.000: 20 of 20" in drawn
    assert 'class="dot" cx="278.0" cy="14.0"' in drawn  # 44 + 240 · 0.975, and the top: all are true
    assert 'class="few" cx="218.0" cy="147.3"' in drawn  # 44 + 240 · 0.725, 14 + 240 · (1 - 4 / 9)
    assert (
        drawn.count('class="few"') == 2
    )  # over all and of the class: no interval drawn, no curve through it
    assert len(re.findall(r'<line class="spread" x1="(278|190)', drawn)) == 2
    assert "polyline" not in drawn
    assert "0.444 [0.189, 0.733]" in drawn
    assert "9, few" in drawn


def test_a_curve_joins_the_bins_that_are_not_few() -> None:
    overall = Calibration(49, [Bin(0.0, 0.1, 20, 0.05, 0), FEW, SURE], 0.0, 0.1)
    assert '<polyline points="56.0,254.0 278.0,14.0"' in shown(Reliability(overall, {}))


def test_of_a_class_that_is_seldom_given_it_is_said_that_nothing_can_be_judged() -> None:
    drawn = shown(Reliability(SURE_ONLY, {"rare": Calibration(9, [FEW], 0.1, 0.4), "often": SURE_ONLY}))
    assert "4 of 9, too few to judge" in drawn
    assert drawn.index(">rare<") < drawn.index(">often<")
    assert "Reliability diagram of rare" in drawn


def test_of_many_classes_the_rarest_are_drawn() -> None:
    drawn = shown(Reliability(SURE_ONLY, {f"c{i}": SURE_ONLY for i in range(14)}))
    assert "Drawn are the 12 rarest of 14 classes." in drawn
    assert drawn.count("<figcaption>c") == 12
    assert ">c13<" in drawn  # in the table
