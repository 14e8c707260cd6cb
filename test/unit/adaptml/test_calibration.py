"""Calibration, counted by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.calibration import Calibration, calibration
from adaptml.reports.calibration import calibration_section
from adaptml.reports.html import joined
from adaptml.tasks import MULTICLASS, MULTILABEL

Y = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.int8)
P = np.array([[0.95, 0.05], [0.3, 0.7], [0.25, 0.75], [0.0, 1.0]])


def counted(found: Calibration) -> list[tuple[float, int, float, int]]:
    return [(one.low, one.n, round(one.mean, 6), one.true) for one in found.bins]


def test_multiclass_claims_the_most_probable_class() -> None:
    found = calibration(MULTICLASS, Y, P)
    assert counted(found) == [(0.7, 2, 0.725, 1), (0.9, 2, 0.975, 2)]
    assert found.error == pytest.approx((2 * (0.725 - 0.5) + 2 * (1 - 0.975)) / 4)
    assert found.sentence == "On average 0.850 was said and 0.750 was true, of 4 claims."


def test_multilabel_claims_every_class_of_every_point() -> None:
    both = np.array([[1, 1], [0, 0]], dtype=np.int8)
    found = calibration(MULTILABEL, both, np.array([[0.6, 0.2], [0.2, 0.0]]), n_bins=5)
    assert counted(found) == [(0.0, 1, 0.0, 0), (0.2, 2, 0.2, 1), (0.6, 1, 0.6, 1)]


def test_a_border_belongs_to_the_bin_above_it() -> None:
    probs = np.array([[0.7, 0.3], [0.1 * 3, 1 - 0.1 * 3]])  # 0.7 times 10 falls just short of 7
    assert counted(calibration(MULTICLASS, Y[:2], probs)) == [(0.7, 2, 0.7, 1)]


def test_without_points_nothing_is_said() -> None:
    found = calibration(MULTICLASS, Y[:0], P[:0])
    assert (found.n, found.bins, found.sentence) == (0, [], "")
    assert math.isnan(found.error)
    assert "No gold" in joined(part for part in calibration_section(found) if part)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_no_claim_is_lost_and_the_error_is_a_share(rows: list[tuple[float, int]]) -> None:
    probs, truth = (np.array(column, dtype=float)[:, None] for column in zip(*rows, strict=True))
    found = calibration(MULTILABEL, truth.astype(np.int8), probs)
    assert (sum(one.n for one in found.bins), sum(one.true for one in found.bins)) == (len(rows), truth.sum())
    assert all(one.low - 1e-9 <= one.mean <= one.high + 1e-9 for one in found.bins)
    assert -1e-9 <= found.error <= 1


def test_the_diagram_has_a_dot_and_an_interval_for_each_bin() -> None:
    drawn = joined(part for part in calibration_section(calibration(MULTICLASS, Y, P)) if part)
    assert drawn.count('class="spread"') == 2 + 2  # and those of the table
    assert "said 0.975, true 1.000: 2 of 2" in drawn
    assert "0.500 [0.095, 0.905]" in drawn
    assert 'cx="278.0" cy="14.0"' in drawn  # 44 + 240 · 0.975, and the top: all are true
