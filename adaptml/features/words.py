"""Texts as words, the same everywhere: in lemmas, in keyword rules, and for what is a word in vectors.

A token is a word, a number, a #hashtag, a @name, a link, an emoji or a sign. Texts are brought to Unicode's
form NFC first (Unicode Standard Annex 15), so that a letter with a mark is one thing however it was typed;
marks that have no letter of their own stay in their word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from adaptml.features.emoji import EMOJI, emoji_name

_MARKS_END = 0x1F000  # no mark of a letter has a higher number
_NO_LETTERS_MARKS = {*range(0x20D0, 0x2100), *range(0xFE00, 0xFE10)}  # of keys and emoji
_JOINERS = "\u200c\u200d"  # inside words of Persian and of India's languages
# Thai to Khmer, kana and Chinese put no blank between words: each letter, with its marks, is a token, so that
# a keyword of several letters is a phrase and is found wherever it is.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_SITE = r"(?:https?://|www\.)"
_MAIL = r"[\w.+-]{1,64}@"
_HOST = r"[\w-]+(?:\.[\w-]+)+"
_ADDRESS = re.compile(rf"(?i:https?://)?(?i:www\.)?([^\s/?#:@]+)|{_MAIL}({_HOST})")
_APOSTROPHE = str.maketrans("’", "'")


def normalized(text: str) -> str:
    """The text in Unicode's form NFC, in which all splitting is done."""
    return unicodedata.normalize("NFC", text)


def split(text: str) -> list[str]:
    """The tokens of a text as they are written, in their order; blanks are left out.

    Args:
        text: any text; it is brought to NFC.

    >>> split("Don't wait: #CustomerService @vet 😾 www.cats.org/a?b 1,000 2x")
    ["Don't", 'wait', ':', '#CustomerService', '@vet', '😾', 'www.cats.org/a?b', '1,000', '2x']
    """
    return _tokens().findall(normalized(text))


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each token of a text that is in NFC."""
    return (found.span() for found in _tokens().finditer(text))


def written(token: str) -> str:
    """What a token is compared by where it counts as written, in its own case.

    Of a link or a mail address its host counts, of an emoji its name without skin tones; typographic
    apostrophes are plain ones.

    >>> written("https://www.Example.org/cats?x=1"), written("me@owls.com"), written("👍🏽"), written("it’s")
    ('Example.org', 'owls.com', ':thumbs_up:', "it's")
    """
    if token.isalnum():
        return token
    if is_address(token):
        host = _ADDRESS.fullmatch(token) or _ADDRESS.match(token)
        return next(filter(None, host.groups())) if host else token
    return emoji_name(token) or token.translate(_APOSTROPHE)


def is_address(token: str) -> bool:
    """Whether a token is a link or a mail address."""
    return bool(re.match(rf"(?i:{_SITE})|{_MAIL}", token)) and len(token) > len("www.")


def is_sign(token: str) -> bool:
    """Whether a token is neither a word, a number, a name nor an emoji."""
    return not any(map(str.isalnum, token)) and not emoji_name(token)


def parts(token: str) -> list[str]:
    """The words inside of a #hashtag or of a word in CamelCase; none where there is nothing to split.

    >>> parts("#CustomerService"), parts("#cats"), parts("LinkedIn"), parts("iPhone"), parts("#NHSCrisis")
    (['Customer', 'Service'], ['cats'], ['Linked', 'In'], [], ['NHS', 'Crisis'])
    """
    if token[0] == "#":
        if is_sign(token) or emoji_name(token):
            return []
        found = [part for name in token[1:].split("_") if name for part in _humps(name)]
        return found if len(found[0]) > 1 or found[0].isupper() else ["".join(found)]
    if not token.isalpha() or token[1:].islower():
        return []
    found = _humps(token)
    return found if len(found) > 1 and min(map(len, found)) > 1 else []


def _humps(word: str) -> list[str]:
    """A word cut before its capitals; a row of capitals stays together."""
    cuts = [0, *(i for i in range(1, len(word)) if _begins(word, i)), len(word)]
    return [word[start:end] for start, end in pairwise(cuts)]


def _begins(word: str, i: int) -> bool:
    """Whether a capital begins a new word: after a small letter, or before two, as in NHSCrisis."""
    after = word[i + 1 : i + 3]
    return word[i].isupper() and (word[i - 1].islower() or (len(after) == 2 and after.islower()))


def phrases(tokens: Iterable[str], longest: int = 1) -> set[str]:
    """The words and phrases among tokens, in small letters and as `written` compares them.

    A phrase is words that follow one another, with a blank between; none reaches over a sign.

    Args:
        tokens: of a text, as `split` gives them, or lemmas.
        longest: how many words a phrase has at most.

    >>> sorted(phrases(split("Win it, win IT now"), 2))
    ['it', 'it now', 'now', 'win', 'win it']
    """
    words = [None if is_sign(token) else written(token.casefold()) for token in tokens]
    found: set[str] = set()
    for start in range(len(words)):
        phrase: list[str] = []
        for word in words[start : start + longest]:
            if word is None:
                break
            phrase.append(word)
            found.add(" ".join(phrase))
    return found


def word_pattern() -> str:
    """A regular expression for what `\\w+|[^\\w\\s]` should find: words with their marks, and signs."""
    return rf"\w+(?:[{_marks()}]+\w*)*|[^\w\s]"


@cache
def _tokens() -> re.Pattern[str]:
    """One expression for all tokens, which never looks back further than a word."""
    marks = _marks()
    letters = rf"[^\W_{_UNSPACED}]+(?:[{marks}]+[^\W_{_UNSPACED}]*)*"
    kinds = [
        r"[A-Za-z]+(?=[\s,!?;]|\.?(?:\s|\Z))",  # most words, told from all else by what follows
        rf"(?i:{_SITE})[^\s<>\"]*[^\s<>\"'’.,;:!?)\]}}]",
        _MAIL + _HOST,
        r"(?<![\w@])@\w+(?:@[\w.-]*\w)?",
        rf"(?<![\w&#])\#(?=[\d_]*[^\W\d_])\w+(?:[{marks}]+\w*)*",
        EMOJI,
        rf"[{_UNSPACED}](?:[{marks}])*",
        r"\d+(?:[.,:]\d+)+",
        rf"{letters}(?:['’]{letters})*",
        r"[^\s]",
    ]
    return re.compile("|".join(kinds))


@cache
def _marks() -> str:
    """All marks that may follow a letter in its word, for a class of a regular expression."""
    codes = (code for code in range(0x300, _MARKS_END) if code not in _NO_LETTERS_MARKS)
    return "".join(mark for mark in map(chr, codes) if unicodedata.category(mark)[0] == "M") + _JOINERS
