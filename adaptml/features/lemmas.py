"""Lemmas: the words of a text in their dictionary form, for labelling functions that look for words."""

import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import chain, repeat
from types import ModuleType

from adaptml.errors import FeatureError
from adaptml.features.english import one_consonant, short_form
from adaptml.features.words import is_address, is_sign, parts, split, written

# Of the rules here and in english.py, emoji.py and words.py. Raise it with any change of what a text becomes:
# features that were computed before are then computed anew.
LEMMAS_VERSION = 1
DEFAULT_LANGUAGE = "en"
_OF_FAMILY = {"bs": "hbs", "hr": "hbs", "sr": "hbs", "no": "nb"}  # simplemma's name for what it has together


def lemmatize(text: str | None, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """The lemmas of a text in the order of its words, in lower case.

    Signs are dropped. Emoji become their names; @names stay, and of links and mail addresses the host. A
    #hashtag and a word in CamelCase stay, followed by the words inside. In English a negated verb becomes two
    lemmas, the second `not`.

    Args:
        text: any text; None counts as the empty text.
        language: ISO code of the text's language. Lemmas come from simplemma's dictionaries (Barbaresi,
            2023), which need no download; in a language without one, words stay as they are written.

    Raises:
        FeatureError: simplemma is not installed.

    Example:
        >>> adaptml.lemmatize("They can't cancel! @vet 😾 #DogLife https://example.org/a")
        ['they', 'can', 'not', 'cancel', '@vet', ':pouting_cat:', '#doglife', 'dog', 'life', 'example.org']
        >>> adaptml.lemmatize("Les chats dormaient", "fr")
        ['le', 'chat', 'dormir']
    """
    return list(chain.from_iterable(map(token_lemmas, split(text or ""), repeat(language))))


@lru_cache(maxsize=100_000)
def token_lemmas(token: str, language: str, *, whole: bool = False) -> tuple[str, ...]:
    """The lemmas of one token.

    Args:
        token: as `split` gives it.
        language: ISO code.
        whole: leave out the words inside of hashtags and CamelCase.

    Returns:
        None of a sign; several of a hashtag, CamelCase or a negated verb.
    """
    if is_sign(token):
        return ()
    word = written(token)
    if token[0] in "#@" or word[0] == ":" or is_address(token) or not any(map(str.isalpha, word)):
        found = [word.lower()]
    else:
        found = _lemmas(word, language)
    inside = [] if whole else parts(token)
    return (*found, *chain.from_iterable(_lemmas(part, language) for part in inside))


def lemma_languages() -> list[str]:
    """ISO codes of the languages that have lemmas, sorted.

    Raises:
        FeatureError: simplemma is not installed.
    """
    return sorted({*_simplemma().strategies.dictionaries.dictionary_factory.SUPPORTED_LANGUAGES, *_OF_FAMILY})


def has_lemmas(language: str) -> bool:
    """Whether words of a language are brought to their dictionary form."""
    return language in lemma_languages()


def lemma_version(language: str = DEFAULT_LANGUAGE) -> str:
    """What lemmas of a language depend on beside the text: texts have the same lemmas where it is the same.

    Raises:
        FeatureError: simplemma is not installed.

    >>> lemma_version("yo") == f"{LEMMAS_VERSION} yo unicode {unicodedata.unidata_version}"
    True
    """
    rules = f"{LEMMAS_VERSION} {language} unicode {unicodedata.unidata_version}"
    return f"{rules} simplemma {_dictionary_version()}" if has_lemmas(language) else rules


@cache  # it is read from a file, and every keyword rule asks
def _dictionary_version() -> str:
    return version("simplemma")


def _lemmas(word: str, language: str) -> list[str]:
    """The lemmas of a word without signs but apostrophes."""
    look_up = _look_up(language)
    if language == "en":
        lowered = word.lower()
        return short_form(lowered, look_up) or [look_up(lowered)]
    # German nouns are known by their capital; a word in capitals is not known at all.
    return [look_up(word.lower() if word.isupper() else word)]


@cache
def _look_up(language: str) -> Callable[[str], str]:
    """Word → lemma, in lower case."""
    if not has_lemmas(language):
        return str.lower
    simplemma, code = _simplemma(), _OF_FAMILY.get(language, language)

    def lemma(word: str) -> str:
        """As simplemma says, with what it gets wrong put right."""
        found = str(simplemma.lemmatize(word, lang=code)).lower()
        return one_consonant(found, is_known) if code == "en" else found

    def is_known(word: str) -> bool:
        """Whether the dictionary has a word."""
        return bool(simplemma.is_known(word, lang=code))

    return lemma


def _simplemma() -> ModuleType:
    try:
        import simplemma  # its dictionaries are read when they are first used
    except ImportError as error:
        raise FeatureError(
            f"lemmas need a library that is not installed ({error}); "
            "install the extra: pip install -e '.[featurize]'"
        ) from error
    return simplemma
