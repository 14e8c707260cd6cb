"""Keywords in lists that are still JSON are those in the lists."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adaptml.rules.keywords import Keyword, KeywordSearch
from adaptml.rules.stored_lists import StoredLists

WORDS = [
    "a",
    "concatenate",
    "cat",
    "Cat",
    "dog",
    "big dog",
    "C++",
    '"',
    "\\",
    "\x1f",
    "\x1e",
    "\n",
    "’",
    "é",
    "e\u0301",
    "",
    "]",
    '", "',
]
SEARCH = KeywordSearch(
    [Keyword(word, exact, "en") for word in ("cat", "big dog", "é", "a", "]\n[") for exact in (True, False)]
)
items = st.sampled_from(WORDS)


def stored(cells: list[Any]) -> tuple[StoredLists, list[str]]:
    made: list[str] = []

    def values(some: "np.ndarray | None") -> list[Any]:
        made.append("all" if some is None else "some")
        chosen = cells if some is None else [cells[row] for row in some]
        return [None if cell is None else json.loads(cell) for cell in chosen]

    return StoredLists(cells, values), made


def pairs(values: Any) -> set[tuple[int, int]]:
    rows, numbers = SEARCH.find(values, "column x")
    return set(zip(rows.tolist(), numbers.tolist(), strict=True))


@given(
    st.lists(
        st.none()
        | st.builds(
            json.dumps,
            st.lists(items) | items,
            ensure_ascii=st.booleans(),
            indent=st.sampled_from([None, None, None, 1]),
            separators=st.sampled_from([None, None, (",", ":")]),
        ),
        min_size=1,
    )
)
@example(['["cat"]', "[]", '[""]', None, '["a", "cat"]'])
def test_as_in_the_lists_themselves(cells: list[str | None]) -> None:
    lazily, _ = stored(cells)
    values = [None if cell is None else json.loads(cell) for cell in cells]
    assert pairs(lazily) == pairs(values)
    assert (len(lazily), list(lazily)) == (len(cells), values)


def test_only_lists_with_escaped_letters_are_made() -> None:
    lazily, made = stored(['["cat"]', r'["\u0063at"]', '["dog", "big dog"]'])
    assert pairs(lazily) == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3)}
    assert made == ["some"]


@pytest.mark.parametrize(
    "cell",
    [
        '["cat" "dog"]', '["cat", 1, "dog"]', '["a\ncat"]', '["cat", "dog"] ', '["cat"', '["]', '["cat", "]',
        '[", "cat"]', '["cat", ", "dog"]', '["cat"], "dog"]', '["cat", ["dog"]]', '"cat"', '["cat""dog"]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("others", [([], ['["cat"]']), (['["cat"]'], []), (['["a"]', "[]"], ['["b", "c"]'])])
def test_what_is_no_list_of_text_is_left_to_the_reader_of_json(
    cell: str, others: tuple[list[str], list[str]]
) -> None:
    cells = [*others[0], cell, *others[1]]
    assert not quoted(cells)
    assert stored(cells)[0].apart()[1] is None


def quoted(cells: list[str]) -> bool:
    """Whether each cell is a list of text without an escaped letter, and just as `json.dumps` writes it."""
    try:
        values = list(map(json.loads, cells))
    except ValueError:
        return False
    lists = all(isinstance(value, list) and all(isinstance(item, str) for item in value) for value in values)
    return lists and [json.dumps(value, ensure_ascii=False) for value in values] == cells


@given(st.lists(st.lists(st.sampled_from('[]", \na'), max_size=9).map("".join), min_size=1, max_size=3))
def test_nothing_else_is_taken_for_lists_of_text(cells: list[str]) -> None:
    cells = [f'["{cell}"]' for cell in cells]
    _, text, others = stored(cells)[0].apart()
    if text is not None:
        assert not len(others)
        assert text == "\n".join(cells)
        assert quoted(cells)
