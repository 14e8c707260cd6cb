"""Labelling functions over the words and the photos of a diary; an entry may have only one of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams, keyword_lf

KEYWORDS = {
    "sun": {"sky": ["sun", "cloud", "blue sky"], "heat": ["hot", "heat", "warm", "dry"]},
    "rain": {"falling": ["rain", "pour", "thunder", "umbrella"], "water": ["wet", "puddle", "boots"]},
    "snow": {
        "falling": ["snow", "flake", "snowman", "snowball"],
        "lying": ["white", "frozen", "ice", "icicle"],
    },
}

# The encoder `pictures` begins with how often each kind of colour is there: 8 hues (of which 4 and 5 are
# blue), 3 saturations and 3 brightnesses, as square roots of their shares.
HUES, SATURATIONS, BRIGHTNESSES = range(8), range(3), range(3)
BLUE, GREY, COLOURED, DARK, LIGHT = (4, 5), (0,), (1, 2), (0, 1), (2,)


def share(
    vector: np.ndarray,
    hues: Sequence[int] = HUES,
    saturations: Sequence[int] = SATURATIONS,
    brightnesses: Sequence[int] = BRIGHTNESSES,
) -> float:
    """Share of a picture that has one of these colours, in [0, 1]; 0 where there is no picture."""
    shares = np.square(np.asarray(vector)[:72]).reshape(8, 3, 3)
    return float(shares[np.ix_(hues, saturations, brightnesses)].sum())


def blue_sky(x: Any) -> str | None:
    """Much blue."""
    return "sun" if share(x.photo_vec, hues=BLUE, saturations=COLOURED) > 0.3 else None


def dark_grey(x: Any) -> str | None:
    """Mostly grey, and not bright."""
    return "rain" if share(x.photo_vec, saturations=GREY, brightnesses=DARK) > 0.6 else None


def white(x: Any) -> str | None:
    """Mostly light without colour."""
    return "snow" if share(x.photo_vec, saturations=GREY, brightnesses=LIGHT) > 0.6 else None


def get_lfs(params: LFParams) -> list[LabelingFunction]:
    """Six over the words, three over the photo."""
    words = [
        keyword_lf(f"{name}_{topic}", keywords, params.labels[name], "txt")
        for name, topics in KEYWORDS.items()
        for topic, keywords in topics.items()
    ]
    return [*words, *(LabelingFunction(rule.__name__, rule) for rule in (blue_sky, dark_grey, white))]
