"""The end model: one classifier or several behind the label sets of a task, on hard or soft labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from adaptml.errors import ModelError
from adaptml.label_scoring import calibrated
from adaptml.tasks import MULTICLASS, ProblemType, problem_type
from modelling.algorithms import storage
from modelling.algorithms.classifiers import (
    Classifier,
    algorithm_name,
    classifier,
    skops_types,
    takes_weights,
)
from modelling.algorithms.core import CONSTANT, ENSEMBLE, LABEL_MODEL, Algorithm, Floats, Matrix
from modelling.algorithms.fitting import Fitting, fit_exclusive, fit_per_class, one_class
from modelling.algorithms.log_odds import distributions, equal_weights, of_log_odds, pooled
from modelling.algorithms.many import at_once, fit_many
from modelling.algorithms.many_rows import ManyRows, OneBlock
from modelling.algorithms.registry import named_takes_texts
from modelling.algorithms.soundness import is_sound
from modelling.algorithms.text_algorithm import TextAlgorithm, tensors_beside
from modelling.algorithms.transformer_model import TextClassifier

Indicator = npt.NDArray[np.int8]


class EndModel(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier of label sets over feature vectors, and over votes where it was trained with them.

    Multiclass trains one classifier. Multilabel trains one that learns all classes at once where the
    algorithm can and the labels are hard, else one per class.

    Attributes:
        algorithm: name of an algorithm, or any classifier that follows scikit-learn's conventions; or
            CONSTANT, LABEL_MODEL or ENSEMBLE, see `constant`, `of_votes` and `ensemble`.
        problem: one class a point, or any number.
        seed: of all random choices; a classifier's own random_state wins.
        base_model: an end model whose stacked log-odds are appended to the features, or None; one of texts is
            what another of texts begins with.
        scale: what those log-odds are multiplied by.
        vote_scale: what the label model's log-odds of a point's votes are multiplied by before they are
            appended to the features; 0: they are no features.
        k_: number of classes, once it is fitted.
        parts_: fitted scikit-learn classifiers: one in multiclass (whose classes are column numbers) and in
            native multilabel; else one per class, or a float where the class was the same on all rows.
        members_: of an ensemble, the m models that answer together; else none.
        member_weights_: how much each of them counts, float64 (m,), values >= 0 that sum to 1.
        unconverged_: one sentence where an optimiser stopped before it converged, else "".
        calibrator_: float64 (2, k) or (k + 1, k), what probabilities are calibrated with
            (`adaptml.label_scoring.calibrated`), or None.

    Example:
        >>> X = np.array([[0.0], [1.0]], np.float32)
        >>> model = EndModel("logistic_regression").fit(X, np.eye(2))
        >>> model.predict(X).tolist()
        [[1, 0], [0, 1]]
    """

    k_: int
    parts_: tuple[Any, ...]
    members_: "tuple[EndModel, ...]" = ()
    member_weights_: Floats
    unconverged_: str = ""
    calibrator_: Floats | None = None

    def __init__(
        self,
        algorithm: "str | Classifier" = "logistic_regression",
        problem: ProblemType = MULTICLASS,
        *,
        seed: int = 0,
        base_model: "EndModel | None" = None,
        scale: float = 1.0,
        vote_scale: float = 0.0,
    ) -> None:
        self.algorithm, self.problem, self.seed = algorithm, problem, seed
        self.base_model, self.scale, self.vote_scale = base_model, scale, vote_scale

    @classmethod
    def constant(cls, problem: ProblemType, shares: Floats) -> Self:
        """A model that says the same of every point: the shares of the classes, float64 (k,)."""
        model = cls(CONSTANT, problem)
        model.k_, model.parts_ = len(shares), tuple(map(float, shares))
        return model

    @classmethod
    def of_votes(cls, problem: ProblemType, limits: Floats) -> Self:
        """The label model itself: a point's votes alone say what it is.

        Args:
            problem: one class a point, or any number.
            limits: above which probability the label model names each class, float64 (k,), values in (0, 1);
                only classes that do not exclude each other have any. Odds are divided by theirs, as every
                end model names a class above 0.5.
        """
        model = cls(LABEL_MODEL, problem, vote_scale=1.0)
        model.k_, model.parts_ = len(limits), tuple(map(float, limits))
        return model

    @classmethod
    def ensemble(cls, members: "Sequence[EndModel]", weights: Floats | None = None) -> Self:
        """Models that answer together, by the weighted mean of their log-odds.

        It is a logarithmic opinion pool (Genest and Zidek 1986, https://doi.org/10.1214/ss/1177013825).

        Args:
            members: m >= 2 of the same problem and classes, none of them an ensemble.
            weights: how much each counts, float64 (m,), values >= 0 that sum to 1; None: all alike.
        """
        model = cls(ENSEMBLE, members[0].problem)
        model.k_, model.members_, model.parts_ = members[0].k_, (*members,), ()
        model.member_weights_ = equal_weights(len(members)) if weights is None else weights
        model.unconverged_ = next((one.unconverged_ for one in members if one.unconverged_), "")
        return model

    @property
    def takes_votes(self) -> bool:
        """Whether the label model's log-odds of a point's votes are among its features."""
        return self.vote_scale > 0 or any(one.takes_votes for one in self.members_)

    @property
    def all_parts(self) -> tuple[Any, ...]:
        """`parts_`, of an ensemble those of all members."""
        return (*self.parts_, *(part for one in self.members_ for part in one.parts_))

    def fit(
        self,
        X: Matrix | ManyRows | OneBlock,
        targets: npt.NDArray[Any],
        sample_weight: Floats | None = None,
        V: Matrix | None = None,
        *,
        n_gold: int = 0,
        show_progress: bool = False,
    ) -> Self:
        """Train.

        Args:
            X: float32 (n, d), finite; NaN where the algorithm takes missing numbers; texts, (n, c), where it
                takes these; `OneBlock` where several models learn from the same rows. Of more rows than are
                held in memory, an algorithm that `learns_in_blocks` does so; another one has them all read,
                where there is room.
            targets: (n, k). Zeros and ones: hard labels (one 1 a row in multiclass). Other values in [0, 1]:
                soft labels, which train on each row as each class, weighted by its probability (noise-aware
                training: Ratner et al. 2016, https://arxiv.org/abs/1605.07723).
            sample_weight: how much each row counts, float64 (n,), values >= 0; default: all alike.
            V: `vote_log_odds` of the rows, float32 (n, k), where votes are features.
            n_gold: how many of the last rows are gold, which says when an algorithm of texts stops.
            show_progress: draw a bar, where it takes minutes.

        Raises:
            ModelError: one class only; soft labels or weights for an algorithm that takes no weights; many
                rows for one that learns from all at once, and no room for them.
            ValueError: numbers that are not finite; X, targets and weights of different lengths.
        """
        made, Y = classifier(self.algorithm), np.asarray(targets, dtype=np.float64)
        if isinstance(made, TextAlgorithm):
            return self._fit_texts(made, X, Y, sample_weight, n_gold=n_gold, show_progress=show_progress)
        is_soft = bool(np.any((Y != 0) & (Y != 1)))
        if not takes_weights(made) and (is_soft or sample_weight is not None):
            raise ModelError(
                f"{algorithm_name(self.algorithm)} cannot train on soft labels or weighted rows; "
                "train it on hard labels, or choose an algorithm that takes sample weights"
            )
        if isinstance(made, Algorithm) and (rows := self._in_blocks(made, X, V)) is not None:
            return self._fit_many(made, rows, Y, sample_weight, show_progress=show_progress)
        features = at_once(made, X) if isinstance(X, ManyRows) else self._features(_in_memory(X), V)
        fitting = Fitting(made, self.seed, features, sample_weight)
        parts = fit_exclusive(fitting, Y) if self.problem.exclusive else fit_per_class(fitting, Y, is_soft)
        self.parts_, self.k_ = tuple(parts), Y.shape[1]
        self.unconverged_, self.calibrator_ = fitting.unconverged(), None
        return self

    def _in_blocks(
        self, made: Algorithm, X: Matrix | ManyRows | OneBlock, V: Matrix | None
    ) -> ManyRows | OneBlock | None:
        """The rows as blocks, where the algorithm learns such rows by these."""
        if isinstance(X, ManyRows):
            return X if made.learns_in_blocks() else None
        if not made.block_in_memory:
            return None
        return X if isinstance(X, OneBlock) else OneBlock.of(self._features(X, V))

    def _fit_many(
        self,
        made: Algorithm,
        X: ManyRows | OneBlock,
        Y: Floats,
        weights: Floats | None,
        *,
        show_progress: bool,
    ) -> Self:
        parts, self.unconverged_ = fit_many(
            made,
            X,
            Y,
            weights,
            exclusive=self.problem.exclusive,
            seed=self.seed,
            show_progress=show_progress and isinstance(X, ManyRows),
        )
        self.parts_, self.k_, self.calibrator_ = tuple(parts), Y.shape[1], None
        return self

    def _fit_texts(
        self, made: TextAlgorithm, X: Any, Y: Floats, weights: Floats | None, **given: Any
    ) -> Self:
        if self.takes_votes:
            raise ModelError(
                f"{made.name} learns from texts alone, and not from votes; choose a strategy "
                "without, such as stacked"
            )
        if self.problem.exclusive and (Y.sum(axis=0) > 0).sum() < 2:
            raise one_class()
        if made.random_state is None:
            made.set_params(random_state=self.seed)
        start = None if self.base_model is None else self.base_model.parts_[0]
        self.parts_ = (made.fit_targets(X, Y, weights, problem=self.problem, start=start, **given),)
        # The one that it began with is part of what came out.
        self.k_, self.base_model, self.calibrator_ = Y.shape[1], None, None
        return self

    def predict_proba(self, X: Matrix | ManyRows | OneBlock, V: Matrix | None = None) -> Floats:
        """Class probabilities, in class order whatever classes the training data held.

        Args:
            X: float32 (n, d), finite; NaN where the algorithm takes missing numbers.
            V: `vote_log_odds` of the rows, float32 (n, k); needed where `takes_votes`, else not looked at.

        Returns:
            float64 (n, k), values in [0, 1]; rows sum to 1 in multiclass.

        Raises:
            ModelError: votes are features and there are none.
        """
        probs = self._before_calibrating(X if isinstance(X, ManyRows) else _in_memory(X), V)
        if self.calibrator_ is not None and len(X):
            probs = calibrated(probs, self.calibrator_, exclusive=self.problem.exclusive)
        return probs

    def _before_calibrating(self, X: Matrix | ManyRows, V: Matrix | None) -> Floats:
        probs = np.zeros((len(X), self.k_))
        if isinstance(X, ManyRows):
            for block in X.blocks():
                heard = None if V is None else V[block.rows]
                probs[block.rows] = self._before_calibrating(block.matrix(), heard)
            return probs
        if len(X) == 0:
            return probs
        if self.members_:
            each = [one.predict_proba(X, V if one.takes_votes else None) for one in self.members_]
            return pooled(self.problem, each, self.member_weights_)
        if self.algorithm == CONSTANT:
            return np.tile(np.array(self.parts_, np.float64), (len(X), 1))
        if self.algorithm == LABEL_MODEL:
            return of_log_odds(self.problem, self._votes(V), np.array(self.parts_))
        X = self._features(X, V)
        if self.problem.exclusive:
            probs[:, self.parts_[0].classes_] = self.parts_[0].predict_proba(X)
            return distributions(probs)
        if len(self.parts_) < self.k_:
            return np.asarray(np.clip(self.parts_[0].predict_proba(X), 0.0, 1.0), np.float64)
        for c, part in enumerate(self.parts_):
            probs[:, c] = part if isinstance(part, float) else part.predict_proba(X)[:, 1]
        return np.clip(probs, 0.0, 1.0)

    def predict(self, X: Matrix, V: Matrix | None = None) -> Indicator:
        """The classes of each row of X, float32 (n, d): int8 (n, k), values in {0, 1}; V as above."""
        return self.problem.decide(self.predict_proba(X, V))

    def score(self, X: Matrix, Y: Indicator, V: Matrix | None = None) -> float:
        """The problem's measure on rows X (n, d) with classes Y (n, k): accuracy, or F1 over samples."""
        return float(self.problem.scores(np.asarray(Y, np.int8), self.predict(X, V)).mean())

    def save(self, path: Path | str) -> None:
        """Write the fitted model to one file, without pickle, and what was fine-tuned to `tensors_beside` it.

        Raises:
            ModelError: its classifier holds types that could not be loaded again.
        """
        storage.dump(_content(self), Path(path))
        for part in self.parts_:
            if isinstance(part, TextClassifier):
                part.save(tensors_beside(path))

    @staticmethod
    def load(path: Path | str) -> "EndModel":
        """Read what `save` wrote, in this version or an earlier one.

        Raises:
            ModelError: the file is absent, is no end model, or holds types that no algorithm here uses.
        """
        return _end_model(storage.load(Path(path), skops_types(), "parts"), Path(path))

    def _features(self, X: Matrix, V: Matrix | None) -> Matrix:
        more = []
        if self.base_model is not None:
            more.append(np.float32(self.scale) * stacked_log_odds(self.base_model, X))
        if self.takes_votes:
            more.append(np.float32(self.vote_scale) * self._votes(V))
        return np.hstack([X, *more]) if more else X

    def _votes(self, V: Matrix | None) -> Matrix:
        if V is None:
            raise ModelError(
                "the model's features include votes and none were given; give V, or ask the model of vectors "
                "alone that was trained beside it"
            )
        return V


def _in_memory(X: Matrix | OneBlock) -> Matrix:
    return X.matrix() if isinstance(X, OneBlock) else X


def stacked_log_odds(model: EndModel, X: Matrix) -> Matrix:
    """What a model says of rows (n, d), where evidence adds up: float32 (n, k).

    Logarithms of its probabilities in multiclass, of its odds in multilabel.
    """
    return model.problem.log_odds(model.predict_proba(X)).astype(np.float32)


def _content(model: EndModel) -> dict[str, Any]:
    parts = [part for part in model.parts_ if not isinstance(part, TextClassifier)]
    for part in parts:
        if not isinstance(part, float) and not type(part).__module__.startswith("sklearn."):
            storage.check_types(part, algorithm_name(model.algorithm), skops_types())
    return {
        "setting": model.problem.name,
        "algorithm": algorithm_name(model.algorithm),
        "k": model.k_,
        "parts": [storage.plain(part) for part in parts],
        "base_model": None if model.base_model is None else _content(model.base_model),
        "scale": float(model.scale),
        **({"vote_scale": float(model.vote_scale)} if model.takes_votes else {}),
        **({} if model.calibrator_ is None else {"calibrator": model.calibrator_.tolist()}),
        **(_content_of_members(model) if model.members_ else {}),
    }


def _content_of_members(model: EndModel) -> dict[str, Any]:
    members = [_content(one) for one in model.members_]
    return {"members": members, "member_weights": model.member_weights_.tolist()}


def _end_model(content: Any, path: Path) -> EndModel:
    try:
        base = content["first"] if "first" in content else content["base_model"]
        model = EndModel(
            content["algorithm"],
            problem_type(content["setting"]),
            base_model=None if base is None else _end_model(base, path),
            scale=content["scale"],
            vote_scale=content.get("vote_scale", 0.0),
        )
        model.k_, model.parts_ = content["k"], tuple(content["parts"])
        if named_takes_texts(model.algorithm):
            model.parts_ = (_read_tensors(path, model),)
        if "members" in content:
            model.members_ = tuple(_end_model(one, path) for one in content["members"])
            equal = equal_weights(len(model.members_))  # as in files of before
            model.member_weights_ = np.array(content.get("member_weights", equal), np.float64)
        if "calibrator" in content:
            model.calibrator_ = np.array(content["calibrator"], np.float64)
        sound = is_sound(model)
    except ModelError:
        raise
    except Exception as error:  # of types on our list, and put together in any way
        raise storage.not_a_model(path) from error
    if not sound:
        raise storage.not_a_model(path)
    return model


def _read_tensors(path: Path, model: EndModel) -> TextClassifier:
    part = TextClassifier.load(tensors_beside(path))
    found, expected = (part.model.k, part.model.setting), (model.k_, model.problem.name)
    if found != expected:
        raise ModelError(
            f"{tensors_beside(path)} tells {found[0]} classes, {found[1]}, and {path.name} {expected[0]}, "
            f"{expected[1]}; train the model again"
        )
    return part
