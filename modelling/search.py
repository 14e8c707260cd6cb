"""A search over an algorithm's parameters, judged on gold that did not choose.

Random search: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html. The settings are those
that scikit-learn's RandomizedSearchCV would draw. It knows nothing of weak labels, so each setting is judged
by the cross-validation that chooses strategies too, and by the task's metric.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from adaptml.bootstrap import INTERVAL, interval
from adaptml.errors import ModelError
from adaptml.folds import FOLDS, held_out_parts
from adaptml.progress import progress
from adaptml.runs.recording import ChildRun
from adaptml.tasks.metrics import Metric, Outcome, best
from modelling.algorithms import Algorithm, Classifier, algorithm_name, algorithms
from modelling.algorithms.log_odds import vote_log_odds
from modelling.choosing import MIN_GOLD
from modelling.learner import Gold, Learner, Weak
from modelling.trials import Trials
from modelling.ways import HeldOut, Way, judged

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

    def metrics(self, metric: Metric) -> dict[str, float]:
        """What a run logs of it."""
        found = self.held_out
        if found is None:
            return {}
        measures = {metric.problem.measure: found.plain, metric.logged: found.metric}
        return {"log_loss": found.log_loss, **measures, "unconverged": found.unconverged}


@dataclass(frozen=True)
class Searched:
    """The result of a search.

    Attributes:
        tried: the parameters without search first, then every setting that was drawn.
        winner: the best of them by cross-validation on all gold.
        metric: what decides.
        learner: the learner with its parameters.
        held_out: what models say of gold points that neither they nor the choice of their parameters saw.
        without_params: the algorithm's parameters without search.
        gain: how much better the metric is than with the parameters without search, on the same points.
        low: lower end of its interval.
        high: upper end.
    """

    tried: Sequence[Tried]
    winner: Tried
    metric: Metric
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
            found = "none is better than the parameters without search"
        else:
            said = ", ".join(f"{name} {value}" for name, value in self.winner.params.items())
            found = (
                f"best is {said} (log loss {self.winner.log_loss:.3f}, {without.log_loss:.3f} without search)"
            )
        value, before = self.held_out.metric, without.held_out
        against = "" if before is None else f" against {before.metric:.3f} without search"
        figures = f"{self.metric.title} {value:.3f}{against}"
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
                one.metrics(self.metric),
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
    way: Way,
    learner: Learner,
    weak: Weak | None,
    gold: Gold,
    metric: Metric,
    *,
    show_progress: bool = False,
) -> Searched:
    """Try settings, and judge the choice among them by nested cross-validation.

    The winner is the best setting by cross-validation on all gold. What that gains is judged in each of the
    same folds: the choice is made there by cross-validation within the other folds, and its model is asked
    about the fold (Cawley and Talbot 2010, https://jmlr.org/papers/v11/cawley10a.html).

    Args:
        settings: parameters to try, beside those of the learner.
        way: how gold and weak labels are combined.
        learner: with the parameters without search.
        weak: weakly labelled points, or None.
        gold: at least MIN_SEARCHED points.
        metric: what decides; the log loss where its interval cannot.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the parameters without search cannot be trained.
    """
    learners = [learner, *(_with(learner, params) for params in settings)]
    search = _Search(way, metric, learners)
    with progress("search", search.total, shown=show_progress, unit="settings") as advance:
        return search.run([{}, *settings], weak, gold, advance)


@dataclass(frozen=True)
class _Search:
    """The learners among which is chosen, the one without search first."""

    way: Way
    metric: Metric
    learners: Sequence[Learner]

    @property
    def total(self) -> int:
        return len(self.learners) * (FOLDS + 1)

    def run(
        self,
        settings: Sequence[Mapping[str, Any]],
        weak: Weak | None,
        gold: Gold,
        advance: Callable[[int], None],
    ) -> Searched:
        learner = self.learners[0]
        outer = [
            self._tried(one, params, weak, gold, advance)
            for one, params in zip(self.learners, settings, strict=True)
        ]
        without = outer[0].held_out
        if without is None:
            raise ModelError(outer[0].problem)
        held_out = self._nested(weak, gold, advance)
        draws = (self.metric.draws(gold.Y, one.said, learner.seed) for one in (held_out, without))
        low, high = interval(self.metric.sign * (next(draws) - next(draws)))
        chosen = self._best(outer, gold)
        return Searched(
            outer,
            outer[chosen],
            self.metric,
            self.learners[chosen],
            held_out,
            learner.classifier.get_params(deep=False),
            self.metric.sign * (held_out.metric - without.metric),
            low,
            high,
        )

    def _nested(self, weak: Weak | None, gold: Gold, advance: Callable[[int], None]) -> HeldOut:
        """What the choice within the other folds says of each fold."""
        probs, problem = np.empty(gold.Y.shape, np.float64), self.metric.problem
        for fold, (inside, outside) in held_out_parts(gold.folds).items():
            known, labels = gold.rows(inside), weak and weak.before(fold, inside)
            inner = [self._tried(one, {}, labels, known, advance) for one in self.learners]
            trials = self._trials(self.learners[self._best(inner, known)], labels, known)
            trials.run([self.way])  # it is calibrated as the model in the end is
            model = trials.fit(self.way)
            heard = model.takes_votes and weak is not None and weak.on_gold is not None
            V = vote_log_odds(problem, weak.on_gold.probs[outside]) if heard else None  # type: ignore[union-attr]
            probs[outside] = model.predict_proba(gold.X[outside], V)
        return judged(self.metric, gold.Y, Outcome(probs, problem.decide(probs)))

    def _tried(
        self,
        learner: Learner,
        params: Mapping[str, Any],
        weak: Weak | None,
        gold: Gold,
        advance: Callable[[int], None],
    ) -> Tried:
        """A setting by cross-validation on gold; one that cannot be trained is no end of the search."""
        trials = self._trials(learner, weak, gold)
        trials.run([self.way])
        advance(1)
        if self.way in trials.held_out:
            return Tried(params, trials.held_out[self.way])
        return Tried(params, None, str(trials.failed[self.way]))

    def _trials(self, learner: Learner, weak: Weak | None, gold: Gold) -> Trials:
        named = {} if weak is None else {self.way.label_model: weak}
        return Trials(learner, named, gold, self.metric)

    def _best(self, tried: Sequence[Tried], gold: Gold) -> int:
        """The place of the best, the first of equals."""
        said = {str(place): one.held_out.said for place, one in enumerate(tried) if one.held_out is not None}
        return int(best(self.metric, gold.Y, said, self.learners[0].seed).name) if said else 0


def _with(learner: Learner, params: Mapping[str, Any]) -> Learner:
    return replace(learner, classifier=clone(learner.classifier).set_params(**params))


def _plain(value: Any) -> Any:
    """A value that was drawn as Python has it, a float short enough to be read."""
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
