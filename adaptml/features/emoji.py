"""Emoji by their names, one word each: 😾 is `:pouting_cat:`."""

import re
import unicodedata
from functools import lru_cache

_TONE = "\U0001f3fb-\U0001f3ff"
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_STYLED = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u25aa-\u25fe\u2934\u2935\u3030\u303d\u3297\u3299"
_BASE = "[\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
_ONE = f"(?:{_BASE}|[{_STYLED}](?=\ufe0f))[\ufe0f{_TONE}]*"
_KEY = "[0-9#*]\ufe0f?\u20e3"
_END = "\U000e007f"
_REGION = "\U0001f3f4[\U000e0020-\U000e007f]+"
_SHORTCODE = r"(?<![\w:]):[a-z0-9]+(?:_[a-z0-9]+)*:(?![\w:])"
# A regular expression: two letters of a flag, a keycap, a region's flag, several joined to one, or a name as
# chats write it.
EMOJI = rf"{_FLAG}{{2}}|{_KEY}|{_REGION}|{_ONE}(?:\u200d{_ONE})*|{_SHORTCODE}"
_EMOJI = re.compile(EMOJI)
_INVISIBLE = re.compile(f"[\ufe0e\ufe0f\u200d\u20e3{_TONE}]")


@lru_cache(maxsize=10_000)
def emoji_name(token: str) -> str:
    """The name of an emoji: Unicode's names of its parts, without skin tones; empty for another token.

    The names of Unicode never change; a sign that this Python does not know yet is called by its number.

    >>> [emoji_name(token) for token in ("😾", "👍🏽", "👩‍🚀", "🇨🇦", "3️⃣", "cat")]
    [':pouting_cat:', ':thumbs_up:', ':woman_rocket:', ':flag_ca:', ':keycap_3:', '']
    """
    if (token.isascii() and token[:1] != ":") or not _EMOJI.fullmatch(token):
        return ""
    if token[0] == ":":
        return token
    if re.fullmatch(_KEY, token):
        return f":keycap_{_name(token[0]) if token[0] in '#*' else token[0]}:"
    if re.fullmatch(f"{_FLAG}{{2}}", token):
        return f":flag_{''.join(chr(ord(letter) - 0x1F1E6 + ord('a')) for letter in token)}:"
    if re.fullmatch(_REGION, token):
        return f":flag_{''.join(chr(ord(letter) - 0xE0000) for letter in token[1:].rstrip(_END))}:"
    seen = _INVISIBLE.sub("", token) or token  # a skin tone alone
    return f":{'_'.join(map(_name, seen))}:"


def _name(sign: str) -> str:
    name = unicodedata.name(sign, f"u{ord(sign):x}").lower()
    plain = re.sub(r"[^a-z0-9]+", "_", name).removesuffix("_sign")
    return re.sub(r"(?<=_cat)_face(?=_|$)", "", plain)
