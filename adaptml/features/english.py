"""What simplemma's English needs: negation, short forms of verbs, and stems with one letter too many."""

import re
from collections.abc import Callable

Lemma = Callable[[str], str]

_IRREGULAR = {"ai": "be", "ca": "can", "wo": "will", "sha": "shall"}
_VERBS = "do does did is are was were has have had could should would must need ai ca wo sha"
_RARE = ("might", "may", "ought", "dare")  # nobody writes them without the apostrophe
_NEGATED = {f"{verb}n{mark}t": verb for verb in _VERBS.split() for mark in ("'", "")}
_NEGATED |= {"cannot": "ca"} | {f"{verb}n't": verb for verb in _RARE}
# What 's and 'd stand for cannot be told without a grammar.
_SHORT = {"m": ("be",), "re": ("be",), "ve": ("have",), "ll": ("will",), "s": (), "d": ()}

# Two syllables at least, and a last consonant that verbs double before -ed and -ing.
_DOUBLED = re.compile(r".*[aeiouyæ]+[^aeiouyæ]+[aeiouy]+([lprt])\1")
# American spelling of most, and words of their own.
_RIGHT = (
    "aberr appall barbell betell cornett disenroll disenthrall disinthrall distill enroll enthrall forestall "
    "fulfill garnett install instill overfulfill reinstall reinstill"
)
_SHORT_WORDS = {"conn": "con", "gell": "gel"}


def short_form(word: str, lemma: Lemma) -> list[str] | None:
    """The lemmas of a negated verb, or of a word with a short verb behind it; None for other words.

    Args:
        word: in lower case, with a plain apostrophe.
        lemma: looks up the lemma of a word.

    >>> [short_form(word, str) for word in ("don't", "wont", "cannot", "we've", "cat's", "cats")]
    [['do', 'not'], ['will', 'not'], ['can', 'not'], ['we', 'have'], ['cat'], None]
    """
    verb = _NEGATED.get(word)
    if verb is not None:
        return [_IRREGULAR.get(verb) or lemma(verb), "not"]
    if word == "n't":
        return ["not"]
    stem, _, ending = word.rpartition("'")
    return [lemma(stem), *_SHORT[ending]] if stem and ending in _SHORT else None


def one_consonant(lemma: str, is_known: Callable[[str], bool]) -> str:
    """A lemma without the letter that its verb doubles only before -ed and -ing: `cancell` is `cancel`.

    simplemma's dictionary takes British `cancelled` for a form of a verb `cancell`. A lemma of two syllables
    or more is cut where what is left is a word, unless it is among the few that are written so.

    Args:
        lemma: in lower case.
        is_known: whether the dictionary has a word.

    >>> [one_consonant(lemma, lambda word: True) for lemma in ("cancell", "preferr", "install", "call")]
    ['cancel', 'prefer', 'install', 'call']
    """
    if lemma in _SHORT_WORDS:
        return _SHORT_WORDS[lemma]
    if lemma[-1:] != lemma[-2:-1] or lemma in _RIGHT.split() or not _DOUBLED.fullmatch(lemma):
        return lemma
    return lemma[:-1] if is_known(lemma[:-1]) else lemma
