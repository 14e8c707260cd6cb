"""The label models that are compared, each as a function from gold to a fitted model, the simplest first."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from dataprogramming.label_models.config import MIN_LFS, SnorkelConfig
from dataprogramming.label_models.core import (
    Gold,
    LabelMatrix,
    covered,
    truth,
)
from dataprogramming.label_models.majority import MAJORITY_VOTE, fit_majority
from dataprogramming.label_models.multilabel import EM, UNION, fit_em, fit_union
from dataprogramming.label_models.scoring import FittedModel, decide, predict_proba
from dataprogramming.label_models.snorkel_model import SNORKEL, Overlaps, fit_snorkel, overlaps
from dataprogramming.label_models.weighted_vote import WEIGHTED_VOTE, fit_weighted_vote

KNEE = "knee"
MULTICLASS_MODELS = (MAJORITY_VOTE, WEIGHTED_VOTE, SNORKEL)
MULTILABEL_MODELS = (UNION, EM, KNEE)
EPOCHS_WITHOUT_GOLD = 100  # Snorkel's own default
EPOCHS_TRIED = (10, 30, 100, 300, 1000)
MIN_GOLD = 20  # gold points with votes; below, label models differ by chance more than by merit

Fit = Callable[[Gold | None], FittedModel]


def candidates(
    problem: ProblemType,
    L: LabelMatrix,
    k: int,
    config: SnorkelConfig,
    *,
    has_gold: bool,
    demanded: str | None,
) -> dict[str, Fit]:
    """Name → how to fit it on gold, or on None; from the simplest to the most involved.

    Weighted vote needs gold and Snorkel's model MIN_LFS LFs; the knee is there only when it is demanded.

    Args:
        problem: one class a point, or any number.
        L: label matrix (n, m) of the points to label.
        k: number of classes.
        config: how Snorkel's model is trained.
        has_gold: whether the models will be fitted with gold.
        demanded: a name that the user asked for, or None.
    """
    m = L.shape[1]
    counted = cache(lambda: overlaps(L, k))
    if not problem.exclusive:
        fits: dict[str, Fit] = {
            UNION: lambda gold: fit_union(m, gold, k),
            EM: lambda gold: fit_em(L, gold, k),
        }
        if demanded == KNEE and m >= MIN_LFS:
            fits[KNEE] = lambda gold: replace(
                _snorkel(counted(), gold, k, config, decision=KNEE), name=KNEE, decision=KNEE
            )
        return fits
    fits = {MAJORITY_VOTE: lambda gold: fit_majority(m, MULTICLASS.class_prior(truth(gold), k))}
    if has_gold:
        fits[WEIGHTED_VOTE] = lambda gold: fit_weighted_vote(gold or _no_gold(m, k))
    if m >= MIN_LFS:
        fits[SNORKEL] = lambda gold: _snorkel(counted(), gold, k, config, decision="argmax")
    return fits


def _snorkel(
    counted: Overlaps, gold: Gold | None, k: int, config: SnorkelConfig, decision: str
) -> FittedModel:
    """Snorkel's model with the number of epochs that does best on gold; of equals, the fewest."""
    if gold is None or covered(gold.L).sum() < MIN_GOLD:
        epochs = config.n_epochs or EPOCHS_WITHOUT_GOLD
        return fit_snorkel(counted, MULTICLASS.class_prior(truth(gold), k), config, [epochs])[epochs]
    most = config.n_epochs or max(EPOCHS_TRIED)
    grid = [*(epochs for epochs in EPOCHS_TRIED if epochs < most), most]
    models = fit_snorkel(counted, MULTICLASS.class_prior(truth(gold), k), config, grid)
    problem = MULTICLASS if decision == "argmax" else MULTILABEL
    scores = {}
    for epochs, model in models.items():
        named = decide(replace(model, decision=decision), predict_proba(model, gold.L))
        scores[epochs] = problem.scores(gold.Y, named).mean()
    return models[max(scores, key=lambda epochs: scores[epochs])]


def _no_gold(m: int, k: int) -> Gold:
    return Gold(np.empty((0, m), np.int8), np.empty((0, k), np.int8))
