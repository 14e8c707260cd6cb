"""How often each keyword of keyword LFs is found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.errors import listed
from adaptml.features.points import Points
from adaptml.rules.core import keyword_search
from dataprogramming.keyword_lfs import KeywordLF

MOST_POINTS = 20_000  # that `label` counts keywords on: one that is in none of them is hardly of use
CHUNK_ROWS = 20_000
MOST_NAMED = 10
Hits = Mapping[str, Mapping[str, int]]


def count_keywords(lfs: Sequence[KeywordLF], values: Sequence[Any]) -> dict[str, dict[str, int]]:
    """In how many rows each keyword is found; the most frequent first, then by the alphabet.

    Args:
        lfs: labelling functions over one column.
        values: of that column: a text, a list of text, or a missing value per row.

    Returns:
        name of the LF → keyword → rows, for every keyword; 0 is one that never makes it vote.

    Raises:
        LabellingError: a value is neither text nor a list of text.
    """
    search, owners = keyword_search(tuple(lf.rule for lf in lfs))
    rows, numbers = search.find(values, lfs[0].rule.where)
    pairs = np.unique(np.stack([rows, numbers]), axis=1)  # a keyword twice in a row is one hit
    counts = np.bincount(pairs[1], minlength=len(owners))
    return {
        lf.name: _sorted(
            {w.text: int(n) for w, n in zip(lf.rule.to_find(), counts[owners == j], strict=True)}
        )
        for j, lf in enumerate(lfs)
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def keyword_hits_of(source: Points, lfs: Sequence[LabelingFunction], points: pd.DataFrame) -> Hits:
    """In how many of some data points each keyword is found, see `count_keywords`.

    Args:
        source: reads the points.
        lfs: labelling functions; those without keywords are passed over.
        points: `table_name` and `id`.
    """
    by_column: dict[str, list[KeywordLF]] = {}
    found: dict[str, dict[str, int]] = {}
    for lf in lfs:
        if isinstance(lf, KeywordLF):
            by_column.setdefault(lf.column, []).append(lf)
            found[lf.name] = dict.fromkeys(sorted(lf.keywords), 0)
    for start in range(0, len(points) if by_column else 0, CHUNK_ROWS):
        chunk = source.read(points.iloc[start : start + CHUNK_ROWS], list(by_column))
        for column, group in by_column.items():
            for name, counts in count_keywords(group, chunk[column].tolist()).items():
                found[name] = {word: count + counts[word] for word, count in found[name].items()}
    return {name: _sorted(counts) for name, counts in found.items()}


def silent_sentence(hits: Hits, n: int) -> str:
    """The keywords that are in none of n rows, in one sentence; empty where there is none."""
    silent = [f"{w} ({name})" for name, counts in hits.items() for w, count in counts.items() if not count]
    if not silent:
        return ""
    which = "keyword is" if len(silent) == 1 else "keywords are"
    return (
        f"{len(silent)} {which} in none of {n} rows: {listed(silent, MOST_NAMED)}; `adaptml lemmas` shows "
        "what becomes of words"
    )
