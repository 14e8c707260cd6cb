"""What an agreement allows one to do with the labels."""

from enum import StrEnum

from labelstudio.alpha import RESAMPLES, Alpha

RELIABLE = 0.8
TENTATIVE = 0.667
SOURCE = "Krippendorff 2004, Content Analysis, p. 241"
# Annotators who agree on n points may still differ on 3 in n of all (the rule of three: Hanley and
# Lippman-Hand 1983, JAMA 249(13)). With two equally frequent classes, chance makes them differ on half of all
# points, so that alpha may be 1 - (3/n) / 0.5; 30 points are the fewest for which that reaches `RELIABLE`.
# The bootstrap cannot tell: it knows no disagreement but that of the points at hand.
MIN_POINTS = 30


class Verdict(StrEnum):
    """What to do with the labels."""

    RELY = "rely on it"
    TENTATIVE = "tentative conclusions only"
    START_AGAIN = "start again"
    UNDEFINED = "cannot be told"


def judge(alpha: Alpha, points: int) -> tuple[Verdict, str]:
    """The verdict on an alpha by Krippendorff's thresholds, and its reason as sentences.

    Args:
        alpha: with its interval.
        points: how many points with two or more annotators it rests on; below `MIN_POINTS` there is no
            verdict.

    >>> judge(Alpha(0.7), 100)[0]
    <Verdict.TENTATIVE: 'tentative conclusions only'>
    >>> judge(Alpha(1.0), 3)[0]
    <Verdict.UNDEFINED: 'cannot be told'>
    """
    verdict, reason = _judged(alpha, points)
    if alpha.undefined:
        reason += (
            f" In {alpha.undefined} of {RESAMPLES} resamples of the points alpha is not defined; the "
            "interval leaves them out."
        )
    return verdict, reason


def _judged(alpha: Alpha, points: int) -> tuple[Verdict, str]:
    if alpha.value is None:
        return Verdict.UNDEFINED, (
            "Everyone gave one and the same label set to every point, so alpha is not defined: "
            "without variation, agreement cannot be told from habit. Annotate points that differ."
        )
    value = f"alpha = {_shown(alpha.value)}"
    if points < MIN_POINTS:
        n = "1 point has" if points == 1 else f"{points} points have"
        return Verdict.UNDEFINED, (
            f"{value}, but {n} two or more annotators, and a verdict needs {MIN_POINTS}: with fewer, even "
            f"full agreement leaves room for more disagreement than alpha = {RELIABLE} allows. Let a second "
            f"person annotate {MIN_POINTS - points} more."
        )
    if alpha.value >= RELIABLE:
        reason = f"{value} is at least {RELIABLE}: the labels can be relied on ({SOURCE})."
        return Verdict.RELY, reason + _doubt(alpha, RELIABLE)
    if alpha.value >= TENTATIVE:
        reason = (
            f"{value} is at least {TENTATIVE} and below {RELIABLE}: the labels allow tentative conclusions "
            f"only ({SOURCE}). Improve the coding guide where annotators differ, listed below."
        )
        return Verdict.TENTATIVE, reason + _doubt(alpha, TENTATIVE)
    return Verdict.START_AGAIN, (
        f"{value} is below {TENTATIVE}: the labels do not allow even tentative conclusions ({SOURCE}). "
        "Improve the coding guide, beginning with the classes and points listed below, and annotate again."
    )


def _shown(value: float) -> str:
    """Three decimals, or six where three would show a threshold that the value does not reach."""
    text = f"{value:.3f}"
    crossed = any(value < threshold <= float(text) for threshold in (TENTATIVE, RELIABLE))
    return f"{value:.6f}" if crossed else text


def _doubt(alpha: Alpha, threshold: float) -> str:
    """A sentence where the interval reaches below the threshold that alpha passes; else nothing."""
    if alpha.low is None or alpha.low >= threshold:
        return ""
    return f" The 95 % interval reaches down to {alpha.low:.3f}, so more points are needed to be sure."
