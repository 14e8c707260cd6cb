"""Fitting label models side by side and choosing one of them on gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from adaptml.calibrating import calibrate, calibrated_model, can_calibrate
from adaptml.errors import LabellingError, listed
from adaptml.folds import FOLDS
from adaptml.tasks import ProblemType
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of, best, constant, in_words, nested
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import MIN_GOLD, Gold, Sets, covered
from dataprogramming.label_models.registry import config_fields, label_models_for
from dataprogramming.patterns import CastVotes, VotePatterns, as_patterns

AUTO = "auto"
Config = BaseModel | Mapping[str, Any]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """The label models that could be chosen and the one that was.

    Attributes:
        models: name → the model fitted with all gold, the simplest first; only those among which there was
            a choice.
        without: name → FOLDS models, each fitted without the gold of one fold; empty without gold.
        held_out: name → what these say of the gold that they have not seen; empty without gold.
        judged: what is said of each gold point by the model that the other folds choose, fitted without the
            point's own fold; None without gold.
        constant: what a model says of them that always names the most frequent class; None without gold.
        chosen: name of the chosen one.
        reason: one sentence: why.
        metric: what it was chosen by.
        warnings: one sentence each.
        calibration: name → whether its probabilities are calibrated on gold, and why; empty without gold.
    """

    models: Mapping[str, LabelModel]
    without: Mapping[str, Sequence[LabelModel]]
    held_out: Mapping[str, Outcome]
    judged: Outcome | None
    constant: Outcome | None
    chosen: str
    reason: str
    metric: Metric
    warnings: list[str] = field(default_factory=list)
    calibration: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> LabelModel:
        """The chosen model."""
        return self.models[self.chosen]


def select_label_model(
    problem: ProblemType,
    cast: CastVotes,
    gold: Gold | None,
    k: int,
    *,
    fold: Numbers | None = None,
    sets: Sets = (),
    metric: Metric | None = None,
    choice: str = AUTO,
    config: Config | None = None,
) -> Selection:
    """Fit the label models that can be chosen, and choose one.

    With gold, each model is judged by cross-validation in FOLDS parts: whatever it takes from gold (class
    balance, weights, thresholds, the number of epochs) comes from the other parts. `auto` then takes the
    model of the best metric; among those that gold cannot tell from it, that of the lowest log loss
    (`adaptml.tasks.metrics.best`). Its figure is nested: each part is judged by the model that the others
    choose. Without gold, or with fewer than MIN_GOLD gold points that have votes, it takes the simplest:
    majority vote, or the union of votes in multilabel. The others are then not fitted, nor are they where one
    is demanded. A model that cannot be fitted is left out with a warning, unless it was demanded.

    Args:
        problem: one class a point, or any number.
        cast: votes on the n points to label, values in {-1, 0 … k-1}, and from k on for sets.
        gold: points whose classes are known, or None.
        k: number of classes.
        fold: of each gold point, int64 (g,), values in {0 … FOLDS-1}, as `adaptml.folds.folds_of_keys` gives
            them; None deals the points in turn. A fold may be empty.
        sets: code k + i is a vote for one of the classes in sets[i].
        metric: what decides; None is the problem's plain measure.
        choice: `auto` or the name of a label model.
        config: parameters of label models by name; each model takes those that it declares.

    Raises:
        LabellingError: no LF votes on any point, an unknown label model, a parameter that none has or whose
            value cannot be used, a demanded model that needs gold without gold, or one that is demanded,
            or all, cannot be fitted.
    """
    gold = gold if gold is not None and len(gold) else None
    metric = metric or accuracy_of(problem)
    votes = as_patterns(cast)
    _check(problem, votes, gold, choice)
    demanded = None if choice == AUTO else choice
    given = _parameters(config) | {"cardinality": k, "sets": sets, "metric": metric}
    tried, warnings = _candidates(problem, votes.rows.shape[1], gold, demanded, given)
    known = None if gold is None else GoldInFolds(gold, _folds(gold, fold))
    fits: dict[str, Fit] = {}
    for name, candidate in tried.items():
        try:
            fits[name] = _fit(candidate, votes, known, metric)
        except LabellingError as error:
            if len(tried) == 1:
                raise
            warnings.append(f"the label model {name} was left out: {error}")
            continue
        warnings += fits[name].model.warnings
    if not fits:
        raise LabellingError(f"no label model can be fitted: {'; '.join(warnings)}")
    held_out = {name: fit.held_out for name, fit in fits.items() if fit.held_out is not None}
    chosen, reason, judged = _choice(metric, known, list(fits), held_out, demanded, votes.rows.shape[1])
    return Selection(
        models={name: fit.model for name, fit in fits.items()},
        without={name: fit.without for name, fit in fits.items() if fit.without},
        held_out=held_out,
        judged=judged,
        constant=None if gold is None else constant(problem, gold.Y, len(gold)),
        chosen=chosen,
        reason=reason,
        metric=metric,
        warnings=warnings,
        calibration={name: fit.calibration for name, fit in fits.items() if fit.calibration},
    )


@dataclass(frozen=True)
class GoldInFolds:
    """Gold points (g,) and the fold of each, int64 (g,)."""

    gold: Gold
    fold: Numbers

    def without(self, part: int) -> Gold:
        """The points of the other folds."""
        return self.gold.rows(np.flatnonzero(self.fold != part))


@dataclass(frozen=True)
class Fit:
    """A fitted label model; see `Selection`."""

    model: LabelModel
    without: Sequence[LabelModel] = ()
    held_out: Outcome | None = None
    calibration: str = ""


def _folds(gold: Gold, fold: Numbers | None) -> Numbers:
    return np.arange(len(gold), dtype=np.int64) % FOLDS if fold is None else fold


def _parameters(config: Config | None) -> dict[str, Any]:
    """The parameters that were given, each of which some label model has."""
    given = config.model_dump() if isinstance(config, BaseModel) else dict(config or {})
    unknown = sorted(set(given) - config_fields())
    if unknown:
        raise LabellingError(
            f"no label model has a parameter {', '.join(unknown)}; expected some of "
            f"{', '.join(sorted(config_fields()))}"
        )
    return given


def _candidates(
    problem: ProblemType, m: int, gold: Gold | None, demanded: str | None, given: Mapping[str, Any]
) -> tuple[dict[str, LabelModel], list[str]]:
    """The label models that can be chosen, the simplest first, and what is said of those that lack LFs."""
    known = label_models_for(problem)
    made = {
        name: kind(**{key: value for key, value in given.items() if key in kind._get_param_names()})
        for name, kind in known.items()
    }
    for model in made.values():
        model.config  # noqa: B018 - checks it before anything is fitted
    simplest = next(iter(made))
    names = [simplest]
    if demanded is not None:
        names = [demanded]
    elif _can_compare(gold):
        names = [name for name, kind in known.items() if not kind.only_on_demand]
    lacking = [name for name in names if m < known[name].min_lfs]
    warnings = [
        f"{known[name].title} needs at least {known[name].min_lfs} labelling functions and there are {m}: "
        "it was left out"
        for name in lacking
    ]
    return {name: made[name] for name in names if name not in lacking} or {simplest: made[simplest]}, warnings


def _can_compare(gold: Gold | None) -> bool:
    return gold is not None and int(covered(gold.L).sum()) >= MIN_GOLD


def _check(problem: ProblemType, votes: VotePatterns, gold: Gold | None, choice: str) -> None:
    known = label_models_for(problem)
    if choice not in (AUTO, *known):
        raise LabellingError(
            f"no label model {choice!r} for {problem} tasks; expected {AUTO}, {', '.join(known)}"
        )
    if choice != AUTO and known[choice].needs_gold and gold is None:
        others = [name for name, kind in known.items() if not kind.needs_gold]
        raise LabellingError(
            f"the label model {choice} learns its weights from gold and there is none; "
            f"give gold, or choose {', '.join([AUTO, *others[:-1]])} or {others[-1]}"
        )
    if not covered(votes.rows).any():
        raise LabellingError(
            f"none of the {votes.rows.shape[1]} labelling functions votes on any of the {len(votes)} data "
            "points; "
            "look at their keywords and at the LF features that the task names"
        )


def _fit(candidate: LabelModel, cast: VotePatterns, known: GoldInFolds | None, metric: Metric) -> Fit:
    """The label model fitted with all gold, and what it says of each gold point without having seen it."""
    votes = candidate.summary(cast)
    if known is None:
        return Fit(candidate.fit_many(votes, [None])[0])
    parts = np.unique(known.fold).tolist()
    model, *unaware = candidate.fit_many(votes, [known.gold, *(known.without(part) for part in parts)])
    by_part = dict(zip(parts, unaware, strict=True))
    reason = _calibrate(metric, known, model, by_part)
    return Fit(model, [by_part.get(part, model) for part in range(FOLDS)], _unseen(known, by_part), reason)


def _unseen(known: GoldInFolds, by_part: Mapping[int, LabelModel]) -> Outcome:
    """What is said of each gold point by the model that has not seen its fold."""
    gold = known.gold
    probs, predicted = np.empty(gold.Y.shape), np.empty(gold.Y.shape, np.int8)
    for part, fitted in by_part.items():
        inside = np.flatnonzero(known.fold == part)
        probs[inside] = fitted.predict_proba(gold.L[inside])
        predicted[inside] = fitted.decide(probs[inside])
    return Outcome(probs, predicted)


def _calibrate(
    metric: Metric, known: GoldInFolds, model: LabelModel, by_part: Mapping[int, LabelModel]
) -> str:
    """Calibrate the models on gold that they have not seen where that is better; whether it was, and why.

    Points without votes have no say: they keep the class balance, whatever votes are worth.
    """
    if not can_calibrate(model.fitted_):
        return ""
    rows, exclusive = np.flatnonzero(covered(known.gold.L)), metric.problem.exclusive
    said = _unseen(known, by_part).rows(rows)
    fold, points = known.fold[rows], "gold points with votes"
    found = calibrate(metric, known.gold.Y[rows], said, fold, renames=exclusive, points=points)
    if found.calibrator is not None:
        model.fitted_ = calibrated_model(model.fitted_, found.calibrator)
        for part, unaware in by_part.items():
            made = found.by_fold.get(part, found.calibrator)
            unaware.fitted_ = unaware.fitted_ if made is None else calibrated_model(unaware.fitted_, made)
    return found.reason


def _choice(
    metric: Metric,
    known: GoldInFolds | None,
    names: Sequence[str],
    held_out: Mapping[str, Outcome],
    demanded: str | None,
    m: int,
) -> tuple[str, str, Outcome | None]:
    """The model that is used, why, and what is said of gold by models that it did not choose."""
    simplest = names[0]
    if demanded is not None:
        reason = f"{demanded} was asked for"
        if demanded not in names:
            reason = f"{simplest} is used: {reason} but cannot be fitted with {m} labelling functions"
        return simplest, reason, held_out.get(simplest)
    if known is None:
        reason = f"{simplest} is used because there is no gold to compare label models on"
        return simplest, reason, None
    n_covered = int(covered(known.gold.L).sum())
    if n_covered < MIN_GOLD:
        reason = (
            f"{simplest} is used because only {n_covered} gold points have votes, too few to compare label "
            f"models on ({MIN_GOLD} are needed)"
        )
        return simplest, reason, held_out[simplest]
    chosen, reason = _best(metric, known.gold, held_out)

    def by_others(rows: npt.NDArray[np.int64]) -> Outcome:
        if not len(rows):
            return held_out[names[0]]
        some = {name: said.rows(rows) for name, said in held_out.items()}
        return held_out[best(metric, known.gold.Y[rows], some).name]

    return chosen, reason, nested(by_others, known.fold)


def _best(metric: Metric, gold: Gold, held_out: Mapping[str, Outcome]) -> tuple[str, str]:
    """The model that `auto` takes, and why."""
    found = best(metric, gold.Y, held_out)
    name, tied = found.name, [other for other in found.tied if other != found.name]
    others = [f", {other} {metric.value(gold.Y, held_out[other]):.3f}" for other in held_out if other != name]
    what = (
        f"{in_words(metric, gold.Y, held_out[name])} on {len(gold)} gold points by cross-validation"
        f"{''.join(others)}"
    )
    if not tied:
        return name, f"{name} is best: {what}"
    loss = metric.problem.log_loss(gold.Y, held_out[name].probs)
    return name, (
        f"{name} is taken: {what}; gold cannot tell {listed(tied)} from it, and of these its log loss, "
        f"{loss:.3f}, is the lowest"
    )
