"""Samplers that look at an MLflow run's votes and probabilities of the points."""

import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import numpy as np

from adaptml.errors import AnnotationError, listed
from adaptml.sampling.core import Draw, Floats, Ids, Source, TopN

if TYPE_CHECKING:  # MLflow takes a second
    from adaptml.runs.label_run import RunFiles

_log = logging.getLogger(__name__)
_DECIMALS = 9  # scores that differ by less are equal
# Ids of a table with scores, in chunks.
_Stream = Callable[["RunFiles", str], Iterator[tuple[Ids, Floats]]]


def uncertain(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """The points whose probabilities have the highest entropy (in multilabel tasks the sum over classes)."""
    return _highest(_entropies, source, n, rng, excluded)


def disagreement(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Points for which labelling functions voted for different classes, each equally likely."""
    return _highest(lambda run, table: run.disputed(table), source, n, rng, excluded)


def uncovered(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Points for which no labelling function voted, each equally likely."""
    return _highest(lambda run, table: run.uncovered(table), source, n, rng, excluded)


def _entropies(run: "RunFiles", table: str) -> Iterator[tuple[Ids, Floats]]:
    for ids, probs in run.probabilities(table):
        yield ids, run.problem.entropy(probs).round(_DECIMALS)


def _highest(
    stream: _Stream, source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]
) -> Draw:
    """The n highest scores; points with the lowest score that was taken are equally likely.

    Points of the run that are gone from the table are counted, told and left out.
    """
    if source.run is None:
        raise AnnotationError("this sampling looks at a run and none was named; name one with --run RUN_ID")
    run, gone = source.run, list[str]()

    def candidates() -> Iterator[tuple[Ids, Floats]]:
        for ids, scores in stream(run, source.table):
            drawable = source.may_draw(ids, excluded)
            ids, scores = ids[drawable], scores[drawable]
            there = source.there(ids)
            gone.extend(ids[~there].tolist())
            yield ids[there], scores[there]

    best = TopN(n, rng)
    for ids, scores in candidates():
        best.add(ids, scores)
    if gone:
        _log.warning(
            "%d points of the run are gone from table %r and left out: %s",
            len(gone),
            source.table,
            listed(gone),
        )
    lowest = float(best.scores[-1]) if len(best.scores) else np.inf
    taken_at_lowest = int((best.scores == lowest).sum())

    def inclusion_prob(ids: Sequence[str]) -> Floats:
        place = {key: i for i, key in enumerate(ids)}
        found = np.zeros(len(ids))
        at_lowest: list[int] = []
        n_at_lowest = 0
        for keys, scores in candidates():
            n_at_lowest += int((scores == lowest).sum())
            for key, score in zip(keys.tolist(), scores.tolist(), strict=True):
                if key in place and score >= lowest:
                    found[place[key]] = 1.0
                    at_lowest += [place[key]] if score == lowest else []
        found[at_lowest] = taken_at_lowest / max(n_at_lowest, 1)
        return found

    return Draw(best.ids, inclusion_prob)
