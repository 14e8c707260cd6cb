"""Krippendorff's thresholds and the reasons given."""

import pytest

from labelstudio.alpha import Alpha
from labelstudio.verdict import MIN_POINTS, RELIABLE, Verdict, judge


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
    found, why = judge(Alpha(value), 30)
    assert found is verdict
    assert reason in why
    assert "(Krippendorff 2004, Content Analysis, p. 241)" in why


def test_an_interval_below_the_threshold_is_said() -> None:
    assert judge(Alpha(0.83, 0.71, 0.9), 30)[1].endswith(
        "reaches down to 0.710, so more points are needed to be sure."
    )
    assert judge(Alpha(0.83, 0.81, 0.9), 30)[1].endswith("p. 241).")


def test_undefined() -> None:
    verdict, reason = judge(Alpha(None), 30)
    assert verdict is Verdict.UNDEFINED
    assert reason.startswith("Everyone gave one and the same label set to every point")


def test_too_few_points_for_a_verdict() -> None:
    assert judge(Alpha(1.0, 1.0, 1.0, 112), 3) == (
        Verdict.UNDEFINED,
        "alpha = 1.000, but 3 points have two or more annotators, and a verdict needs 30: with fewer, even full "
        "agreement leaves room for more disagreement than alpha = 0.8 allows. Let a second person annotate 27 more. "
        "In 112 of 1000 resamples of the points alpha is not defined; the interval leaves them out.",
    )
    assert judge(Alpha(-0.5), 1)[1].startswith("alpha = -0.500, but 1 point has two or more annotators")
    assert judge(Alpha(1.0), 29)[0] is Verdict.UNDEFINED
    assert judge(Alpha(1.0), 30)[0] is Verdict.RELY


def test_the_fewest_points_are_those_for_which_full_agreement_can_mean_reliable() -> None:
    # The share on which two annotators may differ who agreed on n points, at 95 %, and alpha for classes of one half.
    reached = [n for n in range(1, 100) if 1 - (3 / n) / 0.5 >= RELIABLE - 1e-12]
    assert reached[0] == MIN_POINTS
    assert (
        1 - (1 - 0.05 ** (1 / MIN_POINTS)) / 0.5 >= RELIABLE
    )  # the exact bound, which the rule of three is near
