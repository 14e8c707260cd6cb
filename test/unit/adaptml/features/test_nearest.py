"""The nearest rows, by hand and against all cosines."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import adaptml
from adaptml.database import Vector
from adaptml.errors import FeatureError
from adaptml.features.nearest import TableVectors, table_vectors
from adaptml.project import Project

VECTORS = {"a": [1, 0], "b": [3, 4], "c": [0, 2], "d": [-1, 0], "e": None, "f": [0, 0]}


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with adaptml.example_project() as project:
        project.database.create_table("t", {"id": sa.Text(), "v": Vector(), "text": sa.Text()}, ["id"])
        frame = pd.DataFrame({"id": list(VECTORS), "v": list(VECTORS.values()), "text": "x"})
        project.database.upsert("t", frame, ["id"])
        yield project


def test_nearest_by_hand(project: Project) -> None:
    vectors = table_vectors(project.points, "t", "v")
    assert (vectors.rows, len(vectors.ids), vectors.is_sample) == (6, 5, False)  # e has no vector
    found = vectors.nearest([[2, 0]], 3)
    assert found["id"].tolist() == ["a", "b", "c"]  # c and f are equally far
    assert found["cosine"].tolist() == pytest.approx([1, 0.6, 0])
    both = vectors.nearest([[2, 0], [0, 1]], 9, without=["a", "c"])
    assert both["id"].tolist() == ["b", "d", "f"]  # d is not as far from the second one
    assert both["cosine"].tolist() == pytest.approx([0.8, 0, 0])
    assert vectors.nearest([[0, 1]], 9, only=["a", "d", "no such"])["id"].tolist() == ["a", "d"]
    assert vectors.of(["b", "e"])["b"].tolist() == pytest.approx([0.6, 0.8])


def test_of_many_rows_a_sample(project: Project) -> None:
    some = table_vectors(project.points, "t", "v", most=3)
    again = table_vectors(project.points, "t", "v", most=3)
    other = table_vectors(project.points, "t", "v", most=3, seed=1)
    assert set(some.ids) < set(VECTORS)
    assert len(some.ids) in (2, 3)
    assert some.is_sample
    assert some.ids.tolist() == again.ids.tolist() != other.ids.tolist()


def test_features_are_read_as_columns_are(project: Project) -> None:
    vectors = table_vectors(project.points, "comments", "vector")
    me = vectors.of(["s0"])["s0"]
    assert vectors.nearest([me], 1)["id"].tolist() == ["s0"]
    assert vectors.rows == len(vectors.ids) == 24


def test_what_cannot_be_compared(project: Project) -> None:
    with pytest.raises(
        FeatureError, match=r"'text' of table 't' holds no vectors of one length; name a vector"
    ):
        table_vectors(project.points, "t", "text")
    project.database.create_table("empty", {"id": sa.Text(), "v": Vector()}, ["id"])
    with pytest.raises(
        FeatureError, match=r"'v' of table 'empty' has no vectors yet: run `adaptml featurize`"
    ):
        table_vectors(project.points, "empty", "v")
    with pytest.raises(FeatureError, match=r"'v' of table 't' has vectors of 2 numbers; given 3"):
        table_vectors(project.points, "t", "v").nearest([[1, 2, 3]])


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=20),
    st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=4),
    st.integers(1, 25),
)
def test_none_that_is_left_out_is_nearer(rows: list[list[int]], to: list[list[int]], n: int) -> None:
    from adaptml.features.cosine import unit_rows

    ids = np.array([str(i) for i in range(len(rows))], dtype=object)
    vectors = TableVectors("t", "v", ids, unit_rows(rows), len(rows))
    found = vectors.nearest(to, n)
    cosines = (unit_rows(rows) @ unit_rows(to).T).max(axis=1)
    assert len(found) == min(n, len(rows))
    np.testing.assert_allclose(found["cosine"], np.sort(cosines)[::-1][:n], atol=1e-6)
    np.testing.assert_allclose(found["cosine"], cosines[found["id"].astype(int)], atol=1e-6)
