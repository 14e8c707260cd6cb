"""Votes as features of an end model that is asked: computed, stored, or none.

1. The service applies the rules itself, where all that the label model reads are data.
2. Others have been voted on by `lfs.py`, which no service runs: their votes are looked up in `<task>_votes`.
3. A point without either is answered from its vectors alone, by a model that was trained for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, ModelError, UnknownColumnError, one_line
from adaptml.features.catalogue import Reference
from adaptml.features.look_up import by_table, look_up
from adaptml.features.points import Points
from adaptml.features.reading import Rows, cells_of
from adaptml.label_scoring import FittedModel, load_model, save_model
from adaptml.rules.of_model import Cast, ModelRules
from adaptml.rules.stored_votes import Votes, read_votes
from adaptml.tasks import ABSTAIN, ProblemType
from modelling.algorithms import EndModel
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.log_odds import vote_log_odds
from modelling.algorithms.text_algorithm import tensors_beside
from modelling.algorithms.transformer_model import TextClassifier

LABEL_MODEL, RULES, WITHOUT_VOTES = "label_model.npz", "rules.json", "without_votes.skops"
FILES = (LABEL_MODEL, RULES, WITHOUT_VOTES)
TENSORS = tensors_beside(WITHOUT_VOTES).name  # of one that was fine-tuned
COMPUTED, STORED, NO_VOTES = "computed votes", "stored votes", "no votes"
WAYS = (COMPUTED, STORED, NO_VOTES)
MAX_LABEL_MODEL_BYTES = 64 * 2**20


class Voted(NamedTuple):
    """The votes on n data points.

    Attributes:
        votes: int8 (n, m), -1 abstains.
        ways: n of WAYS: where each point's votes come from; NO_VOTES where there are none.
    """

    votes: Votes
    ways: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Voting:
    """What an end model with votes among its features needs beside them.

    Attributes:
        label_model: turns votes into probabilities.
        rules: whose votes it reads.
        without_votes: answers points that have no votes.
        points: reads what rules look at, and votes that are stored.
    """

    label_model: FittedModel
    rules: ModelRules
    without_votes: EndModel
    points: Points

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that it is made of."""
        fine_tuned = any(isinstance(part, TextClassifier) for part in self.without_votes.parts_)
        return (*FILES, TENSORS) if fine_tuned else FILES

    @property
    def ways(self) -> tuple[str, ...]:
        """How points may be answered, the preferred way first."""
        return WAYS if not self.rules.not_data else WAYS[1:]

    @property
    def reads(self) -> list[Reference]:
        """Columns and versions of features that the rules look at."""
        return [Reference.recorded(name) for name in self.rules.inputs]

    def reading(self, here: Mapping[str, str]) -> Self:
        """The same where columns and versions are called otherwise: name there → name here."""
        columns = {name: here[there] for name, there in self.rules.columns.items()}
        return replace(self, rules=self.rules.model_copy(update={"columns": columns}))

    def of(self, tables: Sequence[str], ids: Sequence[str], rows: Rows | None = None) -> Voted:
        """The votes on n data points, which are there, none of them twice.

        Args:
            tables: table of each point.
            ids: id of each.
            rows: what `look_up` read of them, where all that rules look at is in it; default: it is read.

        Raises:
            DatabaseError: the database refuses.
        """
        votes, ways = self._none(len(ids))
        for table, at in by_table(tables).items():
            some = [ids[place] for place in at]
            here, there = self._none(len(at))
            if COMPUTED in self.ways:
                here, told = self._computed(table, some, rows, at)
                there[told] = COMPUTED
            left = np.flatnonzero(there == NO_VOTES)
            if len(left):
                found, stored = self._stored(table, [some[place] for place in left])
                here[left[stored]], there[left[stored]] = found[stored], STORED
            votes[at], ways[at] = here, there
        return Voted(votes, ways)

    def of_values(self, values: Mapping[str, Sequence[Any]]) -> Voted:
        """The votes on one point that is in no table; none where rules are no data, or look at more.

        Args:
            values: column or version of a feature → a list of its one value.
        """
        if self.rules.not_data or not {*map(str, self.rules.looked_at)} <= {*values}:
            return self._none(1)
        votes, told = self.rules.cast(values)
        return Voted(votes, np.array([COMPUTED if told[0] else NO_VOTES], dtype=object))

    def _none(self, n: int) -> Voted:
        """No votes on n data points."""
        return Voted(
            np.full((n, len(self.rules.rules)), ABSTAIN, np.int8), np.full(n, NO_VOTES, dtype=object)
        )

    def _computed(self, table: str, ids: Sequence[str], rows: Rows | None, at: Sequence[int]) -> Cast:
        """The votes of rules that are data on points of a table, which are `rows` at these places."""
        looked_at = self.rules.looked_at
        try:
            if rows is None:
                rows, at = look_up(self.points, [table] * len(ids), ids, looked_at), range(len(ids))
            cells = {str(name): cells_of(rows, str(name)) for name in looked_at}
            whole = len(at) == len(cells_of(rows, "id"))
            return self.rules.cast(cells if whole else {n: [c[i] for i in at] for n, c in cells.items()})
        except (UnknownColumnError, FeatureError):  # a table without what the rules look at
            return Cast(self._none(len(ids)).votes, np.zeros(len(ids), np.bool_))

    def _stored(self, table: str, ids: Sequence[str]) -> tuple[Votes, npt.NDArray[np.bool_]]:
        try:
            return read_votes(self.points, self.rules, table, ids)
        except (UnknownColumnError, FeatureError):
            return self._none(len(ids)).votes, np.zeros(len(ids), np.bool_)

    def log_odds(self, problem: ProblemType, votes: Votes) -> Matrix:
        """Votes (n, m) as the end model reads them: float32 (n, k)."""
        return vote_log_odds(problem, self.label_model.predict_proba(votes))

    def predict_proba(self, model: EndModel, X: Matrix, voted: Voted) -> Floats:
        """Probabilities of n points (n, k).

        Args:
            model: the end model, which takes votes.
            X: its other features, float32 (n, d).
            voted: the votes on the points.
        """
        with_votes = voted.ways != NO_VOTES
        probs = np.empty((len(X), model.k_))
        if with_votes.any():
            V = self.log_odds(model.problem, voted.votes[with_votes])
            probs[with_votes] = model.predict_proba(X[with_votes], V)
        if not with_votes.all():
            probs[~with_votes] = self.without_votes.predict_proba(X[~with_votes])
        return probs

    @classmethod
    def load(cls, folder: Path, model: EndModel, points: Points) -> "Voting":
        """Read what `write_voting` wrote, which somebody else can have written.

        Args:
            folder: the folder of the files.
            model: the end model that they belong to.
            points: reads data points.

        Raises:
            ModelError: a file is absent, is something else, or they are not of the same model.
        """
        rules = ModelRules.read(folder / RULES)
        without = EndModel.load(folder / WITHOUT_VOTES)
        label_model, names = _read_label_model(folder / LABEL_MODEL, len(rules.classes) + len(rules.sets))
        k = len(label_model.balance)
        sizes, same = {model.k_, without.k_, len(rules.classes), k}, tuple(names) == rules.names
        same = same and label_model.sets == rules.sets
        if len(sizes) > 1 or not same or without.problem.name != model.problem.name:
            raise ModelError(
                f"the label model in {folder} and its rules are not of the end model beside them; train the "
                "model again"
            )
        if without.takes_votes:
            raise ModelError(f"{folder / WITHOUT_VOTES} takes votes too; train the model again")
        return cls(label_model, rules, without, points)


def write_voting(
    label_model: FittedModel,
    rules: ModelRules,
    without_votes: EndModel,
    folder: Path,
) -> dict[str, Path]:
    """Write what `Voting.load` reads into a folder; returns the files by their names in MLflow."""
    save_model(label_model, list(rules.classes), list(rules.names), folder / LABEL_MODEL)
    rules.write(folder / RULES)
    without_votes.save(folder / WITHOUT_VOTES)
    files = {Path(name).stem: folder / name for name in FILES}
    if (folder / TENSORS).is_file():
        files["without_votes_tensors"] = folder / TENSORS
    return files


def _read_label_model(path: Path, n_codes: int) -> tuple[FittedModel, list[str]]:
    """A label model that answers every vote with probabilities, and the names of its labelling functions."""
    try:
        return _sound_label_model(path, n_codes)
    except Exception as error:  # whoever writes to MLflow made it: it can be broken in any way
        raise ModelError(
            f"{path} is no label model that can be read ({one_line(error)}); train the model again"
        ) from error


def _sound_label_model(path: Path, n_codes: int) -> tuple[FittedModel, list[str]]:
    with ZipFile(path) as file:
        unpacked = sum(part.file_size for part in file.infolist())
    if unpacked > min(path.stat().st_size, MAX_LABEL_MODEL_BYTES):
        raise ValueError(f"it would unpack to {unpacked:,} bytes")
    model, _, names = load_model(path)
    k = len(model.balance)
    if model.balance.shape != (k,) or model.table.ndim != 3 or model.table.shape[::2] != (len(names), k):
        raise ValueError("its arrays do not fit together")
    codes = np.arange(ABSTAIN, n_codes)
    probs = model.predict_proba(np.repeat(codes[:, None], len(names), axis=1))
    if not ((probs >= 0) & (probs <= 1)).all():
        raise ValueError("it answers with numbers that are no probabilities")
    return model, names
