"""What a sampler is, and keeping the best n of a stream."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:  # SQLAlchemy and MLflow take a third of a second and a second; `pull` does without
    from adaptml.database import Database
    from adaptml.runs.label_run import RunFiles

SCAN_ROWS = 50_000
RANDOM = "random"

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.object_]
Chances = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Source:
    """Where points are drawn from.

    Attributes:
        database: holds the table.
        table: name of a data table.
        by: the column of `stratified`.
        vector: the vector column of `diverse`.
        run: the MLflow run of `uncertain`, `disagreement` and `uncovered`.
    """

    database: "Database"
    table: str
    by: str | None = None
    vector: str | None = None
    run: "RunFiles | None" = None

    def ids(self, excluded: AbstractSet[str]) -> Iterator[Ids]:
        """The table's ids in chunks, in their order, without those excluded."""
        for chunk in self.database.scan(self.table, [], chunk_rows=SCAN_ROWS):
            yield without(chunk["id"].to_numpy(dtype=object), excluded)


@dataclass(frozen=True)
class Draw:
    """What one sampler chose.

    Attributes:
        ids: at most n ids, none twice.
        chances: for any ids, the probability in [0, 1] with which this draw would have taken each of
            them; NaN where it cannot be told.
    """

    ids: list[str]
    chances: Chances


# Chooses at most n points of a source that are not excluded.
Sampler = Callable[[Source, int, np.random.Generator, AbstractSet[str]], Draw]


@dataclass(frozen=True)
class Sample:
    """Data points and how they were drawn.

    Attributes:
        frame: `table_name`, `id`, `inclusion_prob` (float in (0, 1], NaN where it cannot be told).
        sampling: as `random` or `uncertain:0.5,random:0.5`.
        n: how many were asked for.
        seed: seed of the draw.
    """

    frame: pd.DataFrame
    sampling: str
    n: int
    seed: int

    @property
    def name(self) -> str:
        """Names this draw among others of the same table."""
        return f"{self.sampling} n={self.n} seed={self.seed}"


class Best:
    """The n ids with the highest scores of a stream, ties settled at random; memory for n ids."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self._n, self._rng = n, rng
        self._ids: Ids = np.empty(0, dtype=object)
        self._scores: Floats = np.empty(0)
        self._lots: Floats = np.empty(0)

    def add(self, ids: Ids, scores: Floats | None = None) -> None:
        """Offer some ids; without scores all are alike. Every row draws one lot, in order."""
        lots = self._rng.random(len(ids))
        new = np.zeros(len(ids)) if scores is None else scores
        self._ids = np.concatenate([self._ids, ids])
        self._scores = np.concatenate([self._scores, new])
        self._lots = np.concatenate([self._lots, lots])
        kept = np.lexsort((self._lots, -self._scores))[: self._n]
        self._ids, self._scores, self._lots = self._ids[kept], self._scores[kept], self._lots[kept]

    @property
    def ids(self) -> list[str]:
        """The ids, best first."""
        return [str(key) for key in self._ids]

    @property
    def scores(self) -> Floats:
        """Their scores, highest first."""
        return self._scores


def without(ids: Ids, excluded: AbstractSet[str]) -> Ids:
    """The ids that are not excluded."""
    return ids if not excluded else ids[[key not in excluded for key in ids]]


def unknown(ids: Sequence[str]) -> Floats:
    """The chances of a draw that cannot tell them."""
    return np.full(len(ids), np.nan)
