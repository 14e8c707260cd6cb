"""Labelling functions over what an image classifier says of a photo, and over the words that stand in it."""

from typing import Any

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams, keyword_lf


class Params(LFParams):
    """How sure the classifier has to be."""

    min_score: float = 0.8


def get_lfs(params: Params) -> list[LabelingFunction]:
    """Two over the classifier's answer, two over the words."""

    def green(x: Any) -> str | None:
        """The sign is green."""
        return "open" if x.sign_class == "green sign" and x.sign_score >= params.min_score else None

    def red(x: Any) -> str | None:
        """The sign is red."""
        return "closed" if x.sign_class == "red sign" and x.sign_score >= params.min_score else None

    return [
        *(LabelingFunction(rule.__name__, rule) for rule in (green, red)),
        keyword_lf("says_open", ["open", "come in"], "open", "sign_text"),
        keyword_lf("says_closed", ["closed", "back soon"], "closed", "sign_text"),
    ]
