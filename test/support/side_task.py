"""A small task with known answers, for tests of training and predicting."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from adaptml.frames import write_frame

TASK = """
title: Which side?
setting: multiclass
classes: [{name: left}, {name: right}]
positive: right
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""
N = 60  # points


def write(path: Path, numbers: list[int], **extra: Callable[[int], object]) -> str:
    """A frame of points with true labels and more columns made from their numbers."""
    names = ["left", "right"]
    columns = {
        "label": lambda i: [names[i % 2]],
        "label_probs": lambda i: [1 - i % 2 * 0.8 - 0.1, i % 2 * 0.8 + 0.1],
    } | extra
    rows = [
        {"table_name": "points", "id": f"t{i}"} | {name: make(i) for name, make in columns.items()}
        for i in numbers
    ]
    return str(write_frame(pd.DataFrame(rows), path))


def side(i: int) -> list[str]:
    """The true label of a point."""
    return [["left", "right"][i % 2]]
