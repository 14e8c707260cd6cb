"""The task `numbers` and its rows: which are odd, for tests of who labels them."""

from pathlib import Path

import pandas as pd

TASK = """
title: Which?
setting: multiclass
classes: [odd, even]
columns: [{name: txt, type: text}]
lf_features: [txt]
features: [vec]
featurize: {text: txt, lemmas: words, vector: vec, encoder: hashing}
"""


def write_task(folder: Path, rules: str) -> None:
    """The folder of the task, with these rules."""
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "lfs.py").write_text(rules)


def rows(n: int) -> pd.DataFrame:
    """So many: `r00000` with the text `row 0`, and so on."""
    return pd.DataFrame({"id": [f"r{i:05}" for i in range(n)], "txt": [f"row {i}" for i in range(n)]})
