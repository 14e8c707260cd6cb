"""A text whose words are coloured by what they add."""

from collections.abc import Mapping, Sequence
from typing import Any

LEVELS = 4  # of each sign, as classes of the stylesheet
MOST_WORDS = 400  # that are shown


def marked(words: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Words with the strength of what they add: `for1` … `for4` and `against1` … `against4`, or empty."""
    most = max((abs(word["value"]) for word in words), default=0.0)
    return [dict(word) | {"level": _level(word["value"], most)} for word in words[:MOST_WORDS]]


def strongest(words: Sequence[Mapping[str, Any]], n: int = 12) -> list[dict[str, Any]]:
    """The words that add most, either way, each once with all that it adds; the strongest first."""
    sums: dict[str, float] = {}
    for word in words:
        sums[word["name"]] = sums.get(word["name"], 0.0) + word["value"]
    chosen = sorted(sums.items(), key=lambda pair: -abs(pair[1]))[:n]
    return [{"name": name, "value": value} for name, value in chosen]


def _level(value: float, most: float) -> str:
    level = round(LEVELS * abs(value) / most) if most else 0
    return "" if not level else f"for{level}" if value > 0 else f"against{level}"
