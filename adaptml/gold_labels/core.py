"""Where a gold label comes from, which part of gold a point belongs to, and what was seen of it."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

# Which share of gold judges. A point's part hangs on its key alone, so that it stays whatever is added.
JUDGE_SHARE = 0.5
TUNE, JUDGE = PARTS = ("tune", "judge")
_DIGITS = 16

Point = tuple[str, str]  # table_name, id


class Origin(StrEnum):
    """How a gold label was made, from the lowest to the highest: the highest one of a point counts.

    A page shows one point with all that is known of it, a spreadsheet many at once; whoever adjudicates knows
    what the annotators said and was asked to decide between them.
    """

    ANNOTATORS = "annotators"
    SPREADSHEET = "spreadsheet"
    PAGE = "page"
    ADJUDICATION = "adjudication"


RANK = {origin.value: rank for rank, origin in enumerate(Origin)}


def part_of(table_name: str, key: str) -> str:
    """Whether a gold point is for tuning or for judging; the same for ever.

    The first 8 bytes of SHA-256 of `table_name`, a zero byte and the id, as a number in [0, 1): below
    `JUDGE_SHARE` it judges.

    >>> part_of("posts", "01"), part_of("posts", "02")
    ('tune', 'tune')
    """
    digest = hashlib.sha256(f"{table_name}\0{key}".encode()).digest()
    return JUDGE if int.from_bytes(digest[:8]) / 2**64 < JUDGE_SHARE else TUNE


def parts(keys: pd.DataFrame) -> list[str]:
    """The part of each of n points; `keys` has `table_name` and `id`."""
    return [part_of(table, key) for table, key in zip(keys["table_name"], keys["id"], strict=True)]


def cell_hash(value: Any) -> str:
    """A hash of one cell as people see it: 16 hexadecimal digits.

    A missing value is the empty text that Label Studio is sent for it, and a whole number is the same with
    and without a decimal point, for JSON does not keep that apart.
    """
    plain = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def seen_of(cells: Mapping[str, Any]) -> dict[str, str]:
    """Column → hash of its cell."""
    return {name: cell_hash(value) for name, value in cells.items()}


def seen_text(seen: Mapping[str, str]) -> str | None:
    """What was seen, as gold's table and a spreadsheet keep it: JSON. None where that is not on record."""
    return json.dumps(dict(sorted(seen.items())), ensure_ascii=False) if seen else None


def read_seen(text: object) -> dict[str, str]:
    """The reverse of `seen_text`; what a person wrote there that is no such record counts as none."""
    if not isinstance(text, str) or not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: digest for name, digest in found.items() if isinstance(digest, str)}


def differ(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether a column that is on record in both was seen otherwise."""
    return any(one[name] != other[name] for name in one.keys() & other.keys())


def _plain(value: Any) -> Any:
    """A cell in the one form that the same cell has on both sides of JSON."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float) and value == value:  # NaN is not itself
        return str(int(value)) if value == value // 1 else repr(float(value))
    return "" if pd.isna(value) else str(value)
