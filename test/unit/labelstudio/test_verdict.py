"""Krippendorff's thresholds and the reasons given."""

import pytest

from labelstudio.alpha import Alpha
from labelstudio.verdict import Verdict, judge


@pytest.mark.parametrize(
    ("value", "verdict", "reason"),
    [
        (1.0, Verdict.RELY, "alpha = 1.000 is at least 0.8: the labels can be relied on"),
        (0.8, Verdict.RELY, "alpha = 0.800 is at least 0.8"),
        (0.799, Verdict.TENTATIVE, "alpha = 0.799 is at least 0.667 and below 0.8"),
        (0.667, Verdict.TENTATIVE, "allow tentative conclusions only"),
        (0.7999, Verdict.TENTATIVE, "alpha = 0.799900 is at least 0.667 and below 0.8"),
        (0.6669, Verdict.START_AGAIN, "alpha = 0.666900 is below 0.667"),
        (0.666, Verdict.START_AGAIN, "alpha = 0.666 is below 0.667"),
        (-0.2, Verdict.START_AGAIN, "do not allow even tentative conclusions"),
    ],
)
def test_thresholds(value: float, verdict: Verdict, reason: str) -> None:
    found, why = judge(Alpha(value))
    assert found is verdict
    assert reason in why
    assert "(Krippendorff 2004, Content Analysis, p. 241)" in why


def test_an_interval_below_the_threshold_is_said() -> None:
    assert judge(Alpha(0.83, 0.71, 0.9))[1].endswith(
        "reaches down to 0.710, so more points are needed to be sure."
    )
    assert judge(Alpha(0.83, 0.81, 0.9))[1].endswith("p. 241).")


def test_undefined() -> None:
    verdict, reason = judge(Alpha(None))
    assert verdict is Verdict.UNDEFINED
    assert reason.startswith("Everyone gave one and the same label set to every point")
