"""Fitting label models side by side and choosing one of them on gold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel

from adaptml.errors import LabellingError
from adaptml.tasks import ProblemType, folds
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import MIN_GOLD, Floats, Gold, Indicator, LabelMatrix, covered
from dataprogramming.label_models.registry import config_fields, label_models_for

AUTO = "auto"
FOLDS = 5
Config = BaseModel | Mapping[str, Any]


@dataclass(frozen=True)
class HeldOut:
    """What a label model says of gold points that it was not fitted on.

    Attributes:
        probs: float64 (g, k).
        predicted: int8 (g, k), the classes that it names.
    """

    probs: Floats
    predicted: Indicator


@dataclass(frozen=True)
class Selection:
    """The label models that could be chosen and the one that was.

    Attributes:
        models: name → the model fitted with all gold, the simplest first; only those among which there was
            a choice.
        held_out: name → what it says of gold by cross-validation; empty without gold.
        chosen: name of the chosen one.
        reason: one sentence: why.
        warnings: one sentence each.
    """

    models: Mapping[str, LabelModel]
    held_out: Mapping[str, HeldOut]
    chosen: str
    reason: str
    warnings: list[str] = field(default_factory=list)

    @property
    def model(self) -> LabelModel:
        """The chosen model."""
        return self.models[self.chosen]


def select_label_model(
    problem: ProblemType,
    L: LabelMatrix,
    gold: Gold | None,
    k: int,
    *,
    choice: str = AUTO,
    config: Config | None = None,
) -> Selection:
    """Fit the label models that can be chosen, and choose one.

    With gold, each model is judged by cross-validation in FOLDS parts: whatever it takes from gold (class
    balance, weights, thresholds, the number of epochs) comes from the other parts. `auto` then takes the
    simplest model whose metric (accuracy; F1 over samples in multilabel) is within one standard error of the
    best one's, the error being that of the mean difference per point. Without gold, or with fewer than
    MIN_GOLD gold points that have votes, it takes the simplest: majority vote, or the union of votes in
    multilabel. The others are then not fitted, nor are they where one is demanded. A model that cannot be
    fitted is left out with a warning, unless it was demanded.

    Args:
        problem: one class a point, or any number.
        L: label matrix (n, m) of the points to label, values in {-1, 0 … k-1}.
        gold: points whose classes are known, or None.
        k: number of classes.
        choice: `auto` or the name of a label model.
        config: parameters of label models by name; each model takes those that it declares. `seed` also
            shuffles the gold points into parts.

    Raises:
        LabellingError: no LF votes on any point, an unknown label model, a parameter that none has or whose
            value cannot be used, a demanded model that needs gold without gold, or one that is demanded,
            or all, cannot be fitted.
    """
    gold = gold if gold is not None and len(gold) else None
    _check(problem, L, gold, choice)
    demanded = None if choice == AUTO else choice
    given = _parameters(config) | {"cardinality": k}
    seed = int(given.get("seed", 0))
    tried, warnings = _candidates(problem, L.shape[1], gold, demanded, given)
    models: dict[str, LabelModel] = {}
    held_out: dict[str, HeldOut] = {}
    for name, candidate in tried.items():
        try:
            models[name], out = _fit(candidate, L, gold, seed)
        except LabellingError as error:
            if len(tried) == 1:
                raise
            warnings.append(f"the label model {name} was left out: {error}")
            continue
        held_out |= {} if out is None else {name: out}
        warnings += models[name].warnings
    if not models:
        raise LabellingError(f"no label model can be fitted: {'; '.join(warnings)}")
    chosen, reason = _choice(problem, gold, models, held_out, demanded, L.shape[1])
    return Selection(models, held_out, chosen, reason, warnings)


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


def _check(problem: ProblemType, L: LabelMatrix, gold: Gold | None, choice: str) -> None:
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
    if not covered(L).any():
        raise LabellingError(
            f"none of the {L.shape[1]} labelling functions votes on any of the {len(L)} data points; "
            "look at their keywords and at the LF features that the task names"
        )


def _fit(
    candidate: LabelModel, L: LabelMatrix, gold: Gold | None, seed: int
) -> tuple[LabelModel, HeldOut | None]:
    """The label model fitted with all gold, and what it says of each gold point without having seen it."""
    votes = candidate.summary(L)
    if gold is None:
        return candidate.fit_many(votes, [None])[0], None
    part = folds(gold.Y, FOLDS, seed)
    others = [gold.rows(np.flatnonzero(part != fold)) for fold in range(min(FOLDS, len(gold)))]
    model, *without = candidate.fit_many(votes, [gold, *others])
    probs, predicted = np.empty(gold.Y.shape), np.empty(gold.Y.shape, np.int8)
    for fold, unaware in enumerate(without):
        inside = np.flatnonzero(part == fold)
        probs[inside] = unaware.predict_proba(gold.L[inside])
        predicted[inside] = unaware.decide(probs[inside])
    return model, HeldOut(probs, predicted)


def _choice(
    problem: ProblemType,
    gold: Gold | None,
    models: Mapping[str, LabelModel],
    held_out: Mapping[str, HeldOut],
    demanded: str | None,
    m: int,
) -> tuple[str, str]:
    """The model that is used, and why."""
    simplest = next(iter(models))
    if demanded is None:
        return _best(problem, gold, held_out, simplest)
    if demanded in models:
        return demanded, f"{demanded} was asked for"
    return simplest, (
        f"{simplest} is used: {demanded} was asked for but cannot be fitted with {m} labelling functions"
    )


def _best(
    problem: ProblemType, gold: Gold | None, held_out: Mapping[str, HeldOut], simplest: str
) -> tuple[str, str]:
    """The model that `auto` takes, and why."""
    if gold is None:
        return simplest, f"{simplest} is used because there is no gold to compare label models on"
    n_covered = int(covered(gold.L).sum())
    if n_covered < MIN_GOLD:
        return simplest, (
            f"{simplest} is used because only {n_covered} gold points have votes, too few to compare label "
            f"models on ({MIN_GOLD} are needed)"
        )
    scores = {name: problem.scores(gold.Y, out.predicted) for name, out in held_out.items()}
    best = max(scores, key=lambda name: scores[name].mean())
    chosen = next(name for name in scores if _is_as_good(scores[name], scores[best]))
    others = ", ".join(f"{name} {scores[name].mean():.3f}" for name in scores if name != chosen)
    what = (
        f"{problem.measure_title} {scores[chosen].mean():.3f} on {len(gold)} gold points by cross-validation"
        + (f", {others}" if others else "")
    )
    if chosen == best:
        return chosen, f"{chosen} is best: {what}"
    return chosen, (
        f"{chosen} and {best} cannot be told apart with {len(gold)} gold points; {chosen}, the simpler one, "
        f"is taken: {what}"
    )


def _is_as_good(scores: Floats, best: Floats) -> bool:
    difference = best - scores
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return bool(difference.mean() <= error * (1 + 1e-9))
