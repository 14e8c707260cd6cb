"""Writing texts that carry their class as a data set in WRENCH's format, with the votes of patterns."""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import pandas as pd
import typer

from adaptml.files import write_text

ABSTAIN = -1
Rules = Mapping[str, Sequence[str]]  # class → what its rules look for in a text, each by itself


def votes(text: str, rules: Rules) -> list[int]:
    """What each rule says of a text: the number of its class, or ABSTAIN; capitals count as small letters.

    >>> votes("Music player", {"games": ["game"], "sound": ["music", "audio"]})
    [-1, 1, -1]
    """
    return [
        c if re.search(pattern, text, re.IGNORECASE) else ABSTAIN
        for c, patterns in enumerate(rules.values())
        for pattern in patterns
    ]


def check_sizes(rows: int, gold: int, there: int, what: str) -> None:
    """Refuse sizes that a set cannot have.

    Args:
        rows: how many are to be drawn.
        gold: how many of them are to be gold.
        there: how many there are.
        what: what they are called.

    Raises:
        typer.BadParameter: too many of them.
    """
    if gold > rows // 2:
        raise typer.BadParameter(
            f"--gold {gold} is more than half of --rows {rows}: the others are learned from and judge"
        )
    if rows > there:
        raise typer.BadParameter(f"--rows {rows} are more than the {there} {what} that there are")


def write_set(texts: pd.DataFrame, folder: Path, rules: Rules, *, rows: int, gold: int, seed: int) -> None:
    """Draw texts and write them: `valid` is gold, a third of the others `test`, the rest `train`.

    Args:
        texts: name, text, label.
        folder: where to; it is made.
        rules: of each class, in the order of their numbers.
        rows: how many are drawn.
        gold: how many of them `valid` has.
        seed: of the drawing.
    """
    classes = [*rules]
    order = texts["name"].map(lambda name: sha256(f"{seed} {name}".encode()).hexdigest())
    drawn = texts.loc[order.sort_values().index[:rows]]
    judges = (len(drawn) - gold) // 3
    folder.mkdir(parents=True, exist_ok=True)
    write_text(json.dumps(dict(enumerate(classes))), folder / "label.json")
    bounds = {"valid": (0, gold), "test": (gold, gold + judges), "train": (gold + judges, len(drawn))}
    for name, (first, end) in bounds.items():
        some = drawn[first:end]
        split = {
            str(key): {
                "label": classes.index(label),
                "data": {"text": text},
                "weak_labels": votes(text, rules),
            }
            for key, text, label in zip(some["name"], some["text"], some["label"], strict=True)
        }
        write_text(json.dumps(split), folder / f"{name}.json")
