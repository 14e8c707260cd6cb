"""Two groups of rows compared in one quantity, and many such comparisons judged together.

Each comparison asks whether both groups can come from the same source, by a test that holds whatever the
source is: Fisher's exact test of shares, Mann and Whitney's of numbers. Of all comparisons of one call
together, the chance that any is called moved where nothing moved is at most 5 %: Holm (1979), "A simple
sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70. With many rows a
difference can be certain and yet too small to matter: a smallest shift is demanded too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from adaptml.reports.interval import Z_95, wilson

Floats = npt.NDArray[np.float64]

FALSE_ALARMS = 0.05  # at most, of one call
SMALLEST_SHIFT = 0.05  # of a share or a mean
SMALLEST_OF_RARE = 0.01  # of a share that at least doubles, or falls to half
SMALLEST_AUC = 0.55  # 0.5 is what a coin gets
FEWEST = 30  # rows on each side, for a comparison
SHIFT_IN_WORDS = "moved by 5 points, or by 1 and to double or half; of vectors: an AUC of 0.55"


class Kind(StrEnum):
    """What is compared."""

    COVERAGE = "coverage"
    UNCOVERED = "without_votes"
    VOTED = "voted"
    PREDICTED = "predicted"
    CONFIDENCE = "confidence"
    AGREEMENT = "agreement"
    WORDS = "words"
    VECTORS = "vectors"


@dataclass(frozen=True)
class Estimate:
    """A number with its interval of 95 %, and how many rows it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f}"


@dataclass(frozen=True)
class Quantity:
    """One comparison.

    Attributes:
        kind: what is compared.
        key: the name of its metrics: the kind, and the labelling function or class.
        title: the same in words.
        subject: name of the labelling function or class; empty where it is about all rows.
        old, new: of the rows of the run, and of those that came since.
        p: of the test alone, in [0, 1].
        large: whether it moved far enough to matter, see `SHIFT_IN_WORDS`.
        adjusted: p among all comparisons of the call, by Holm; 1 until they are judged.
    """

    kind: Kind
    key: str
    title: str
    subject: str
    old: Estimate
    new: Estimate
    p: float
    large: bool
    adjusted: float = 1.0

    @property
    def moved(self) -> bool:
        """Whether the difference is neither chance nor too small to matter."""
        return self.large and self.adjusted <= FALSE_ALARMS


def half(n: int, seed: int) -> npt.NDArray[np.bool_]:
    """One random half of n rows, as a mask."""
    return np.random.default_rng(seed).permutation(n) < n // 2


def share(count: int, n: int) -> Estimate:
    """The share of n rows, with Wilson's interval."""
    low, high = wilson(count, n)
    return Estimate(count / n, float(low), float(high), n)


def compare_shares(
    kind: Kind, key: str, title: str, old: tuple[int, int], new: tuple[int, int], subject: str = ""
) -> Quantity:
    """Compare a share by Fisher's exact test.

    Args:
        kind, key, title, subject: as the attributes of `Quantity`.
        old, new: how many rows, of how many.
    """
    from scipy.stats import fisher_exact

    table = [[old[0], old[1] - old[0]], [new[0], new[1] - new[0]]]
    was, now = share(*old), share(*new)
    p = float(fisher_exact(table).pvalue)
    return Quantity(kind, key, title, subject, was, now, p, _far_share(was.value, now.value))


def _far_share(old: float, new: float) -> bool:
    shift, doubled = abs(new - old), max(old, new) >= 2 * min(old, new)
    return shift >= SMALLEST_SHIFT or (doubled and shift >= SMALLEST_OF_RARE)


def mean(values: Floats) -> Estimate:
    """The mean of n numbers in [0, 1], with its normal interval."""
    middle, n = float(values.mean()), len(values)
    if n < 2:
        return Estimate(middle, 0.0, 1.0, n)
    spread = Z_95 * float(values.std(ddof=1)) / n**0.5
    return Estimate(middle, max(0.0, middle - spread), min(1.0, middle + spread), n)


def compare_means(kind: Kind, key: str, title: str, old: Floats, new: Floats) -> Quantity:
    """Compare numbers in [0, 1], float64 (n,) and (m,), by the test of Mann and Whitney."""
    from scipy.stats import mannwhitneyu

    was, now = mean(old), mean(new)
    alike = np.ptp(np.concatenate([old, new])) == 0  # all one number: there is nothing to rank
    p = 1.0 if alike else float(mannwhitneyu(old, new, method="asymptotic").pvalue)
    return Quantity(kind, key, title, "", was, now, p, abs(now.value - was.value) >= SMALLEST_SHIFT)


def auc(old: Floats, new: Floats) -> tuple[float, float, float]:
    """How well scores tell new rows from old ones.

    Args:
        old, new: scores, float64 (n,) and (m,); higher ones look newer.

    Returns:
        The area under the ROC curve in [0, 1], its standard error by Hanley and McNeil (1982),
        https://doi.org/10.1148/radiology.143.1.7063747, and the p that it is 0.5, by Mann and Whitney, that
        new rows score higher.
    """
    from scipy.stats import mannwhitneyu

    n, m = len(old), len(new)
    if np.ptp(np.concatenate([old, new])) == 0:
        return 0.5, 0.5, 1.0
    test = mannwhitneyu(new, old, alternative="greater", method="asymptotic")
    area = float(test.statistic) / (n * m)
    one, two = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (m - 1) * (one - area**2) + (n - 1) * (two - area**2)
    return area, float(np.sqrt(max(spread, 0.0) / (n * m))), float(test.pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p of m tests: each times how many are left from it on, none below the one before it.

    >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    values, m = np.asarray(p, np.float64), len(p)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * (m - np.arange(m)))
    found = np.empty(m)
    found[order] = np.minimum(stepped, 1)
    return found.tolist()


def judged(quantities: Sequence[Quantity]) -> list[Quantity]:
    """The comparisons of one call, each judged among all; the order stays."""
    adjusted = holm([quantity.p for quantity in quantities])
    return [replace(q, adjusted=value) for q, value in zip(quantities, adjusted, strict=True)]
