"""An end model behind keys: data points in, class flags and probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from adaptml.errors import (
    AdaptmlError,
    FeatureError,
    MissingDataPointsError,
    ModelError,
    UnknownColumnError,
    listed,
    one_line,
)
from adaptml.features.catalogue import Reference
from adaptml.features.few_vectors import few_vectors
from adaptml.features.look_up import look_up
from adaptml.features.points import Points
from adaptml.features.reading import Rows
from adaptml.files import read_bounded
from adaptml.frames import KEYS
from adaptml.runs.models import FILES_FOLDER
from adaptml.tasks import MAX_CLASSES, ProblemType, problem_type
from adaptml.validation import validation_problems
from modelling import voting
from modelling.algorithms import EndModel
from modelling.algorithms.text_algorithm import tensors_beside
from modelling.algorithms.transformer_model import TextClassifier
from modelling.columns import Columns
from modelling.known_rows import for_known_rows
from modelling.voting import COMPUTED, Voted, Voting

CHUNK_ROWS = 10_000  # data points that are read and predicted at once, at most
CHUNK_NUMBERS = (
    3_000_000  # the same in numbers of their features: 12 MB, and a few times that while they are read
)
CLASSIFIER, NAMES = "classifier.skops", "names.json"
FILES = (CLASSIFIER, NAMES)
TENSORS = tensors_beside(CLASSIFIER).name  # of a model that was fine-tuned
# Where a registered model keeps them, and those of votes and of fine-tuning where it has any.
ALL_FILES = (*FILES, *voting.FILES, TENSORS, voting.TENSORS)
REGISTERED = tuple(f"{FILES_FOLDER}/{name}" for name in ALL_FILES)
PROB, ANSWERED_FROM = "prob_", "answered_from"
MAX_JSON_BYTES = 4 * 2**20
MAX_FEATURES, MAX_DIMENSIONS = 10_000, 10**7
_Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class Answer(NamedTuple):
    """What a model says of n data points.

    Attributes:
        probs: float64 (n, k), values in [0, 1].
        flags: int8 (n, k), 0 or 1.
        ways: of a model that takes votes, for each point one of `voting.WAYS`, object (n,); else None.
    """

    probs: npt.NDArray[np.float64]
    flags: npt.NDArray[np.int8]
    ways: npt.NDArray[np.object_] | None


@dataclass(frozen=True)
class KeyedModel:
    """A fitted classifier, the names of its features and classes, and what reads the features.

    Attributes:
        classifier: the end model.
        problem: one class a point, or any number.
        class_names: k names, in the classifier's order.
        features: the versions of features that it was trained on, concatenated in this order.
        dimensions: how many numbers a data point's features have.
        points: reads features.
        columns: what the model learned of columns with gaps and of categories.
        voting: whose votes it takes too; None where it takes none.
    """

    classifier: EndModel
    problem: ProblemType
    class_names: tuple[str, ...]
    features: tuple[Reference, ...]
    dimensions: int
    points: Points
    columns: Columns = field(default_factory=Columns)
    voting: Voting | None = None

    @property
    def takes_texts(self) -> bool:
        """Whether it was fine-tuned, and reads texts."""
        return any(isinstance(part, TextClassifier) for part in self.classifier.parts_)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that it is made of."""
        voted = () if self.voting is None else self.voting.files
        return (*FILES, *voted, *([TENSORS] if self.takes_texts else []))

    @property
    def ways(self) -> tuple[str, ...]:
        """Of `voting.WAYS`, those that its answers can come from; none of a model that takes no votes."""
        return () if self.voting is None else self.voting.ways

    @property
    def reads(self) -> list[Reference]:
        """All columns and versions of features that it and its rules read."""
        return list(dict.fromkeys([*self.features, *([] if self.voting is None else self.voting.reads)]))

    def answer(self, tables: Sequence[str], ids: Sequence[str]) -> Answer:
        """Flags and probabilities of n data points, read and predicted a chunk at a time.

        Args:
            tables: table of each point.
            ids: id of each; a point may be there more than once.

        Raises:
            FeatureError: features that are not what the model learned from.
            MissingDataPointsError: says all of the points that are missing.
            DatabaseError: as reading raises it.
        """
        distinct = dict.fromkeys(zip(tables, ids, strict=True))
        place = dict(zip(distinct, range(len(distinct)), strict=True))
        probs, ways = self._of_distinct([*distinct], asked=len(ids))
        if len(distinct) < len(ids):
            places = [place[key] for key in zip(tables, ids, strict=True)]
            probs, ways = probs[places], None if ways is None else ways[places]
        return Answer(probs, self.problem.decide(probs), ways)

    def predict(self, keys: pd.DataFrame) -> pd.DataFrame:
        """The same of a frame.

        Args:
            keys: frame with table_name and id (n rows); a point may be there more than once.

        Returns:
            Frame of n rows in the order of the keys: table_name and id, one 0/1 column per class, in the
            task's order, then one `prob_<class>` column per class; where it takes votes, then the column
            `answered_from`, which holds one of `voting.WAYS`.

        Raises:
            AdaptmlError: as `answer`.
        """
        said = self.answer(*(keys[key].tolist() for key in KEYS))
        flags = said.flags.astype(np.int64)
        columns: dict[str, object] = {key: keys[key].to_numpy() for key in KEYS}
        columns |= {name: flags[:, i] for i, name in enumerate(self.class_names)}
        columns |= {PROB + name: said.probs[:, i] for i, name in enumerate(self.class_names)}
        columns |= {} if said.ways is None else {ANSWERED_FROM: said.ways}
        return pd.DataFrame(columns, index=keys.index)

    def _of_distinct(
        self, keys: Sequence[tuple[str, str]], asked: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_] | None]:
        """Probabilities of n data points, none of them twice, (n, k), and the ways of their answers, (n,)."""
        rows = max(1, min(CHUNK_ROWS, CHUNK_NUMBERS // self.dimensions))
        probs = np.empty((len(keys), len(self.class_names)))
        ways = None if self.voting is None else np.empty(len(keys), dtype=object)
        missing: list[tuple[str, str]] = []
        for start in range(0, len(keys), rows):
            some = slice(start, start + rows)
            try:
                probs[some], voted = self._probabilities(*zip(*keys[some], strict=True))
            except MissingDataPointsError as error:
                missing += error.missing
                continue
            if ways is not None and voted is not None:
                ways[some] = voted.ways
        if missing:
            raise MissingDataPointsError(missing, asked=asked)
        return probs, ways

    def _probabilities(
        self, tables: Sequence[str], ids: Sequence[str]
    ) -> tuple[npt.NDArray[np.float64], Voted | None]:
        """Probabilities of some data points, (n, k), and the votes on them where it takes any."""
        scale = self.columns.scale(self.features)
        if self.voting is None and scale is not None:
            few = few_vectors(self.points, tables, ids, self.features)
            if few is not None and few.shape[1] == self.dimensions:
                few /= np.float32(scale)
                return self.classifier.predict_proba(few), None
        rows, with_inputs = self._read(tables, ids)
        matrix = np.hstack([self.columns.matrix(rows, feature) for feature in self.features])
        if matrix.shape[1] != self.dimensions:
            raise FeatureError(
                f"the features {listed(self.features)} have {matrix.shape[1]} numbers and the model learned "
                f"from {self.dimensions}; featurise with the encoder of the training, or train again"
            )
        if self.voting is None:
            return self.classifier.predict_proba(matrix), None
        voted = self.voting.of(tables, ids, rows if with_inputs else None)
        return self.voting.predict_proba(self.classifier, matrix, voted), voted

    def _read(self, tables: Sequence[str], ids: Sequence[str]) -> tuple[Rows, bool]:
        """The features of some data points, and whether what rules look at is there too.

        Both are read at once, as most of it lies in one table; where one of the tables lacks what rules look
        at, points have features all the same.
        """
        if self.voting is not None and COMPUTED in self.voting.ways:
            columns = [*self.features, *self.voting.rules.looked_at]
            try:
                return look_up(self.points, tables, ids, list(dict.fromkeys(columns))), True
            except (UnknownColumnError, FeatureError):
                pass
        return look_up(self.points, tables, ids, self.features), False


class Names(BaseModel):
    """What `names.json` says of a model.

    Attributes:
        setting: its problem type.
        classes: k names, in the classifier's order.
        features: as `KeyedModel` has them, as text.
        dimensions: numbers of a data point's features.
        columns: as `Columns.to_json` gives them.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    setting: str
    classes: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=MAX_CLASSES)]
    features: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=MAX_FEATURES)]
    dimensions: Annotated[int, Field(ge=1, le=MAX_DIMENSIONS)]
    columns: dict[_Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_FEATURES)

    @field_validator("classes")
    @classmethod
    def _differ(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("has a class twice")
        return classes


def read_names(path: Path) -> Names:
    """Read `names.json`, which somebody else can have written.

    Raises:
        ModelError: it is absent, is something else, or is larger than a model's can be.
    """
    try:
        return Names.model_validate_json(read_small(path))
    except (OSError, ValueError) as error:  # pydantic's is a ValueError
        raise _not_ours(path, error) from error


def read_small(path: Path) -> bytes:
    """A JSON file of a model, whole.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than MAX_JSON_BYTES.
    """
    return read_bounded(path, MAX_JSON_BYTES)


def _not_ours(path: Path, error: Exception) -> ModelError:
    why = validation_problems(error)[0] if isinstance(error, ValidationError) else one_line(error)
    return ModelError(f"{path} is not the file of an end model ({why}); train the model again")


def load_keyed_model(classifier: Path, names: Path, points: Points) -> KeyedModel:
    """Read a model from its two files, and from those of its votes beside them where it takes any.

    Raises:
        ModelError: a file is absent, is not of an end model, or they are not of the same.
    """
    said = read_names(names)
    try:
        problem, columns = problem_type(said.setting), Columns.from_json(said.columns)
        features = tuple(map(Reference.recorded, said.features))
    except (AdaptmlError, ValueError, KeyError, TypeError) as error:
        raise _not_ours(names, error) from error
    model = EndModel.load(classifier)
    if (model.k_, model.problem.name) != (len(said.classes), problem.name):
        raise ModelError(
            f"{classifier} tells {model.k_} classes, {model.problem.name}, and {names.name} says "
            f"{len(said.classes)}, {problem.name}; train the model again"
        )
    votes = Voting.load(names.parent, model, points) if model.takes_votes else None
    known = for_known_rows(model)
    return KeyedModel(known, problem, said.classes, features, said.dimensions, points, columns, votes)
