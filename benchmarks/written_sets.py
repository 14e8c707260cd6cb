"""Writing rows that carry their class as a data set in WRENCH's format, texts with the votes of patterns."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

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
    found = {
        str(key): Row(classes.index(label), {"text": text}, votes(text, rules))
        for key, text, label in zip(drawn["name"], drawn["text"], drawn["label"], strict=True)
    }
    write_splits(found, folder, classes, gold=gold)


@dataclass(frozen=True)
class Row:
    """A row of a set.

    Attributes:
        label: the number of its class.
        data: what it holds, as JSON knows it.
        weak_labels: what each rule says of it: the number of a class, or ABSTAIN.
    """

    label: int
    data: Mapping[str, Any]
    weak_labels: Sequence[int]


def write_splits(rows: Mapping[str, Row], folder: Path, classes: Sequence[str], *, gold: int) -> None:
    """Write rows that were drawn: the first are `valid`, a third of the others `test`, the rest `train`.

    Args:
        rows: key → row, in the order of the drawing.
        folder: where to; it is made.
        classes: in the order of their numbers.
        gold: how many rows `valid` has.
    """
    judges = (len(rows) - gold) // 3
    folder.mkdir(parents=True, exist_ok=True)
    write_text(json.dumps(dict(enumerate(classes))), folder / "label.json")
    bounds = {"valid": (0, gold), "test": (gold, gold + judges), "train": (gold + judges, len(rows))}
    for name, (first, end) in bounds.items():
        split = {key: vars(row) for key, row in islice(rows.items(), first, end)}
        write_text(json.dumps(split), folder / f"{name}.json")
