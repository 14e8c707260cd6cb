"""Wilson's interval against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.reports.interval import wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        # z² = 3.8415. (0.8 + 0.19207) / 1.38415 = 0.71674; 1.95996 / 1.38415 · √(0.016 + 0.0096036) = 0.22657
        (8, 10, 0.49016, 0.94331),
        # (0.5 + 0.48018) / 1.96037 = 0.5; 1.95996 / 1.96037 · √(0.0625 + 0.0600227) = 0.34997
        (2, 4, 0.15003, 0.84997),
        # At none right the upper border is z² / (n + z²) = 3.8415 / 13.8415.
        (0, 10, 0, 0.27753),
        (10, 10, 0.72247, 1),
    ],
)
def test_values_worked_out_by_hand(right: int, of: int, low: float, high: float) -> None:
    assert [float(bound) for bound in wilson(right, of)] == pytest.approx([low, high], abs=2e-5)


def test_nothing_counted_is_nan_without_a_warning() -> None:
    low, high = wilson([0, 1], [0, 1])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_holds_the_share_and_mirrors(counts: tuple[int, int]) -> None:
    right, of = counts
    low, high = (float(bound) for bound in wilson(right, of))
    assert 0 <= low <= right / of + 1e-9
    assert right / of - 1e-9 <= high <= 1
    assert [float(bound) for bound in wilson(of - right, of)] == pytest.approx([1 - high, 1 - low], abs=1e-9)
