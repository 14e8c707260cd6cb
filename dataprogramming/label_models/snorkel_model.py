"""Snorkel's label model: how good each LF is, from how often LFs agree; no gold is needed."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from adaptml.label_scoring import Decision, FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS, ProblemType
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.config import MIN_LFS, SnorkelConfig
from dataprogramming.label_models.core import MIN_GOLD, Gold, covered, truth
from dataprogramming.label_models.overlaps import Overlaps, overlaps
from dataprogramming.label_models.snorkel_training import Trained, train_snorkel
from dataprogramming.patterns import VotePatterns

EPOCHS_WITHOUT_GOLD = 100  # Snorkel's own default
EPOCHS_TRIED = (10, 30, 100, 300, 1000)


class SnorkelLabelModel(LabelModel):
    """Snorkel's LabelModel: Ratner et al. (2019), https://arxiv.org/abs/1810.02840.

    The predictions are those of Snorkel's own code on the same seed and number of epochs. With gold, that
    number is the one that does best on it by the metric; of equals, the fewest. Parameters are the fields of
    `SnorkelConfig`. Where training diverges with the learning rate, it is repeated with half of it until it
    does not; `fitted_.params` has the rate that was used. Its weights are the estimated share of each LF's
    votes that are right.

    Example:
        >>> L = np.array([[0, 0, 0], [1, 1, -1], [0, 1, 0], [1, 1, 1]] * 5)
        >>> adaptml.SnorkelLabelModel(cardinality=2, n_epochs=50).fit(L).predict(L[:2]).tolist()
        [[1, 0], [0, 1]]
    """

    name, order, min_lfs = "snorkel", 2, MIN_LFS
    problem: ClassVar[ProblemType] = MULTICLASS
    title = "Snorkel's label model"
    Config: ClassVar[type[BaseModel]] = SnorkelConfig

    @property
    def warnings(self) -> list[str]:
        """Says so where the learning rate was too high."""
        lr, used = self.config.lr, self._known().params["lr"]
        if used == lr:
            return []
        return [f"the label model {self.name} diverges with lr {lr:g}, so it was trained with lr {used:g}"]

    def _decision(self) -> Decision:
        return argmax

    def _summary(self, votes: VotePatterns) -> Overlaps:
        return overlaps(votes, self.cardinality)

    def _fit(self, votes: Overlaps, gold: Gold | None) -> FittedModel:
        return self._fit_many(votes, [gold])[0]

    def _fit_many(self, votes: Overlaps, golds: Sequence[Gold | None]) -> list[FittedModel]:
        judged = [gold if gold is not None and covered(gold.L).sum() >= MIN_GOLD else None for gold in golds]
        balances = [MULTICLASS.class_prior(truth(gold), self.cardinality) for gold in golds]
        trained = train_snorkel(votes, balances, self.config, [self._epochs(gold) for gold in judged])
        return [self._best(models, gold) for models, gold in zip(trained, judged, strict=True)]

    def _epochs(self, judged: Gold | None) -> list[int]:
        """The numbers of epochs that are tried, rising."""
        if judged is None:
            return [self.config.n_epochs or EPOCHS_WITHOUT_GOLD]
        most = self.config.n_epochs or max(EPOCHS_TRIED)
        return [*(epochs for epochs in EPOCHS_TRIED if epochs < most), most]

    def _best(self, models: dict[int, Trained], judged: Gold | None) -> FittedModel:
        """The model that does best on gold, made one after the other: each may be large."""
        made = (self._made(epochs, trained) for epochs, trained in models.items())
        return next(made) if judged is None else max(made, key=lambda model: self.goodness(model, judged))

    def _made(self, epochs: int, trained: Trained) -> FittedModel:
        return FittedModel(
            self.name,
            softmax,
            self._decision(),
            trained.balance,
            trained.table,
            np.full(self.cardinality, 0.5),
            trained.weights,
            epochs,
            self.config.model_dump() | {"lr": trained.lr},
        )


LABEL_MODEL = SnorkelLabelModel
