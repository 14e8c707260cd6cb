"""Snorkel's label model: how good each LF is, from how often LFs agree; no gold is needed."""

from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from adaptml.tasks import MULTICLASS, ProblemType
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.config import MIN_LFS, SnorkelConfig
from dataprogramming.label_models.core import MIN_GOLD, Gold, LabelMatrix, covered, truth
from dataprogramming.label_models.scoring import Decision, FittedModel, argmax, softmax
from dataprogramming.label_models.snorkel_training import Overlaps, overlaps, train_snorkel

EPOCHS_WITHOUT_GOLD = 100  # Snorkel's own default
EPOCHS_TRIED = (10, 30, 100, 300, 1000)


class SnorkelLabelModel(LabelModel):
    """Snorkel's LabelModel: Ratner et al. (2019), https://arxiv.org/abs/1810.02840.

    The predictions are those of Snorkel's own code on the same seed and number of epochs. With gold, that
    number is the one that does best on it; of equals, the fewest. Parameters are the fields of
    `SnorkelConfig`. Its weights are the estimated share of each LF's votes that are right.

    Example:
        >>> L = np.array([[0, 0, 0], [1, 1, -1], [0, 1, 0], [1, 1, 1]] * 5)
        >>> adaptml.SnorkelLabelModel(cardinality=2, n_epochs=50).fit(L).predict(L[:2]).tolist()
        [[1, 0], [0, 1]]
    """

    name, order, min_lfs = "snorkel", 2, MIN_LFS
    problem: ClassVar[ProblemType] = MULTICLASS
    title = "Snorkel's label model"
    Config: ClassVar[type[BaseModel]] = SnorkelConfig

    def _decision(self) -> Decision:
        return argmax

    def summary(self, L: LabelMatrix) -> Overlaps:
        """How often votes meet."""
        return overlaps(L, self.cardinality)

    def _fit(self, votes: Overlaps, gold: Gold | None) -> FittedModel:
        config: SnorkelConfig = self.config
        judged = gold if gold is not None and covered(gold.L).sum() >= MIN_GOLD else None
        most = config.n_epochs or (EPOCHS_WITHOUT_GOLD if judged is None else max(EPOCHS_TRIED))
        grid = [most] if judged is None else [*(e for e in EPOCHS_TRIED if e < most), most]
        balance = MULTICLASS.class_prior(truth(gold), self.cardinality)
        limits, params = np.full(len(balance), 0.5), config.model_dump()
        models = {
            epochs: FittedModel(
                self.name,
                softmax,
                self._decision(),
                balance,
                trained.table,
                limits,
                trained.weights,
                epochs,
                params,
            )
            for epochs, trained in train_snorkel(votes, balance, config, grid).items()
        }
        if judged is None:
            return models[most]
        scores = {epochs: self._score_of(model, judged) for epochs, model in models.items()}
        return models[max(scores, key=lambda epochs: scores[epochs])]

    def _score_of(self, model: FittedModel, gold: Gold) -> float:
        predicted = model.decide(model.predict_proba(gold.L))
        return float(self.problem.scores(gold.Y, predicted).mean())


LABEL_MODEL = SnorkelLabelModel
