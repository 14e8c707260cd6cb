"""What a sampler is, and keeping the best n of a stream."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:  # SQLAlchemy and MLflow take a third of a second and a second; `pull` does without
    from adaptml.features.points import Points
    from adaptml.runs.label_run import RunFiles

SCAN_ROWS = 50_000
RANDOM = "random"

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.object_]
InclusionProbability = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Source:
    """Where points are drawn from.

    Attributes:
        points: reads the table and its features.
        table: name of a data table.
        by: the column of `stratified`.
        vector: the vector column of `diverse`.
        run: the MLflow run of `uncertain`, `disagreement` and `uncovered`.
        only: the ids to draw from, in a fixed order; None for every row of the table.
    """

    points: "Points"
    table: str
    by: str | None = None
    vector: str | None = None
    run: "RunFiles | None" = None
    only: Mapping[str, None] | None = None

    def scan(self, columns: Sequence[str], excluded: AbstractSet[str]) -> Iterator[pd.DataFrame]:
        """`id` and columns of the rows to draw from, without those excluded, in chunks of a fixed order."""
        chunks = (
            self.points.database.scan(self.table, columns, chunk_rows=SCAN_ROWS)
            if self.only is None
            else self._read_chosen(list(self.only), columns)
        )
        for chunk in chunks:
            yield chunk[self.may_draw(chunk["id"].to_numpy(dtype=object), excluded)] if excluded else chunk

    def _read_chosen(self, ids: Sequence[str], columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        for start in range(0, len(ids), SCAN_ROWS):
            keys = pd.DataFrame({"table_name": self.table, "id": ids[start : start + SCAN_ROWS]}, dtype=str)
            yield self.points.read(keys, columns)

    def ids(self, excluded: AbstractSet[str]) -> Iterator[Ids]:
        """The ids to draw from in chunks of a fixed order, without those excluded."""
        for chunk in self.scan([], excluded):
            yield chunk["id"].to_numpy(dtype=object)

    def may_draw(self, ids: Ids, excluded: AbstractSet[str]) -> npt.NDArray[np.bool_]:
        """Which of n ids may be drawn, bool (n,): those to draw from that are not excluded."""
        only = self.only
        chosen = (key not in excluded and (only is None or key in only) for key in ids)
        return np.fromiter(chosen, dtype=bool, count=len(ids))

    def there(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of n ids that are known from elsewhere are still in the table, bool (n,)."""
        if self.only is not None:  # they were looked for when they were read
            return np.ones(len(ids), dtype=bool)
        return self.points.database.present(pd.DataFrame({"table_name": self.table, "id": ids}, dtype=object))


@dataclass(frozen=True)
class Draw:
    """The result of one sampler.

    Attributes:
        ids: at most n different ids.
        inclusion_prob: gives for m ids the probability in [0, 1] with which this sampler takes each of them,
            float64 (m,); NaN where it cannot be told.
    """

    ids: list[str]
    inclusion_prob: InclusionProbability


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
        parts: how many points each sampler gave, in the order of the frame; empty where no sampler drew them.
    """

    frame: pd.DataFrame
    sampling: str
    n: int
    seed: int
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The data table of the points."""
        return str(self.frame["table_name"].iloc[0])

    @property
    def name(self) -> str:
        """Names this draw among others of the same table."""
        return f"{self.sampling} n={self.n} seed={self.seed}"


class TopN:
    """The n ids with the highest scores of a stream, ties settled at random; memory for n ids."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self._n, self._rng = n, rng
        self._ids: Ids = np.empty(0, dtype=object)
        self._scores: Floats = np.empty(0)
        self._random_keys: Floats = np.empty(0)

    def add(self, ids: Ids, scores: Floats | None = None) -> None:
        """Offer some ids; without scores all are alike. Every id gets one random number, in order."""
        random_keys = self._rng.random(len(ids))
        new = np.zeros(len(ids)) if scores is None else scores
        self._ids = np.concatenate([self._ids, ids])
        self._scores = np.concatenate([self._scores, new])
        self._random_keys = np.concatenate([self._random_keys, random_keys])
        kept = np.lexsort((self._random_keys, -self._scores))[: self._n]
        self._ids, self._scores = self._ids[kept], self._scores[kept]
        self._random_keys = self._random_keys[kept]

    @property
    def ids(self) -> list[str]:
        """The ids, best first."""
        return [str(key) for key in self._ids]

    @property
    def scores(self) -> Floats:
        """Their scores, highest first."""
        return self._scores


def unknown(ids: Sequence[str]) -> Floats:
    """The inclusion probabilities of a sampler that cannot tell them: NaN for each id."""
    return np.full(len(ids), np.nan)
