"""Fitting all label models side by side and choosing one of them on gold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from adaptml.errors import LabellingError
from adaptml.tasks import ProblemType, folds
from dataprogramming.label_models.candidates import (
    KNEE,
    MIN_GOLD,
    MULTICLASS_MODELS,
    MULTILABEL_MODELS,
    Fit,
    candidates,
)
from dataprogramming.label_models.config import MIN_LFS, SnorkelConfig
from dataprogramming.label_models.core import Floats, Gold, Indicator, LabelMatrix, covered
from dataprogramming.label_models.scoring import FittedModel, decide, predict_proba
from dataprogramming.label_models.snorkel_model import SNORKEL
from dataprogramming.label_models.weighted_vote import WEIGHTED_VOTE

AUTO = "auto"
FOLDS = 5


@dataclass(frozen=True)
class HeldOut:
    """What a label model says of gold points that it was not fitted on.

    Attributes:
        probs: float64 (g, k).
        named: int8 (g, k), the classes that it names.
    """

    probs: Floats
    named: Indicator


@dataclass(frozen=True)
class Selection:
    """All label models and the one that was chosen.

    Attributes:
        models: name → the model fitted with all gold, the simplest first.
        held_out: name → what it says of gold by cross-validation; empty without gold.
        chosen: name of the chosen one.
        reason: one sentence: why.
        warnings: one sentence each.
    """

    models: Mapping[str, FittedModel]
    held_out: Mapping[str, HeldOut]
    chosen: str
    reason: str
    warnings: list[str] = field(default_factory=list)

    @property
    def model(self) -> FittedModel:
        """The chosen model."""
        return self.models[self.chosen]


def select_label_model(
    problem: ProblemType,
    L: LabelMatrix,
    gold: Gold | None,
    k: int,
    *,
    choice: str = AUTO,
    config: SnorkelConfig | None = None,
) -> Selection:
    """Fit every label model and choose one.

    With gold, each model is judged by cross-validation in FOLDS parts: whatever it takes from gold (class
    balance, weights, thresholds, the number of epochs) comes from the other parts. `auto` then takes the
    simplest model whose figure (accuracy; F1 over samples in multilabel) is within one standard error of the
    best one's, the error being that of the mean difference per point. Without gold, or with fewer than
    MIN_GOLD gold points that have votes, it takes the simplest: majority vote, or the union of votes in
    multilabel.

    Args:
        problem: one class a point, or any number.
        L: label matrix (n, m) of the points to label, values in {-1, 0 … k-1}.
        gold: points whose classes are known, or None.
        k: number of classes.
        choice: `auto` or the name of a label model.
        config: how Snorkel's model is trained; its seed also shuffles the gold points into parts.

    Raises:
        LabellingError: no LF votes on any point, an unknown label model, or one that needs gold without gold.
    """
    config = config or SnorkelConfig()
    gold = gold if gold is not None and len(gold) else None
    _check(problem, L, gold, choice)
    demanded = None if choice == AUTO else choice
    fits = candidates(problem, L, k, config, has_gold=gold is not None, demanded=demanded)
    models = {name: fit(gold) for name, fit in fits.items()}
    held_out = {} if gold is None else {name: _hold_out(fit, gold, config.seed) for name, fit in fits.items()}
    warnings = []
    if L.shape[1] < MIN_LFS and (problem.exclusive or choice == KNEE):
        warnings.append(
            f"Snorkel's label model needs at least {MIN_LFS} labelling functions and there are {L.shape[1]}: "
            "it was left out"
        )
    if demanded is None:
        chosen, reason = _choose(problem, gold, held_out, next(iter(models)))
    elif demanded in models:
        chosen, reason = demanded, f"{demanded} was asked for"
    else:
        chosen = next(iter(models))
        reason = (
            f"{chosen} is used: {demanded} was asked for but cannot be fitted with "
            f"{L.shape[1]} labelling functions"
        )
    return Selection(models, held_out, chosen, reason, warnings)


def _check(problem: ProblemType, L: LabelMatrix, gold: Gold | None, choice: str) -> None:
    known = MULTICLASS_MODELS if problem.exclusive else MULTILABEL_MODELS
    if choice not in (AUTO, *known):
        raise LabellingError(
            f"no label model {choice!r} for {problem} tasks; expected {AUTO}, {', '.join(known)}"
        )
    if choice == WEIGHTED_VOTE and gold is None:
        raise LabellingError(
            f"the label model {WEIGHTED_VOTE} learns its weights from gold and there is none; "
            f"give development data or choose {AUTO}, {MULTICLASS_MODELS[0]} or {SNORKEL}"
        )
    if not covered(L).any():
        raise LabellingError(
            f"none of the {L.shape[1]} labelling functions votes on any of the {len(L)} data points; "
            "look at their keywords and at the LF features that the task names"
        )


def _hold_out(fit: Fit, gold: Gold, seed: int) -> HeldOut:
    part = folds(gold.Y, FOLDS, seed)
    probs, named = np.empty(gold.Y.shape), np.empty(gold.Y.shape, np.int8)
    for fold in range(min(FOLDS, len(gold))):
        inside = np.flatnonzero(part == fold)
        model = fit(gold.rows(np.flatnonzero(part != fold)))
        probs[inside] = predict_proba(model, gold.L[inside])
        named[inside] = decide(model, probs[inside])
    return HeldOut(probs, named)


def _choose(
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
    scores = {name: problem.scores(gold.Y, out.named) for name, out in held_out.items()}
    best = max(scores, key=lambda name: scores[name].mean())
    chosen = next(name for name in scores if _is_as_good(scores[name], scores[best]))
    figure = problem.measure_title
    others = ", ".join(f"{name} {scores[name].mean():.3f}" for name in scores if name != chosen)
    what = f"{figure} {scores[chosen].mean():.3f} on {len(gold)} gold points by cross-validation, {others}"
    if chosen == best:
        return chosen, f"{chosen} is best: {what}"
    return chosen, f"{chosen} is within one standard error of the best, {best}, and simpler: {what}"


def _is_as_good(scores: Floats, best: Floats) -> bool:
    difference = best - scores
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return bool(difference.mean() <= error * (1 + 1e-9))
