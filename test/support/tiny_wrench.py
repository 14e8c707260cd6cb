"""Tiny data sets in WRENCH's format."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

WORDS = {0: ["kitten", "purr", "whiskers", "meow"], 1: ["puppy", "bark", "leash", "fetch"]}


def pets(folder: Path, **sizes: int) -> Path:
    """The set in a folder of its own, `pets`: the name of each split → its rows."""
    made = folder / "pets"
    made.mkdir()
    (made / "label.json").write_text(json.dumps({"0": "cat", "1": "dog"}))
    for seed, (name, n) in enumerate(sizes.items()):
        (made / f"{name}.json").write_text(json.dumps(rows(n, seed)))
    return made


def rows(n: int, seed: int) -> dict[str, Any]:
    """Texts of two words of a class. Labelling functions know two words of each class, and one of them errs."""
    rng = np.random.default_rng(seed)
    made = {}
    for i in range(n):
        words = rng.choice(WORDS[i % 2], 2, replace=False).tolist()
        votes = [
            0 if "kitten" in words else -1,
            0 if "purr" in words else -1,
            1 if "puppy" in words else -1,
            1 if "bark" in words or i % 10 == 0 else -1,
        ]
        made[str(i)] = {"label": i % 2, "data": {"text": " ".join(words)}, "weak_labels": votes}
    return made


def measured(folder: Path, n: int) -> Path:
    """Rows of three numbers, the first of which tells the class and is the smallest by far: `measured`.

    The classes are called 1 and 2.
    """

    def row(i: int, rng: np.random.Generator) -> dict[str, Any]:
        numbers = [0.001 * (1 + i % 2) + rng.normal(0, 1e-5), rng.normal(0, 5e4), 7.0]
        return {
            "data": {"feature": numbers},
            "weak_labels": [i % 2 if i % 3 else -1, 1 - i % 2 if i % 9 == 4 else -1],
        }

    return _written(folder / "measured", row, n, ("1", "2"))


def related(folder: Path, n: int) -> Path:
    """Rows about a and b, of which one heats or cools the other: `related`.

    Each text says both elsewhere too, so that each class has one or two of each alike; only what stands
    between a and b tells.
    """

    def row(i: int, rng: np.random.Generator) -> dict[str, Any]:
        inside, other = ("heats", "cools")[:: 1 if i % 2 else -1]
        first, second = ("a", "b")[:: 1 if rng.integers(2) else -1]
        left, right = rng.permutation([other, inside if rng.integers(2) else other])
        text = (
            f"all of us have read that it {left} much , that {first} it {inside} much {second} , "
            f"that it {right} much"
        )
        spans = {name: [text.index(f" {name} ") + 1, text.index(f" {name} ") + 2] for name in "ab"}
        data = {"text": text, "entity1": "a", "entity2": "b", "span1": spans["a"], "span2": spans["b"]}
        return {"data": data, "weak_labels": [i % 2 if i % 3 else -1, 1 - i % 2 if i % 9 == 4 else -1]}

    return _written(folder / "related", row, n, ("cold", "hot"))


def _written(
    folder: Path, row: Callable[[int, np.random.Generator], dict[str, Any]], n: int, classes: Sequence[str]
) -> Path:
    folder.mkdir()
    (folder / "label.json").write_text(json.dumps(dict(enumerate(classes))))
    for seed, name in enumerate(("train", "valid", "test")):
        rng = np.random.default_rng(seed)
        made = {str(i): row(i, rng) | {"label": -1 if name == "train" else i % 2} for i in range(n)}
        (folder / f"{name}.json").write_text(json.dumps(made))
    return folder
