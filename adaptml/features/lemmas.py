"""Lemmas: the words of a text in their dictionary form, for labelling functions that look for words."""

import re
from functools import lru_cache

from adaptml.errors import FeatureError

# Addresses first: their pieces would look like words.
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]*@[\w.-]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def lemmatize(text: str | None) -> list[str]:
    """The lemmas of an English text in the order of its words, lower-cased.

    Punctuation, numbers, emoji, URLs, e-mail addresses and @mentions are dropped; of a #hashtag the word
    stays. Lemmas come from simplemma's dictionary (Barbaresi, 2023), which needs no download; a word that it
    does not know stays as it is.

    Args:
        text: any text; None counts as the empty text.

    Raises:
        FeatureError: simplemma is not installed.

    >>> lemmatize("The kittens' Whiskers twitched! @vet https://example.org #cats 2x")
    ['the', 'kitten', 'whisker', 'twitch', 'cat', 'x']
    """
    words = _WORD.findall(_ADDRESS.sub(" ", (text or "").replace("’", "'")))
    return [_lemma(word.lower()) for word in words]


@lru_cache(maxsize=100_000)
def _lemma(word: str) -> str:
    try:
        from simplemma import lemmatize as look_up  # its dictionary is read with it
    except ImportError as error:
        raise FeatureError(
            f"lemmas need a library that is not installed ({error}); "
            "install the extra: pip install -e '.[featurize]'"
        ) from error
    return str(look_up(word, lang="en")).lower()
