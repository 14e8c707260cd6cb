"""A search over an algorithm's parameters, judged on gold that did not choose.

Random search: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html. The settings are those
that scikit-learn's RandomizedSearchCV would draw. It knows nothing of weak labels, so each setting is judged
by the cross-validation that chooses strategies too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from adaptml.bootstrap import INTERVAL, bootstrap_means, interval
from adaptml.errors import ModelError
from adaptml.progress import progress
from adaptml.runs.recording import ChildRun
from adaptml.tasks import folds as folds_of
from modelling.algorithms import Algorithm, Classifier, algorithm_name, algorithms
from modelling.strategies import (
    FOLDS,
    MIN_GOLD,
    Gold,
    HeldOut,
    Learner,
    Weak,
    combine,
    cross_validate,
    judged,
)

# Of these, each fold leaves MIN_GOLD to choose by.
MIN_SEARCHED = MIN_GOLD * FOLDS // (FOLDS - 1)
DIGITS = 3  # of a number that was drawn


@dataclass(frozen=True)
class Tried:
    """A setting and what cross-validation on gold says of it.

    Attributes:
        params: the parameters that were drawn; none for those without search.
        held_out: of the gold points; None where it could not be trained.
        problem: why not.
    """

    params: Mapping[str, Any]
    held_out: HeldOut | None
    problem: str = ""

    @property
    def log_loss(self) -> float:
        """Lower is better; infinite where it could not be trained."""
        return np.inf if self.held_out is None else self.held_out.log_loss

    def metrics(self, measure: str) -> dict[str, float]:
        """What a run logs of it."""
        found = self.held_out
        if found is None:
            return {}
        return {"log_loss": found.log_loss, measure: found.metric, "unconverged": found.unconverged}


@dataclass(frozen=True)
class Searched:
    """The result of a search.

    Attributes:
        tried: the parameters without search first, then every setting that was drawn.
        winner: the one of the lowest log loss by cross-validation on all gold.
        learner: the learner with its parameters.
        held_out: what models say of gold points that neither they nor the choice of their parameters saw.
        without_params: the algorithm's parameters without search.
        gain: mean difference of the problem's measure to the parameters without search, on the same points.
        low: lower end of its interval.
        high: upper end.
    """

    tried: Sequence[Tried]
    winner: Tried
    learner: Learner
    held_out: HeldOut
    without_params: Mapping[str, Any]
    gain: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """What was found, and what it gained, plainly."""
        without, n = self.tried[0], len(self.tried) - 1
        failed = sum(1 for one in self.tried[1:] if one.held_out is None)
        drawn = f"{n} settings tried" + (f", {failed} of which could not be trained" if failed else "")
        if self.winner is without:
            found = f"none has a lower log loss than the parameters without search ({without.log_loss:.3f})"
        else:
            said = ", ".join(f"{name} {value}" for name, value in self.winner.params.items())
            found = (
                f"best is {said} (log loss {self.winner.log_loss:.3f}, {without.log_loss:.3f} without search)"
            )
        metric, measure = self.held_out.metric, self.learner.problem.measure_title
        figures = f"{measure} {metric:.3f} against {metric - self.gain:.3f} without search"
        span = f"{self.gain:+.3f}, {INTERVAL} {self.low:+.3f} to {self.high:+.3f}"
        return f"{drawn}; {found}; on gold that did not choose, {figures} ({span}): {self._verdict}"

    @property
    def _verdict(self) -> str:
        if self.low > 0:
            return "it gained"
        if self.high < 0:
            return "it did harm: train without it"
        return "this gold set cannot tell whether it gained; annotate more points"

    @property
    def metrics(self) -> dict[str, float]:
        """What a run logs of it."""
        failed = sum(1 for one in self.tried if one.held_out is None)
        return {
            "search/tried": len(self.tried) - 1,
            "search/failed": failed,
            "search/gain": self.gain,
            "search/gain_low": self.low,
            "search/gain_high": self.high,
        }

    def children(self) -> list[ChildRun]:
        """A run for each setting, with all parameters of the algorithm; the one without search first."""
        named = [
            "without search",
            *(f"setting {place} of {len(self.tried) - 1}" for place in range(1, len(self.tried))),
        ]
        return [
            ChildRun(
                f"search {name}",
                {"algorithm": algorithm_name(self.learner.classifier), **self.without_params, **one.params},
                one.metrics(self.learner.problem.measure),
                one.problem,
            )
            for name, one in zip(named, self.tried, strict=True)
        ]


def drawn_settings(made: Classifier, fixed: Sequence[str], n: int, seed: int) -> list[dict[str, Any]]:
    """Settings of an algorithm at random.

    Args:
        made: an unfitted classifier.
        fixed: names of parameters that stay as they are.
        n: how many settings, at least 1.
        seed: the same seed draws the same settings.

    Raises:
        ModelError: nothing to draw: no number of settings, a classifier of somebody else's, or no parameter
            that is free.
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    if n < 1:
        raise ModelError(f"search is {n}; expected how many settings to try, such as 20")
    space = made.search_space() if isinstance(made, Algorithm) else {}
    if not space:
        known = ", ".join(name for name, kind in algorithms().items() if kind().search_space())
        raise ModelError(
            f"{algorithm_name(made)} does not say which parameters to search over; expected one of {known}: "
            "train without search"
        )
    free = {name: values for name, values in space.items() if name not in fixed}
    if not free:
        raise ModelError(
            f"every parameter of {made.name} that is searched over was given: {', '.join(space)}; leave one "
            "out, or train without search"
        )
    if all(isinstance(values, list) for values in free.values()):
        n = min(n, len(ParameterGrid(free)))  # each of them once
    return [
        {name: _plain(value) for name, value in sorted(drawn.items())}
        for drawn in ParameterSampler(free, n, random_state=seed)
    ]


def check_gold(gold: Gold | None) -> Gold:
    """The gold points, if they are enough to search by.

    Raises:
        ModelError: none, or too few.
    """
    if gold is None:
        raise ModelError("search chooses parameters on gold and there is none; give some: --gold task")
    if len(gold.Y) < MIN_SEARCHED:
        raise ModelError(
            f"{len(gold.Y)} gold points are too few to choose parameters by; expected {MIN_SEARCHED} or "
            "more: annotate more, or train without search"
        )
    return gold


def search_in_folds(
    settings: Sequence[Mapping[str, Any]],
    strategy: str,
    learner: Learner,
    weak: Weak | None,
    gold: Gold,
    *,
    show_progress: bool = False,
) -> Searched:
    """Try settings, and judge the choice among them by nested cross-validation.

    The winner is the setting of the lowest log loss by cross-validation on all gold. What that gains is
    judged in each of the same folds: the choice is made there by cross-validation within the other folds, and
    its model is asked about the fold (Cawley and Talbot 2010, https://jmlr.org/papers/v11/cawley10a.html).

    Args:
        settings: parameters to try, beside those of the learner.
        strategy: how gold and weak labels are combined.
        learner: with the parameters without search.
        weak: weakly labelled points, or None.
        gold: at least MIN_SEARCHED points.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the parameters without search cannot be trained.
    """
    learners = [learner, *(_with(learner, params) for params in settings)]
    total = len(learners) * (FOLDS + 1)
    with progress("search", total, shown=show_progress, unit="settings") as advance:
        return _search(learners, [{}, *settings], strategy, weak, gold, advance)


def _search(
    learners: Sequence[Learner],
    settings: Sequence[Mapping[str, Any]],
    strategy: str,
    weak: Weak | None,
    gold: Gold,
    advance: Callable[[int], None],
) -> Searched:
    learner = learners[0]
    outer = [
        _tried(one, params, strategy, weak, gold, advance)
        for one, params in zip(learners, settings, strict=True)
    ]
    without = outer[0].held_out
    if without is None:
        raise ModelError(outer[0].problem)
    parts, probs = folds_of(gold.Y, FOLDS, learner.seed), np.empty(gold.Y.shape, np.float64)
    for part in range(parts.max() + 1):
        inside, outside = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        known, labels = Gold(gold.X[inside], gold.Y[inside]), weak and weak.among(inside)
        inner = [_tried(one, {}, strategy, labels, known, advance) for one in learners]
        chosen = learners[_best(inner)]
        model = combine(strategy, chosen, weak and weak.seen_with(inside), known).model
        probs[outside] = model.predict_proba(gold.X[outside])
    held_out = judged(learner.problem, gold.Y, probs)
    decide, scores = learner.problem.decide, learner.problem.scores
    difference = scores(gold.Y, decide(probs)) - scores(gold.Y, decide(without.probs))
    low, high = interval(bootstrap_means(difference, learner.seed))
    best = _best(outer)
    return Searched(
        outer,
        outer[best],
        learners[best],
        held_out,
        learner.classifier.get_params(deep=False),
        float(difference.mean()),
        low,
        high,
    )


def _with(learner: Learner, params: Mapping[str, Any]) -> Learner:
    return replace(learner, classifier=clone(learner.classifier).set_params(**params))


def _tried(
    learner: Learner,
    params: Mapping[str, Any],
    strategy: str,
    weak: Weak | None,
    gold: Gold,
    advance: Callable[[int], None],
) -> Tried:
    """A setting by cross-validation on gold; one that cannot be trained is no end of the search."""
    try:
        return Tried(params, cross_validate([strategy], learner, weak, gold)[strategy])
    except ModelError as error:
        return Tried(params, None, str(error))
    finally:
        advance(1)


def _best(tried: Sequence[Tried]) -> int:
    """The place of the lowest log loss, the first of equals."""
    return min(range(len(tried)), key=lambda place: tried[place].log_loss)


def _plain(value: Any) -> Any:
    """A value that was drawn as Python has it, a float short enough to be read."""
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
