"""The texts of the rows that a page shows: read once, a few at a time, and cut."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from adaptml.frames import KEYS

ReadTexts = Callable[[pd.DataFrame], pd.DataFrame]
BATCH_ROWS = 2_000
KEPT_CHARS = 500


class Texts:
    """What annotators see of some data points.

    Args:
        read: gives, for a frame of `table_name` and `id`, a frame with these and one column per text; rows in
            any order, and without those that are gone.
    """

    def __init__(self, read: ReadTexts) -> None:
        self.columns: list[str] = []
        self._read = read
        self._known: dict[tuple[str, str], list[tuple[str, int] | None] | None] = {}

    def of(self, keys: pd.DataFrame, most_chars: int) -> list[list[object] | None]:
        """One entry per key: None for a row that is gone, else one value per column.

        A value is the text, or None, or, where it is longer than `most_chars`, its beginning and full length.
        """
        asked = list(keys[KEYS].itertuples(index=False, name=None))
        new = [place for place, key in enumerate(asked) if key not in self._known]
        for start in range(0, len(new), BATCH_ROWS):
            self._fetch(keys[KEYS].iloc[new[start : start + BATCH_ROWS]].reset_index(drop=True))
        return [_cut(self._known[key], most_chars) for key in asked]

    def _fetch(self, keys: pd.DataFrame) -> None:
        self._known |= dict.fromkeys(keys.itertuples(index=False, name=None))
        frame = self._read(keys)
        self.columns = [str(name) for name in frame.columns if name not in KEYS]
        found = (frame[KEYS[0]].astype(str), frame[KEYS[1]].astype(str))
        values = (frame[name] for name in frame.columns if name not in KEYS)
        for table_name, key, *row in zip(*found, *values, strict=True):
            self._known[table_name, key] = [_kept(value) for value in row]


def _kept(value: object) -> tuple[str, int] | None:
    """A value as text, at most 500 characters of it, and its full length; None where it is missing."""
    if value is None or (isinstance(value, float) and value != value) or value is pd.NA:
        return None
    listed = isinstance(value, list | tuple | np.ndarray)
    text = ", ".join(map(str, value)) if listed else str(value)  # type: ignore[call-overload]
    return text[:KEPT_CHARS], len(text)


def _cut(row: list[tuple[str, int] | None] | None, most_chars: int) -> list[object] | None:
    if row is None:
        return None
    return [
        None if kept is None else kept[0] if kept[1] <= most_chars else [kept[0][:most_chars], kept[1]]
        for kept in row
    ]
