"""What a label model is: an estimator from votes to classes, with scikit-learn's conventions."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError
from sklearn.base import BaseEstimator, clone

from adaptml.errors import LabellingError
from adaptml.label_scoring import FittedModel, load_model, save_model
from adaptml.tasks import ProblemType
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of
from dataprogramming.label_models.core import Floats, Gold, Indicator, LabelMatrix, Sets
from dataprogramming.patterns import CastVotes, VotePatterns, as_patterns


class NoConfig(BaseModel):
    """Of label models that have nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelModel(ABC, BaseEstimator):  # type: ignore[misc]
    """From the votes of m labelling functions to the classes of n rows; k classes.

    A label model of your own is one module in `dataprogramming/label_models/` with a subclass and the line
    `LABEL_MODEL = TheSubclass`. The class attributes below say when `label` tries it; `_fit` learns from
    votes and gold. What it learns is a table of what each vote adds to each class: `adaptml.label_scoring`.

    Attributes:
        name: what `--label-model` calls it.
        problem: the problem type that it serves.
        order: its place among the label models of that type, the simplest first.
        needs_gold: it cannot be fitted without gold.
        min_lfs: it cannot be fitted with fewer labelling functions.
        only_on_demand: `auto` does not try it.
        takes_sets: it understands votes for sets of classes.
        title: what messages call it.
        Config: its parameters beside `cardinality`, one field each, with bounds and a description.
        fitted_: what `fit` learned, as plain arrays.

    Example:
        >>> L = np.array([[0, 0, 1], [1, -1, 1]], np.int8)
        >>> adaptml.MajorityVote(cardinality=2).fit(L).predict(L).tolist()
        [[1, 0], [0, 1]]
    """

    name: ClassVar[str]
    problem: ClassVar[ProblemType]
    order: ClassVar[int]
    needs_gold: ClassVar[bool] = False
    min_lfs: ClassVar[int] = 1
    only_on_demand: ClassVar[bool] = False
    takes_sets: ClassVar[bool] = False
    title: ClassVar[str] = "the label model"
    Config: ClassVar[type[BaseModel]] = NoConfig

    fitted_: FittedModel

    def __init__(
        self, cardinality: int = 2, sets: Sets = (), metric: Metric | None = None, **parameters: Any
    ) -> None:
        """Keep the parameters; they are checked by `fit`, as scikit-learn's are.

        Args:
            cardinality: the number k of classes.
            sets: s sets of class numbers; a vote k + i says that one of the classes of sets[i] applies.
            metric: what is chosen by where fitting has a choice, such as the number of epochs; None is the
                problem's plain measure.
            parameters: fields of `Config`.

        Raises:
            TypeError: a parameter that `Config` does not have.
        """
        self.cardinality = cardinality
        self.sets = sets
        self.metric = metric
        unknown = sorted(set(parameters) - set(self.Config.model_fields))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no parameter {', '.join(unknown)}")
        for field_name, field in self.Config.model_fields.items():
            setattr(self, field_name, parameters.get(field_name, field.get_default()))

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """What scikit-learn's `get_params`, `set_params` and `clone` work on."""
        return sorted(["cardinality", "metric", "sets", *cls.Config.model_fields])

    @property
    def config(self) -> Any:
        """The parameters, checked.

        Raises:
            LabellingError: values that cannot be used, all of them in one line.
        """
        return checked_config(self.Config, {name: getattr(self, name) for name in self.Config.model_fields})

    @abstractmethod
    def _fit(self, votes: Any, gold: Gold | None) -> FittedModel:
        """Learn.

        Args:
            votes: what `summary` made of the label matrix.
            gold: points whose classes are known, or None.
        """

    def _fit_many(self, votes: Any, golds: Sequence[Gold | None]) -> list[FittedModel]:
        """As `_fit`, from each of several golds; a label model for which that is cheaper together does so."""
        return [self._fit(votes, gold) for gold in golds]

    def summary(self, cast: CastVotes) -> Any:
        """All that fitting needs to know of the votes on n rows: the label matrix, or something smaller.

        It is computed once for several fits on the same votes and different gold.

        Raises:
            LabellingError: votes for sets of classes, and a label model that does not understand them.
        """
        if self.sets and not self.takes_sets:
            raise LabellingError(
                f"labelling functions may return one of {len(self.sets)} sets of classes, and the label "
                f"model {self.name} takes single classes only; {self._without_sets()}"
            )
        return self._summary(as_patterns(cast))

    def _summary(self, votes: VotePatterns) -> Any:
        return votes.matrix()

    def _without_sets(self) -> str:
        if self.problem.exclusive:
            return "use another label model, or let them return single classes"
        return "in a multilabel task, let them return single classes"

    def fit(
        self,
        L: npt.NDArray[Any],
        gold_L: npt.NDArray[Any] | None = None,
        gold_Y: npt.NDArray[Any] | None = None,
    ) -> Self:
        """Learn from votes, and from gold where there is some.

        Args:
            L: label matrix (n, m), integers in {-1, 0 … k + s - 1}; -1 abstains.
            gold_L: label matrix (g, m) of the gold points, or None.
            gold_Y: their classes (g, k), values in {0, 1}; exactly one 1 a row in multiclass.

        Raises:
            LabellingError: shapes or values that do not fit, gold that is needed and absent, too few
                labelling functions, a parameter that cannot be used, or training that fails.
        """
        votes = self._matrix(L, "L")
        gold = None
        if gold_L is not None and gold_Y is not None and len(gold_L):
            gold = Gold(self._matrix(gold_L, "gold_L", votes.shape[1]), self._classes(gold_Y, len(gold_L)))
        if gold is None and self.needs_gold:
            raise LabellingError(
                f"the label model {self.name} learns from gold and there is none; give gold_L and gold_Y"
            )
        if votes.shape[1] < self.min_lfs:
            raise LabellingError(
                f"{self.title} needs at least {self.min_lfs} labelling functions and L has the votes of "
                f"{votes.shape[1]}; write more of them, or use another label model"
            )
        return self.fit_summary(self.summary(votes), gold)

    def fit_summary(self, votes: Any, gold: Gold | None) -> Self:
        """As `fit`, on the summary of a label matrix."""
        self.fitted_ = self._fit(votes, gold)
        return self

    def fit_many(self, votes: Any, golds: Sequence[Gold | None]) -> list[Self]:
        """A fitted copy of this label model for each of several golds, on the summary of one label matrix."""
        copies: list[Self] = [clone(self) for _ in golds]
        for copy, fitted in zip(copies, self._fit_many(votes, golds), strict=True):
            copy.fitted_ = fitted
        return copies

    def goodness(self, fitted: FittedModel, gold: Gold) -> float:
        """The metric of a fitted model on gold, with the sign that makes more better."""
        metric = self.metric or accuracy_of(self.problem)
        probs = fitted.predict_proba(gold.L)
        return metric.sign * metric.value(gold.Y, Outcome(probs, fitted.decide(probs)))

    @property
    def warnings(self) -> list[str]:
        """What a user should know of how it was fitted; one sentence each."""
        return []

    def predict_proba(self, L: npt.NDArray[Any]) -> Floats:
        """Class probabilities of n rows.

        Args:
            L: label matrix (n, m), integers in {-1, 0 … k + s - 1}.

        Returns:
            float64 (n, k), values in [0, 1]; a row without votes gets the class balance.

        Raises:
            LabellingError: not fitted yet, or a label matrix that does not fit.
        """
        fitted = self._known()
        return fitted.predict_proba(self._matrix(L, "L", len(fitted.table)))

    def predict(self, L: npt.NDArray[Any]) -> Indicator:
        """The classes of n rows: int8 (n, k), values in {0, 1}; arguments and errors as `predict_proba`."""
        return self.decide(self.predict_proba(L))

    def decide(self, probs: Floats) -> Indicator:
        """The classes that probabilities (n, k) stand for: int8 (n, k), values in {0, 1}."""
        return self.problem.decide(probs, self._known().thresholds)

    def score(self, L: npt.NDArray[Any], Y: npt.NDArray[Any]) -> float:
        """Accuracy in multiclass, F1 over samples in multilabel, in [0, 1].

        Args:
            L: label matrix (n, m).
            Y: true classes (n, k), values in {0, 1}.
        """
        predicted = self.predict(L)
        return float(self.problem.scores(self._classes(Y, len(predicted)), predicted).mean())

    def save(self, path: str | Path) -> Path:
        """Write what was learned as one .npz file of plain arrays; returns the path."""
        fitted = self._known()
        numbers = [str(c) for c in range(self.cardinality)]
        save_model(fitted, numbers, [f"lf{j}" for j in range(len(fitted.table))], Path(path))
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> "LabelModel":
        """Read a label model of any kind from its file, also one that an earlier version wrote.

        Raises:
            LabellingError: no such file, one of something else, or of a label model that is not here.
        """
        # Named as text: the registry finds the modules of all kinds, each of which imports this one.
        label_models = import_module("dataprogramming.label_models.registry").label_models
        try:
            fitted, _, _ = load_model(Path(path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabellingError(
                f"{path} is not the file of a label model ({type(error).__name__}: {error}); "
                "name a label_model.npz"
            ) from error
        if fitted.name not in label_models():
            raise LabellingError(
                f"{path} is of the label model {fitted.name!r}; here are {', '.join(label_models())}"
            )
        made: LabelModel = label_models()[fitted.name](len(fitted.balance), fitted.sets, **fitted.params)
        made.fitted_ = fitted
        return made

    def _known(self) -> FittedModel:
        if not hasattr(self, "fitted_"):
            raise LabellingError(f"the label model {self.name} has not learned anything yet; call fit first")
        return self.fitted_

    def _matrix(self, L: npt.NDArray[Any], name: str, m: int | None = None) -> LabelMatrix:
        found = np.asarray(L)
        k, codes = self.cardinality, self.cardinality + len(self.sets)
        wrong = found.ndim != 2 or found.dtype.kind not in "iu" or (m is not None and found.shape[1] != m)
        if wrong or (found.size and not (found.min() >= -1 and found.max() < codes)):
            raise LabellingError(
                f"{name} is {found.dtype} of shape {found.shape}; expected a label matrix of integers "
                f"(rows, {m or 'labelling functions'}) from -1 to {codes - 1} for {k} classes"
                + (f" and {len(self.sets)} sets of them" if self.sets else "")
            )
        return found.astype(np.int8, copy=False)

    def _classes(self, Y: npt.NDArray[Any], n: int) -> Indicator:
        found = np.asarray(Y)
        if found.shape != (n, self.cardinality) or not np.isin(found, (0, 1)).all():
            raise LabellingError(
                f"the classes are an array of shape {found.shape}; expected ({n}, {self.cardinality}), 0 or 1"
            )
        return found.astype(np.int8, copy=False)


def checked_config(kind: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    """Parameters of a label model, checked.

    Raises:
        LabellingError: values that cannot be used, all of them in one line.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [f"{e['loc'][0]} is {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise LabellingError(f"the label model cannot be trained like this: {'; '.join(problems)}") from error
