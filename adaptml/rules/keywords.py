"""Looking for many keywords in many texts at once.

One pass over all texts for all keywords (Aho and Corasick 1975, https://doi.org/10.1145/360825.360855). What
is searched are tokens with a separator around each, so that a keyword is never found inside a word.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, LabellingError
from adaptml.features.lemmas import token_lemmas
from adaptml.features.words import is_sign, split, written
from adaptml.rules.stored_lists import BETWEEN, LINE, QUOTE, StoredLists

Numbers = npt.NDArray[np.int64]
Tokens = tuple[str, ...]

_TOKEN, _ROW = "\x1f", "\x1e"  # unit and record separator: one byte each, in no word
_FEW_BYTES = 3
_NO_SEPARATORS = str.maketrans({_TOKEN: " ", _ROW: " "})
_LISTS = {list, tuple, set, frozenset, np.ndarray}


class Keyword(NamedTuple):
    """What is looked for.

    Attributes:
        text: a word, a phrase, an emoji, a hashtag: whatever people write.
        exact: found only as it is written: case counts, and lemmas do not.
        language: ISO code; of its lemmas.
    """

    text: str
    exact: bool
    language: str

    @property
    def written(self) -> tuple[Tokens, Tokens]:
        """Its tokens as they are written; and all of it as one, as a link's host or a list's item."""
        tokens = tuple(_plain(written(token), self.exact) for token in split(self.text))
        return tokens, (_plain(self.text.strip().translate(_NO_SEPARATORS), self.exact),)

    @property
    def lemmas(self) -> Tokens:
        """Its lemmas; none where it has to be exact, or where a sign is at an end of it, as in `C++`."""
        tokens = split(self.text)
        if self.exact or not tokens or is_sign(tokens[0]) or is_sign(tokens[-1]):
            return ()
        return tuple(chain.from_iterable(token_lemmas(token, self.language, whole=True) for token in tokens))


def is_missing(value: object) -> bool:
    """True for None and for the float nan that data frames put where a text or a list is missing."""
    return value is None or (isinstance(value, float) and value != value)


class KeywordSearch:
    """Keywords that are ready to be looked for.

    A keyword is found in a text where its tokens follow one another as they are written, where all of it is
    one token, or where its lemmas follow one another among the text's lemmas; in a list where either of these
    is among the items.
    """

    def __init__(self, keywords: Sequence[Keyword]) -> None:
        """Get ready.

        Args:
            keywords: k of them.

        Raises:
            FeatureError: simplemma or ahocorasick_rs is not installed.
        """
        self._written: dict[bool, _Automaton] = {}
        self._lists: dict[bool, _Automaton] = {}
        self._stored: dict[bool, _Automaton] = {}
        self._lemmas: dict[str, _Automaton] = {}
        for exact in {keyword.exact for keyword in keywords}:
            mine = [(i, keyword) for i, keyword in enumerate(keywords) if keyword.exact == exact]
            self._written[exact] = _Automaton((form, i) for i, word in mine for form in word.written)
            in_lists = [(form, i) for i, word in mine for form in (*word.written, word.lemmas)]
            self._lists[exact] = _Automaton(in_lists)
            self._stored[exact] = _Automaton(in_lists, QUOTE, BETWEEN, LINE)
        for language in {keyword.language for keyword in keywords if not keyword.exact}:
            self._lemmas[language] = _Automaton(
                (word.lemmas, i) for i, word in enumerate(keywords) if word.language == language
            )

    def find(self, values: Sequence[Any], where: str) -> tuple[Numbers, Numbers]:
        """Which keywords are in which values.

        Args:
            values: r texts, lists of text (tokens or lemmas), or missing values.
            where: how a message about the values begins.

        Returns:
            rows, numbers: two arrays of equal length; keyword `numbers[i]` is in `values[rows[i]]`. Pairs
            may repeat.

        Raises:
            LabellingError: a value is neither text nor a list of text.
        """
        if isinstance(values, StoredLists):
            return self._in_stored(values, where)
        texts, lists = _rows_by_kind(values, where)
        found = []
        for rows, look in ((texts, self._in_texts), (lists, self._in_lists)):
            if len(rows):
                try:
                    at, numbers = look(values if len(rows) == len(values) else [values[row] for row in rows])
                except TypeError as error:  # of joining what is no text
                    raise _wrong_values(where, f"lists of other things than text ({error})") from error
                found.append((np.array(rows, np.int64)[at], numbers))
        return _together(found)

    def _in_stored(self, values: StoredLists, where: str) -> tuple[Numbers, Numbers]:
        """As `find`, in lists that most often need not be made."""
        plain, text, others = values.apart()
        if text is None:
            return self.find(list(values), where)
        here, numbers = _together(
            [automaton.find_in(_plain(text, exact)) for exact, automaton in self._stored.items()]
        )
        found = [(plain[here], numbers)]
        if len(others):
            there, numbers = self.find(values.some(others), where)
            found.append((others[there], numbers))
        return _together(found)

    def _in_texts(self, texts: Sequence[str]) -> tuple[Numbers, Numbers]:
        tokens = list(map(split, texts))
        found = [
            automaton.find([list(map(written, row)) for row in tokens], exact)
            for exact, automaton in self._written.items()
        ]
        for language, automaton in self._lemmas.items():
            lemmas = [list(chain.from_iterable(map(token_lemmas, row, repeat(language)))) for row in tokens]
            found.append(automaton.find(lemmas, exact=False))
        return _together(found)

    def _in_lists(self, lists: Sequence[Collection[str]]) -> tuple[Numbers, Numbers]:
        return _together([automaton.find(lists, exact) for exact, automaton in self._lists.items()])


class _Automaton:
    """Sequences of tokens, each with the numbers of the keywords that it stands for."""

    def __init__(
        self,
        sequences: Iterable[tuple[Tokens, int]],
        around: str = _TOKEN,
        between: str = _TOKEN,
        row: str = _ROW,
    ) -> None:
        """Get ready.

        Args:
            sequences: of tokens, and numbers of keywords; a number may come with several.
            around: a letter of ASCII, which stands before and after each token of a row.
            between: what stands between two tokens of a row, both `around` included.
            row: a letter of ASCII, which stands between two rows.
        """
        try:
            from ahocorasick_rs import BytesAhoCorasick
        except ImportError as error:
            raise FeatureError(
                f"keywords need a library that is not installed ({error}); "
                "install the extra: pip install -e '.[dataprogramming]'"
            ) from error
        users: dict[Tokens, dict[int, None]] = {}
        for tokens, number in sequences:
            if tokens and not any(around in token or row in token for token in tokens):
                users.setdefault(tokens, {})[number] = None
        patterns = [_bytes(between.join(tokens)) for tokens in users]
        # What all begin with stops the search at every token; without it, a short one is inside too many.
        short = np.array([len(pattern) < _FEW_BYTES for pattern in patterns], np.bool_)
        self._around, self._row, self._short = ord(around), ord(row), short
        edge = _bytes(around)
        self._patterns = BytesAhoCorasick(
            [edge + one + edge if is_short else one for one, is_short in zip(patterns, short, strict=True)]
        )
        self._numbers = np.full((len(users), max(map(len, users.values()), default=0)), -1, np.int64)
        for line, numbers in enumerate(users.values()):
            self._numbers[line, : len(numbers)] = list(numbers)

    def find(self, rows: Sequence[Collection[str]], exact: bool) -> tuple[Numbers, Numbers]:
        """Rows and numbers of what is found, in one pass over all tokens."""
        return self.find_in(_joined(rows, exact))

    def find_in(self, text: str) -> tuple[Numbers, Numbers]:
        """As `find`, in all tokens of all rows as one text."""
        data = _bytes(text)
        matches = self._patterns.find_matches_as_indexes(data, overlapping=True)
        flat = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches))
        patterns, starts, ends = flat[::3], flat[1::3], flat[2::3]
        letters = np.frombuffer(data, np.uint8)
        edges = self._short[patterns]
        whole = (letters[starts - ~edges] == self._around) & (letters[ends - edges] == self._around)
        patterns, starts = patterns[whole], starts[whole]
        numbers = self._numbers[patterns]
        known = numbers >= 0
        rows = np.searchsorted(np.flatnonzero(letters == self._row), starts)
        return np.repeat(rows, known.sum(axis=1)), numbers[known]


def _joined(rows: Sequence[Collection[str]], exact: bool) -> str:
    """All tokens of all rows as one text: each token between two _TOKEN, a _ROW between two rows."""
    lengths = list(map(len, rows))
    text = "".join([_TOKEN, f"{_TOKEN}{_ROW}{_TOKEN}".join(map(_TOKEN.join, rows)), _TOKEN])
    if text.count(_ROW) != len(rows) - 1 or text.count(_TOKEN) != sum(lengths) + lengths.count(0) + len(rows):
        return _joined([[token.translate(_NO_SEPARATORS) for token in row] for row in rows], exact)
    return _plain(text, exact)


def _plain(text: str, exact: bool) -> str:
    """What texts are compared by: form NFC, plain apostrophes, and small letters unless exact."""
    clean = unicodedata.normalize("NFC", text).replace("’", "'")
    return clean if exact else clean.lower()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _together(found: Sequence[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    rows, numbers = zip(*found, strict=True) if found else ([np.empty(0, np.int64)], [np.empty(0, np.int64)])
    return np.concatenate(rows), np.concatenate(numbers)


def _rows_by_kind(values: Sequence[Any], where: str) -> tuple[Sequence[int], Sequence[int]]:
    """Numbers of the rows that hold texts, and of those that hold lists."""
    kinds = set(map(type, values))
    texts, lists = {kind for kind in kinds if issubclass(kind, str)}, kinds & _LISTS
    if len(kinds) == 1 and (texts or lists):
        every = range(len(values))
        return (every, []) if texts else ([], every)
    others = kinds - texts - lists
    wrong = [value for value in values if type(value) in others and not is_missing(value)] if others else []
    if wrong:
        raise _wrong_values(where, type(wrong[0]).__name__)
    return (
        [row for row, value in enumerate(values) if type(value) in texts],
        [row for row, value in enumerate(values) if type(value) in lists],
    )


def _wrong_values(where: str, what: str) -> LabellingError:
    return LabellingError(
        f"{where}, which holds {what}; expected text or lists of text: name another column, or write a rule "
        "with @labeling_function"
    )
