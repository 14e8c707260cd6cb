"""The words of a text that made a keyword labelling function vote."""

import re
from collections.abc import Collection

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def matches(text: str, keywords: Collection[str]) -> list[tuple[int, int]]:
    """Where words of a text stand that are keywords, as they are written or by their lemma.

    Args:
        text: what annotators see.
        keywords: tokens, or lemmas where the column of the LF holds lemmas.

    Returns:
        (start, end) of each word, in the order of the text.

    Example:
        >>> matches("Two kittens purred.", {"kitten", "purr"})
        [(4, 11), (12, 18)]
    """
    return [
        (found.start(), found.end()) for found in _WORD.finditer(text) if _is_one(found.group(), keywords)
    ]


def _is_one(word: str, keywords: Collection[str]) -> bool:
    if word in keywords or word.lower() in keywords:
        return True
    from adaptml.features.lemmas import lemmatize  # its dictionary takes a while

    return any(lemma in keywords for lemma in lemmatize(word))
