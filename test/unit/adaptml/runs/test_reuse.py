"""The hash of what a run was made from, and finding the run again."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.project import Project
from adaptml.runs.reuse import Part, fingerprint, mark, run_with
from adaptml.settings import Settings

KEYS = pd.DataFrame({"table_name": ["t", "t"], "id": ["1", "2"]})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab"], ["a", "b"]),
        (["a", "b"], ["b", "a"]),
        ([np.array([1, 2])], [np.array([[1, 2]])]),
        ([np.array([1, 0], np.int8)], [np.array([1], np.int16)]),
        ([KEYS], [KEYS.rename(columns={"id": "ID"})]),
        ([KEYS], [KEYS.iloc[::-1]]),
        ([pd.DataFrame({"x": ["ab", "c"]})], [pd.DataFrame({"x": ["a", "bc"]})]),
        ([pd.DataFrame({"x": ["1"]})], [pd.DataFrame({"x": [1]})]),
        ([pd.DataFrame({"v": [np.zeros(2)]})], [pd.DataFrame({"v": [np.zeros(3)]})]),
        ([pd.DataFrame({"v": [["a", "b"]]})], [pd.DataFrame({"v": [["a, b"]]})]),
        ([pd.DataFrame({"v": [None]})], [pd.DataFrame({"v": ["None"]})]),
    ],
)
def test_other_parts_have_another_fingerprint(one: list[Part], other: list[Part]) -> None:
    assert fingerprint(*one) != fingerprint(*other)


def test_where_parts_lie_in_memory_makes_no_difference() -> None:
    wide = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert fingerprint(wide[:, ::2]) == fingerprint(np.ascontiguousarray(wide[:, ::2]))
    assert fingerprint(KEYS.iloc[1:]) == fingerprint(KEYS.iloc[1:].reset_index(drop=True))


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_texts_have_the_same_fingerprint_only_where_they_are_the_same(
    one: list[str], other: list[str]
) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


def test_only_a_complete_run_of_the_task_is_found(tracking: Settings, project: Project) -> None:
    assert run_with(project, "pets", "a1") is None
    with project.runs.run("pets", "label", {}) as first:
        pass
    mark(project, first.run_id, "a1")
    found = run_with(project, "pets", "a1")
    assert found is not None
    assert found.info.run_id == first.run_id
    assert run_with(project, "pets", "b2") is None
    assert run_with(project, "cars", "a1") is None
    project.runs.client.set_terminated(first.run_id, "FAILED")
    assert run_with(project, "pets", "a1") is None
