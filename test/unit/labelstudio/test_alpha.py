"""Alpha against figures worked out by hand, published ones, and the krippendorff library."""

from typing import Any, cast

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import AnnotationError
from labelstudio.alpha import (
    Alpha,
    alpha_of,
    alphas_of_draws,
    distances_to_others,
    expected_disagreement,
    krippendorff_alpha,
)
from labelstudio.label_sets import MISSING, Ratings, encode, masi, nominal

CLASSES = ["a", "b", "c"]
cells = st.none() | st.lists(st.sampled_from(CLASSES), unique=True)
rows = st.integers(2, 4).flatmap(
    lambda m: st.lists(st.lists(cells, min_size=m, max_size=m), min_size=1, max_size=12)
)


def of(*points: str) -> Ratings:
    """`of("a ab -", …)`: a point a word list, an annotator a word, `-` for never seen, `0` for no class."""
    read: dict[str, Any] = {"-": None, "0": []}
    return encode([[read.get(cell, list(cell)) for cell in point.split()] for point in points], CLASSES)


def test_nominal_alpha_by_hand() -> None:
    # n = 6; D_o = 2/6; a and b stand 3 times each: D_e = 2·3·3/(6·5) = 0.6; alpha = 1 - (1/3)/0.6
    assert alpha_of(of("a a", "a b", "b b"), nominal).value == pytest.approx(4 / 9)


def test_masi_alpha_by_hand() -> None:
    # n = 6; D_o = 2·(2/3)/6 = 2/9; n_a, n_b, n_ab = 3, 2, 1; d(a,b) = 1, d(a,ab) = d(b,ab) = 2/3:
    # D_e = 2·(3·2·1 + 3·1·2/3 + 2·1·2/3)/30 = 28/45; alpha = 1 - (2/9)/(28/45) = 9/14
    assert alpha_of(of("a a", "b b", "a ab"), masi).value == pytest.approx(9 / 14)


def test_krippendorffs_published_example() -> None:
    # Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C: 4 coders, 12 units, 0.743
    coders = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    points = [
        [None if value is None else [str(value)] for value in unit] for unit in zip(*coders, strict=True)
    ]
    assert alpha_of(encode(points, list("12345")), nominal).value == pytest.approx(0.743, abs=0.0005)


@pytest.mark.parametrize("distance", [nominal, masi])
def test_perfect_agreement_on_several_labels_is_one(distance: Any) -> None:
    found = alpha_of(of("ab ba", "c c", "0 0", "abc cba"), distance, seed=0)
    assert found == Alpha(1.0, 1.0, 1.0, found.undefined)


def test_one_label_set_everywhere_has_no_alpha() -> None:
    assert alpha_of(of("a a", "a a"), nominal, seed=0) == Alpha(None)


def test_points_of_one_annotator_are_left_out() -> None:
    assert alpha_of(of("a a", "a b", "b b", "c -", "- -"), nominal) == alpha_of(
        of("a a", "a b", "b b"), nominal
    )
    assert alpha_of(of("a -", "- b"), nominal) == Alpha(None)


def test_masi_distances_by_hand() -> None:
    ratings = of("0 a ab bc abc")
    place = {"".join(names): i for i, names in enumerate(ratings.names(CLASSES))}
    d = masi(ratings.sets)
    assert d[place["a"], place["ab"]] == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert d[place["ab"], place["bc"]] == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert d[place["ab"], place["abc"]] == pytest.approx(1 - 2 / 3 * 2 / 3)
    assert d[place["a"], place["bc"]] == 1
    assert d[place[""], place["a"]] == 1
    assert (np.diag(d) == 0).all()


def test_interval_holds_alpha_and_follows_the_seed() -> None:
    ratings = of(*["a a", "b b", "c c", "a b", "a a", "b b", "c a", "c c"] * 4)
    found = alpha_of(ratings, nominal, seed=3)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert alpha_of(ratings, nominal, seed=3) == found
    assert alpha_of(ratings, nominal, seed=4) != found


def test_interval_against_resampling_one_by_one() -> None:
    points = ["a a", "b b", "c c", "a b", "a a", "b b", "c a", "c c"] * 20
    found = alpha_of(of(*points), nominal, seed=3)
    rng = np.random.default_rng(99)
    data = np.array([[ord(cell) for cell in point.split()] for point in points]).T
    drawn = [data[:, rng.integers(len(points), size=len(points))] for _ in range(500)]
    values = [krippendorff.alpha(sample, level_of_measurement="nominal") for sample in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert min(values) < low - 0.03


def test_undefined_resamples_are_counted() -> None:
    # Two points: a resample of one of them twice has one value only, which happens half of the time.
    found = alpha_of(of("a a", "b b"), nominal, seed=0)
    assert (found.low, found.high) == (1.0, 1.0)
    assert 400 < found.undefined < 600


def _library_masi(v1: Any, v2: Any, **_: Any) -> Any:
    def distance(x: float, y: float) -> float:
        a, b = ({c for c in range(3) if int(v) >> c & 1} for v in (x, y))
        if a == b:
            return 0.0
        m = 2 / 3 if a <= b or b <= a else 1 / 3
        return 1 - len(a & b) / len(a | b) * m

    return np.vectorize(distance, otypes=[float])(v1, v2)


@given(rows)
def test_equals_the_krippendorff_library(points: list[list[list[str] | None]]) -> None:
    ratings = encode(points, CLASSES)
    bits = {"a": 1, "b": 2, "c": 4}
    data = [[np.nan if c is None else float(sum(bits[n] for n in c)) for c in point] for point in points]
    for distance, level in ((nominal, "nominal"), (masi, _library_masi)):
        found = alpha_of(ratings, distance).value
        if found is not None:
            expected = krippendorff.alpha(np.array(data).T, level_of_measurement=cast(Any, level))
            assert found == pytest.approx(expected, abs=1e-9)


@given(rows, st.randoms(use_true_random=False))
def test_order_of_points_and_annotators_changes_nothing(points: Any, random: Any) -> None:
    people = list(range(len(points[0])))
    random.shuffle(people)
    shuffled = [[point[p] for p in people] for point in points]
    random.shuffle(shuffled)
    for distance in (nominal, masi):
        first, second = (alpha_of(encode(data, CLASSES), distance).value for data in (points, shuffled))
        assert (first is None) == (second is None)
        assert first == pytest.approx(second)


draws = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(
            st.lists(st.lists(st.sampled_from(CLASSES), unique=True), min_size=shape[2], max_size=shape[2]),
            min_size=shape[1], max_size=shape[1],
        ),
        min_size=shape[0], max_size=shape[0],
    )
)  # fmt: skip


@given(draws)
def test_the_alphas_of_several_draws_are_those_of_each(drawn: Any) -> None:
    together = encode([point for points in drawn for point in points], CLASSES)
    for distance in (nominal, masi):
        each = [alpha_of(encode(points, CLASSES), distance).value for points in drawn]
        expected = [np.nan if value is None else value for value in each]
        np.testing.assert_allclose(alphas_of_draws(together, len(drawn), distance), expected, atol=1e-9)


@given(rows)
def test_alpha_is_the_mean_of_the_annotators(points: Any) -> None:
    ratings = encode(points, CLASSES).pairable()
    value = alpha_of(ratings, masi).value
    if value is not None:
        apart = distances_to_others(ratings, masi)[ratings.codes != MISSING]
        assert value == pytest.approx(1 - apart.mean() / expected_disagreement(ratings, masi))


def test_alpha_for_a_notebook() -> None:
    # As test_nominal_alpha_by_hand and test_masi_alpha_by_hand, in the forms that people have.
    assert krippendorff_alpha([["a", "a"], ["a", "b"], ["b", "b"]]).value == pytest.approx(4 / 9)
    # A name is one class, not its letters: D_o = 2/4, n_c = 1, 1, 2, D_e = (16 - 6)/12; alpha = 1 - 6/10
    assert krippendorff_alpha([["cat", "act"], ["dog", "dog"]]).value == pytest.approx(0.4)
    sets = [[["a"], ["a"]], [["b"], ("b",)], ["a", {"b", "a"}]]
    assert krippendorff_alpha(sets, "masi").value == pytest.approx(9 / 14)
    frame = pd.DataFrame({"table_name": "t", "id": ["1", "2", "3"]})
    frame["3"] = pd.Series([["a"], np.array(["a"]), ["b"]], dtype=object)
    frame["4"] = pd.Series([["a"], ["b"], ["b"]], dtype=object)
    frame["5"] = [None, float("nan"), None]
    found = krippendorff_alpha(frame, seed=0)
    assert found.value == pytest.approx(4 / 9)
    assert found.low is not None
    assert found.low <= 4 / 9 <= (found.high or 0)
    assert krippendorff_alpha(frame, seed=0) == found
    assert krippendorff_alpha([["a", None]]) == krippendorff_alpha([]) == Alpha(None)


@given(rows)
def test_a_notebooks_alpha_is_that_of_the_report(points: list[list[list[str] | None]]) -> None:
    for name, distance in {"nominal": nominal, "masi": masi}.items():
        assert krippendorff_alpha(points, name) == alpha_of(encode(points, CLASSES), distance)


def test_labels_that_have_no_alpha() -> None:
    with pytest.raises(
        AnnotationError, match="distance 'euclid' does not exist; expected one of nominal, masi"
    ):
        krippendorff_alpha([["a", "b"]], "euclid")
    with pytest.raises(AnnotationError, match="2 to 3 cells; expected one cell per annotator in every row"):
        krippendorff_alpha([["a", "b"], ["a", "b", None]])
