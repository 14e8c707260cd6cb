"""How far probabilities can be believed: of what was said with 0.8, about 80 % should be true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.bootstrap import DRAWS, bootstrap_draws, interval
from adaptml.evaluation import metric_names
from adaptml.tasks import ProblemType

N_BINS = 10
FEW = 10  # claims: with fewer, a bin says little
NOT_KNOWN = float("nan")

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Claims = tuple[Floats, npt.NDArray[np.bool_]]  # what was said, and whether it is true


@dataclass(frozen=True)
class Bin:
    """The claims whose probabilities lie between two borders.

    Attributes:
        low, high: the borders, in [0, 1]; a claim at `high` is in the next bin, one of 1 in the last.
        n: how many claims.
        mean: their mean probability.
        true: how many of them are true.
    """

    low: float
    high: float
    n: int
    mean: float
    true: int

    @property
    def share(self) -> float:
        """The share of the claims that is true."""
        return self.true / self.n

    @property
    def is_few(self) -> bool:
        """Whether there are too few claims to judge by."""
        return self.n < FEW


@dataclass(frozen=True)
class Calibration:
    """What probabilities claimed, beside what was true.

    Attributes:
        n: how many claims.
        bins: those with claims, the lowest first.
        error_low, error_high: the 95 % interval of `error`, in [0, 1]; NaN without claims.
    """

    n: int
    bins: Sequence[Bin]
    error_low: float = NOT_KNOWN
    error_high: float = NOT_KNOWN

    @property
    def error(self) -> float:
        """The expected calibration error, in [0, 1]: the mean distance of said and true, weighted by claims.

        Naeini et al. (2015), https://doi.org/10.1609/aaai.v29i1.9602; Guo et al. (2017),
        https://arxiv.org/abs/1706.04599. NaN without claims.
        """
        if not self.n:
            return NOT_KNOWN
        return sum(one.n * abs(one.mean - one.share) for one in self.bins) / self.n

    @property
    def true(self) -> int:
        """How many claims are true; of a class, that is how many points have it."""
        return sum(one.true for one in self.bins)

    @property
    def sentence(self) -> str:
        """Whether the probabilities are too high or too low on the whole, plainly; empty without claims."""
        if not self.n:
            return ""
        said = sum(one.n * one.mean for one in self.bins) / self.n
        return (
            f"On average {said:.3f} was said and {self.true / self.n:.3f} was true, of {self.n:,} claims. "
            f"Expected calibration error {self.error:.3f} "
            f"(95 % interval {self.error_low:.3f} to {self.error_high:.3f})."
        )


@dataclass(frozen=True)
class Reliability:
    """How far the probabilities of some points can be believed.

    Attributes:
        overall: one claim a point in multiclass, that it is of its most probable class; one for each point
            and class in multilabel, that the point has the class.
        by_class: name of a class → one claim a point, that it has the class, with the probability that was
            given for it; in the classes' order.
    """

    overall: Calibration
    by_class: Mapping[str, Calibration]

    @property
    def rarest_first(self) -> list[tuple[str, Calibration]]:
        """`by_class`, the class of the fewest points first."""
        return sorted(self.by_class.items(), key=lambda one: one[1].true)

    def metrics(self, prefix: str) -> dict[str, float]:
        """`<prefix>_ece` with `_low` and `_high`, and `<prefix>_ece/<class>`; none without points."""
        if not self.overall.n:
            return {}
        ends = {"": self.overall.error, "_low": self.overall.error_low, "_high": self.overall.error_high}
        names = metric_names(list(self.by_class))
        errors = zip(names, self.by_class.values(), strict=True)
        return {f"{prefix}_ece{end}": value for end, value in ends.items()} | {
            f"{prefix}_ece/{name}": one.error for name, one in errors
        }

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it; `Reliability.read` reads it."""
        by_class = [{"name": name, **_plain(one)} for name, one in self.by_class.items()]
        return {"overall": _plain(self.overall), "by_class": by_class}

    @staticmethod
    def read(plain: Mapping[str, Any]) -> "Reliability":
        """What `plain` wrote."""
        by_class = {one["name"]: _read(one) for one in plain["by_class"]}
        return Reliability(_read(plain["overall"]), by_class)


def reliability(
    problem: ProblemType, class_names: Sequence[str], Y: Indicator, probs: Floats, n_bins: int = N_BINS
) -> Reliability:
    """Count claims in bins of equal width, over all and class by class: what reliability diagrams show.

    Murphy and Winkler (1977), https://doi.org/10.2307/2346866. The interval of an expected calibration error
    is a bootstrap one over points, with seed 0. Few points add to the error, and drawing from them anew adds
    as much again, so that the percentile interval lies too high: this one reaches as far below the error as
    its upper end is above, and down to 0 where probabilities that are right would often show as much by
    chance (consistency resampling: Bröcker and Smith 2007, https://doi.org/10.1175/WAF993.1). In simulations
    with 60 to 2,000 points it held the error of the population in 92 % to 98 % of the cases.

    Args:
        problem: says what is claimed.
        class_names: k names, different from each other.
        Y: the truth of n points, int8 (n, k), values in {0, 1}.
        probs: what was said of them by something that had not seen their truth, float64 (n, k), in [0, 1].
        n_bins: how many bins there are between 0 and 1.

    >>> from adaptml.tasks import MULTICLASS
    >>> Y = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.int8)
    >>> found = reliability(MULTICLASS, ["cat", "dog"], Y, np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]]))
    >>> [(one.n, one.true) for one in found.overall.bins], f"{found.overall.error:.3f}"
    ([(1, 0), (2, 2)], '0.333')
    >>> list(found.by_class), [(one.n, one.true) for one in found.by_class["dog"].bins]
    (['cat', 'dog'], [(1, 0), (1, 0), (1, 1)])
    """
    claims = [problem.decisions(Y, probs), *((probs[:, c], Y[:, c] == 1) for c in range(Y.shape[1]))]
    binned = [_binned(said, n_bins) for said, _ in claims]
    ends = _error_intervals(claims, binned, len(Y), n_bins)
    found = [
        _counted(*one, places, pair, n_bins) for one, places, pair in zip(claims, binned, ends, strict=True)
    ]
    return Reliability(found[0], dict(zip(class_names, found[1:], strict=True)))


def _binned(said: Floats, n_bins: int) -> Places:
    """The bin of each claim."""
    # A probability at a border belongs to the upper bin, also where binary fractions fall just short of it.
    return np.minimum((said * n_bins + 1e-9).astype(np.int64), n_bins - 1)


def _counted(
    said: Floats, true: npt.NDArray[np.bool_], places: Places, ends: tuple[float, float], n_bins: int
) -> Calibration:
    counts = np.bincount(places, minlength=n_bins)
    sums, right = (np.bincount(places, weights=of, minlength=n_bins) for of in (said, true.astype(float)))
    bins = [
        Bin(i / n_bins, (i + 1) / n_bins, int(counts[i]), float(sums[i] / counts[i]), int(right[i]))
        for i in np.flatnonzero(counts).tolist()
    ]
    error = Calibration(len(said), bins).error  # the ends were reckoned in another order of sums
    return Calibration(len(said), bins, min(ends[0], error), max(ends[1], error))


def _error_intervals(
    claims: Sequence[Claims], binned: Sequence[Places], n: int, n_bins: int
) -> list[tuple[float, float]]:
    """The interval of the error of each of q kinds of claims about n points; see `reliability`.

    A bin adds |sum of said - true| over its claims to the error, so that each draw needs sums only.
    """
    from scipy.sparse import csr_array, hstack

    if not n:
        return [(NOT_KNOWN, NOT_KNOWN)] * len(claims)
    parts = []
    for (said, true), places in zip(claims, binned, strict=True):
        points = np.repeat(np.arange(n), len(said) // n)  # multilabel claims stand point by point
        parts.append(csr_array((said - true, (points, places)), shape=(n, n_bins)))
    apart = hstack(parts, format="csr")
    shape, sizes = (-1, len(claims), n_bins), np.array([len(said) for said, _ in claims])
    errors = np.abs(apart.sum(axis=0)).reshape(shape).sum(axis=2)[0] / sizes
    sums = (np.abs(counts @ apart).reshape(shape).sum(axis=2) for counts in bootstrap_draws(n, seed=0))
    drawn = np.vstack(list(sums)) / sizes
    found = []
    for error, anew, (said, _), places in zip(errors.tolist(), drawn.T, claims, binned, strict=True):
        half = max(interval(anew)[1] - error, 0.0)
        by_chance = error <= _error_by_chance(said, places, n_bins)
        found.append((0.0 if by_chance else max(error - half, 0.0), min(error + half, 1.0)))
    return found


def _error_by_chance(said: Floats, places: Places, n_bins: int) -> float:
    """The error that probabilities which are right stay below in 97.5 % of the cases, with as many claims.

    A bin's sum of said - true is then normal around 0, nearly, with the variance of its coins.
    """
    spread = np.sqrt(np.bincount(places, weights=said * (1 - said), minlength=n_bins))
    sums = np.random.default_rng(0).standard_normal((DRAWS, n_bins)) * spread
    return interval(np.abs(sums).sum(axis=1) / len(said))[1]


def _plain(one: Calibration) -> dict[str, Any]:
    return {**vars(one), "bins": [dict(vars(part)) for part in one.bins]}


def _read(plain: Mapping[str, Any]) -> Calibration:
    bins = [Bin(**part) for part in plain["bins"]]
    return Calibration(plain["n"], bins, plain["error_low"], plain["error_high"])
