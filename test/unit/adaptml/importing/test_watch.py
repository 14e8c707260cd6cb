"""What columns hold, and their values as a database takes them."""

from typing import Any

import numpy as np
import pytest

from adaptml.errors import FrameError
from adaptml.importing.kinds import as_list, as_text, converted, readable
from adaptml.importing.watch import Watch


def watched(values: list[Any], *, typed: bool = False) -> Watch:
    """Two chunks, so that what only the second one holds counts."""
    watch = Watch("x")
    half = len(values) // 2 or 1
    watch.see(values[:half], 1, typed=typed)
    watch.see(values[half:], half + 1, typed=typed)
    return watch


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "-2", "0"], "integer", [1, -2, 0]),
        (["1", "NA", ""], "integer", [1, None, None]),
        (["1", "2.50", "nan"], "number", [1.0, 2.5, None]),
        (["1e3", ".5", "-1."], "number", [1000.0, 0.5, -1.0]),
        (["true", "False", "NULL"], "boolean", [1, 0, None]),
        (["1", "two"], "text", ["1", "two"]),
        (["NA", "None", ""], "text", ["NA", "None", None]),
        (["", ""], "text", [None, None]),
        (["007", "123"], "text", ["007", "123"]),
        (["+49301234", "1"], "text", ["+49301234", "1"]),
        (["1234567890123456789", "1"], "text", ["1234567890123456789", "1"]),
        (["1234567890123456", "1.5"], "text", ["1234567890123456", "1.5"]),
        (["1e999", "1"], "text", ["1e999", "1"]),
        (["3,14", "2"], "text", ["3,14", "2"]),
        (["١", "2"], "text", ["١", "2"]),
        (['["a", "b"]', "[]"], "list", [["a", "b"], []]),
        (["['it''s', 'b']", ""], "list", [["its", "b"], None]),
        (["[1, 2]", "[3]"], "list", [["1", "2"], ["3"]]),
        (["[deleted]", '["a"]'], "text", ["[deleted]", '["a"]']),
    ],
)
def test_the_kind_of_a_column_is_what_all_its_values_are(
    values: list[str], kind: str, expected: list[Any]
) -> None:
    watch = watched(values)
    assert watch.kind == kind
    assert converted(values, kind) == expected
    assert watch.missing(kind) == expected.count(None)


def test_a_vector_is_as_long_in_every_row() -> None:
    values = ["[1, 2.5]", "", "[-3e-2, 4]"]
    assert watched(values).kind == "vector"
    first, missing, last = converted(values, "vector")
    assert (first.dtype, first.tolist(), missing) == (np.float32, [1.0, 2.5], None)
    np.testing.assert_array_equal(last, np.array([-0.03, 4], dtype=np.float32))
    assert watched(["[1, 2]", "[1, 2, 3]"]).kind == "list"
    assert watched(["[]", "[]"]).kind == "list"


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, -5], "integer", [1, None, -5]),
        ([1, 2.5], "number", [1.0, 2.5]),
        ([True, False, None], "boolean", [1, 0, None]),
        (["1", "2"], "text", ["1", "2"]),
        ([1, "two"], "text", ["1", "two"]),
        ([2**63, 1], "text", [str(2**63), "1"]),
        ([True, 2], "text", ["true", "2"]),
        ([["a"], ["b", "c"]], "list", [["a"], ["b", "c"]]),
        ([["a", 1.0], [None]], "list", [["a", "1"], ["None"]]),
        ([["a"], "b"], "text", ['["a"]', "b"]),
    ],
)
def test_values_with_types_keep_them(values: list[Any], kind: str, expected: list[Any]) -> None:
    assert watched(values, typed=True).kind == kind
    assert converted(values, kind) == expected


def test_arrays_of_numbers_are_vectors() -> None:
    values = [np.arange(3), np.ones(3, dtype=np.float16)]
    assert watched(values, typed=True).kind == "vector"
    assert [v.tolist() for v in converted(values, "vector")] == [[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("values", "typed"),
    [(["[1, 2]", "[NaN, 1]"], False), (["[1]", "[1e39]"], False), ([np.ones(1), np.array([np.inf])], True)],
)
def test_a_vector_with_a_number_that_is_none_is_refused_by_name(values: list[Any], typed: bool) -> None:
    with pytest.raises(FrameError, match=r"'x' holds a vector .* infinite or NaN, in row 2;"):
        watched(values, typed=typed)


def test_an_infinite_number_is_refused_by_name() -> None:
    with pytest.raises(FrameError, match=r"'x' holds an infinite number, in row 2;"):
        watched([1.0, float("-inf")], typed=True)


def test_a_kind_that_a_value_is_not_is_told_with_its_row() -> None:
    watch = watched(["1", "2", "many", "4"])
    assert watch.misfit("integer") == "row 3 holds 'many'"
    assert watch.misfit("text") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.0, "12"), (1.5, "1.5"), (1e300, "1e+300"), (True, "true"), (["ä", 1], '["ä", 1]'), ("a", "a")],
)
def test_any_value_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize("text", ["[", "[" * 100_000 + "]" * 100_000, "[1", "{}", "[__import__('os')]"])
def test_what_is_no_list_is_none(text: str) -> None:
    assert as_list(text) is None


def test_characters_that_a_database_refuses_are_replaced_and_counted() -> None:
    assert readable(["a", None, "ü😀"]) == (["a", None, "ü😀"], 0)
    assert readable(["a\0b", None, "x\ud800y", "😀"]) == (["a\ufffdb", None, "x\ufffdy", "😀"], 2)


def test_files_with_types_and_without_can_be_one_column() -> None:
    watch = Watch("x")
    watch.see([1, None], 1, typed=True)
    watch.see(["2", ""], 3, typed=False)
    assert watch.kind == "integer"
    watch.see(["3"], 5, typed=True)
    assert watch.kind == "text"
