"""Samplers that look at what an MLflow run made of the points."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from adaptml.errors import AnnotationError
from adaptml.runs.label_run import RunFiles
from adaptml.sampling.core import Best, Draw, Floats, Ids, Source, without

_DECIMALS = 9  # scores that differ by less are equal
# Ids of a table with scores, in chunks.
_Stream = Callable[[RunFiles, str], Iterator[tuple[Ids, Floats]]]


def uncertain(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """The points whose probabilities have the highest entropy (in multilabel tasks the sum over classes)."""
    return _highest(_entropies, source, n, rng, excluded)


def disagreement(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Points for which labelling functions voted for different classes, each equally likely."""
    return _highest(RunFiles.disputed, source, n, rng, excluded)


def uncovered(source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]) -> Draw:
    """Points for which no labelling function voted, each equally likely."""
    return _highest(RunFiles.uncovered, source, n, rng, excluded)


def _entropies(run: RunFiles, table: str) -> Iterator[tuple[Ids, Floats]]:
    for ids, probs in run.probabilities(table):
        yield ids, run.problem.entropy(probs).round(_DECIMALS)


def _highest(
    stream: _Stream, source: Source, n: int, rng: np.random.Generator, excluded: AbstractSet[str]
) -> Draw:
    """The n highest scores; points with the lowest score that was taken are equally likely."""
    if source.run is None:
        raise AnnotationError("this sampling looks at a run and none was named; name one with --run RUN_ID")
    run = source.run
    best = Best(n, rng)
    for ids, scores in stream(run, source.table):
        kept = without(ids, excluded)
        if len(kept) < len(ids):
            scores = scores[[key not in excluded for key in ids]]
        best.add(kept, scores)
    lowest = float(best.scores[-1]) if len(best.scores) else np.inf

    def chances(ids: Sequence[str]) -> Floats:
        place = {key: i for i, key in enumerate(ids)}
        found = np.zeros(len(ids))
        level = 0
        at_level: list[int] = []
        for keys, scores in stream(run, source.table):
            for key, score in zip(keys.tolist(), scores.tolist(), strict=True):
                level += score == lowest and key not in excluded
                if key in place and key not in excluded and score >= lowest:
                    found[place[key]] = 1.0
                    at_level += [place[key]] if score == lowest else []
        found[at_level] = int((best.scores == lowest).sum()) / max(level, 1)
        return found

    return Draw(best.ids, chances)
