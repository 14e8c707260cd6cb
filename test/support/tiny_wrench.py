"""A tiny data set in WRENCH's format."""

import json
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
