"""How often each keyword of a keyword LF is found."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dataprogramming.keyword_lfs import KeywordLF, keyword_hits


def keyword_hits_by_keyword(lf: KeywordLF, tokens: Sequence[Any]) -> dict[str, int]:
    """In how many rows each keyword is among the tokens; the most frequent first, then by the alphabet.

    Args:
        lf: the labelling function.
        tokens: the values of its column: a list of text, or None, per row.

    Returns:
        keyword → rows, for every keyword of the LF; 0 is one that never makes it vote.

    Raises:
        LabellingError: a value is not a list of text.
    """
    keywords = sorted(lf.keywords)
    rows, numbers = keyword_hits(
        [KeywordLF(lf.name, [word], lf.label, lf.column) for word in keywords], tokens
    )
    pairs = np.unique(np.stack([rows, numbers]), axis=1)  # a keyword twice in a row is one hit
    counts = np.bincount(pairs[1], minlength=len(keywords)).tolist()
    return dict(sorted(zip(keywords, counts, strict=True), key=lambda pair: -pair[1]))
