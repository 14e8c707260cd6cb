"""Labelling functions for comments below music videos: words, patterns and length.

A comment that advertises asks for something (subscribe, check out, follow, vote) or points somewhere
(a link, my channel). One that does not is short, or talks about the song, the singer and the years since;
those words alone prove nothing, so the rules for ham also see that nothing is advertised.
"""

import re
from typing import Any

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams, keyword_lf

TEXT, LEMMAS = "txt", "txt_clean_lemma"

SPAM_WORDS = {
    "subscribe": "subscribe subscriber sub channel chanel",
    "please": "please plz pls",
    "call": "follow share vote visit click download join donate support help",
    "money": "money earn dollar cash free buy giveaway website win online",
    "artist": "rapper upcoming upload remix cover producer mixtape playlist dream",
}
SPAM_PATTERNS = {
    "check_out": r"\bcheck(ing)?\b.{0,30}\bout\b|\bcheck (this|my|it)\b|\b(look|go) (up|at|to) my\b",
    "link": r"https?://|www\.|\b\w+\.(com|net|org|tv|ly|be)\b|watch\?v=",
    "my_own": r"\b(my|our) (\w+ )?"
    r"(channel|chanel|videos?|vids?|music|songs?|covers?|page|band|site|book|app|instagram|youtube)\b",
    "like_this": r"\b(like|thumbs up) (this (comment|video)|my|and)\b|\bthumbs? ?up\b.{0,40}\b(see|so)\b",
}
HAM_WORDS = {
    "song": "song music sing singer dance voice tune beat rock katy perry eminem rihanna shakira psy lmfao",
    "feeling": "love best good great awesome amazing beautiful cool hate lol omg",
    "views": "view billion million dislike comment popular year still ago",
}
# A time such as 3:40 is a link too, but to the video itself; a favourite song is not the writer's own.
_HARMLESS = re.compile(r"<a href=\S+>[\d:]+</a>|\bmy (\w+ )?(fav\w*|best)\b", re.IGNORECASE)


class Params(LFParams):
    """What the length rules go by.

    Attributes:
        short_words: a comment of at most so many words that advertises nothing is ham.
        long_words: a comment of at least so many words is spam.
    """

    short_words: int = 8
    long_words: int = 40


def get_lfs(params: Params) -> list[LabelingFunction]:
    """Five keyword, four pattern and one length rule for spam; three word and one length rule for ham."""
    ham, spam = params.labels["ham"], params.labels["spam"]
    adverts = re.compile("|".join(SPAM_PATTERNS.values()), re.IGNORECASE | re.DOTALL)
    advert_words = frozenset(word for words in SPAM_WORDS.values() for word in words.split())

    def advertises(x: Any) -> bool:
        return not advert_words.isdisjoint(x[LEMMAS]) or bool(adverts.search(_HARMLESS.sub(" ", x[TEXT])))

    def n_words(x: Any) -> int:
        return sum(map(str.isalpha, x[LEMMAS]))  # no numbers, links or emoji

    def pattern(name: str, expression: str) -> LabelingFunction:
        found = re.compile(expression, re.IGNORECASE | re.DOTALL)
        return LabelingFunction(name, lambda x: spam if found.search(_HARMLESS.sub(" ", x[TEXT])) else None)

    def plain(name: str, words: str) -> LabelingFunction:
        wanted = frozenset(words.split())
        return LabelingFunction(
            name, lambda x: ham if not wanted.isdisjoint(x[LEMMAS]) and not advertises(x) else None
        )

    def short(x: Any) -> int | None:
        return ham if n_words(x) <= params.short_words and not advertises(x) else None

    def long(x: Any) -> int | None:
        return spam if n_words(x) >= params.long_words else None

    return [
        *(keyword_lf(f"spam_{name}", words.split(), spam, LEMMAS) for name, words in SPAM_WORDS.items()),
        *(pattern(f"spam_{name}", expression) for name, expression in SPAM_PATTERNS.items()),
        LabelingFunction("spam_long", long),
        *(plain(f"ham_{name}", words) for name, words in HAM_WORDS.items()),
        LabelingFunction("ham_short", short),
    ]
