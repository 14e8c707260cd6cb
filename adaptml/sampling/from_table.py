"""Samplers that need nothing but the table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from adaptml.errors import AnnotationError
from adaptml.sampling.core import Draw, Floats, Ids, Source, TopN, unknown

MAX_STRATA = 1_000
POOL_ROWS = 20_000  # vectors that `diverse` holds at once: 40 MB at 512 numbers each


def random(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Every point equally likely. With the same seed, a larger n holds the points of a smaller one."""
    best, total = TopN(n, rng), 0
    for ids in source.ids(excluded):
        best.add(ids)
        total += len(ids)
    return Draw(best.ids, lambda ids: np.full(len(ids), len(best.ids) / max(total, 1)))


def stratified(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Every value of a column in proportion to its rows, and at least once while n allows it.

    Raises:
        AnnotationError: no column was named, or it has more than `MAX_STRATA` values.
    """
    if source.by is None:
        raise AnnotationError("sampling is stratified and no column was named; name one with --by COLUMN")
    sizes: Counter[str | None] = Counter()
    for _, values in _strata(source, source.by, excluded):
        sizes.update(values)
        if len(sizes) > MAX_STRATA:
            raise AnnotationError(
                f"column {source.by!r} of table {source.table!r} has more than {MAX_STRATA} values; "
                "expected a column of few: name another with --by"
            )
    shares = _allocation(sizes, n)
    best = {value: TopN(share, rng) for value, share in shares.items() if share}
    for ids, values in _strata(source, source.by, excluded):
        column = np.array(values, dtype=object)
        for value in sorted(set(values) & set(best), key=str):
            best[value].add(ids[column == value] if value is not None else ids[pd.isna(column)])

    def inclusion_prob(ids: Sequence[str]) -> Floats:
        keys = pd.DataFrame({"table_name": source.table, "id": list(ids)}, dtype=str)
        values = [_stratum(value) for value in source.points.read(keys, [str(source.by)])[str(source.by)]]
        return np.array([shares[value] / sizes[value] if value in sizes else 0.0 for value in values])

    chosen = [key for value in sorted(best, key=str) for key in best[value].ids]
    return Draw(chosen, inclusion_prob)


def diverse(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Points that cover the space of a vector column: each is the one farthest from those before it.

    Farthest-first traversal (Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"),
    begun at the point nearest to the mean: no n points cover all others within half the radius. On tables of
    more than `POOL_ROWS` rows it runs on a random pool of that size (or of n, where that is more).

    Raises:
        AnnotationError: no vector column was named, or none of the points has a vector.
    """
    if source.vector is None:
        raise AnnotationError("sampling is diverse and no vector column was named; name one with --vector")
    pool = random(source, max(POOL_ROWS, n), rng, excluded).ids
    keys = pd.DataFrame({"table_name": source.table, "id": pool}, dtype=str)
    found = source.points.read(keys, [source.vector])[source.vector]
    present = [i for i, vector in enumerate(found) if isinstance(vector, np.ndarray)]
    if not present:
        raise AnnotationError(
            f"column {source.vector!r} of table {source.table!r} holds no vectors; "
            "fill it with `adaptml featurize`, or name another with --vector"
        )
    vectors = np.stack([found[i] for i in present]).astype(np.float32)
    chosen = _farthest_first(vectors, min(n, len(present)))
    return Draw([pool[present[i]] for i in chosen], unknown)


def _farthest_first(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]], n: int) -> list[int]:
    squares = np.einsum("nd,nd->n", vectors, vectors)

    def distances(point: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Floats:
        found: Floats = np.maximum(squares - 2 * (vectors @ point) + point @ point, 0).astype(np.float64)
        return found

    chosen = [int(distances(vectors.mean(axis=0)).argmin())]
    nearest = distances(vectors[chosen[0]])
    while len(chosen) < n:
        nearest[chosen[-1]] = -1.0  # never chosen again, not even where points are alike
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances(vectors[chosen[-1]]))
    return chosen


def _strata(source: Source, by: str, excluded: AbstractSet[str]) -> Iterator[tuple[Ids, list[str | None]]]:
    """Ids and their values of the column, in chunks."""
    for chunk in source.scan([by], excluded):
        yield chunk["id"].to_numpy(dtype=object), [_stratum(value) for value in chunk[by]]


def _stratum(value: object) -> str | None:
    """A value as the name of its stratum; None where it is missing."""
    return None if value is None or value != value else str(value)  # NaN is not itself


def _allocation(sizes: Counter[str | None], n: int) -> dict[str | None, int]:
    """How many points of each stratum: by largest remainder, at least one each while n allows it.

    >>> _allocation(Counter({"a": 90, "b": 9, "c": 1}), 10)
    {'a': 8, 'b': 1, 'c': 1}
    """
    total = sizes.total()
    n = min(n, total)
    strata = sorted(sizes, key=lambda value: (-sizes[value], str(value)))
    given = dict.fromkeys(strata[:n], 1) | dict.fromkeys(strata[n:], 0)
    while (left := n - sum(given.values())) > 0:
        wanted = {value: n * sizes[value] / total - given[value] for value in strata}
        open_ = [value for value in strata if given[value] < sizes[value]]
        for value in sorted(open_, key=lambda v: -wanted[v])[:left]:
            given[value] += 1
    return given
