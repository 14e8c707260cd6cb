"""Abilities and their intervals: against the truth where it was drawn, and against another implementation."""

import warnings

import numpy as np
import pandas as pd
import pytest

from labelstudio.ability import _weighted_abilities, abilities
from labelstudio.alpha import alpha_of
from labelstudio.dawid_skene import estimate
from labelstudio.label_sets import MISSING, Ratings, masi, nominal
from labelstudio.precision import MAX_PEOPLE, Precision, precision, precision_lines

RIGHT = (0.95, 0.85, 0.7, 0.6)


def simulated(n: int, seed: int, right: tuple[float, ...] = RIGHT, q: int = 3) -> tuple[Ratings, np.ndarray]:
    """n points of q equally frequent classes, each labelled by everybody; the errors are spread evenly."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(q, size=n)
    wrong = (truth[:, None] + rng.integers(1, q, size=(n, len(right)))) % q
    codes = np.where(rng.random((n, len(right))) < right, truth[:, None], wrong)
    return Ratings(codes, np.eye(q, dtype=np.int8)), truth


def test_abilities_are_found_again_the_least_able_first() -> None:
    ratings, _ = simulated(1500, 0)
    ratings.codes[::5, 1] = MISSING
    found = abilities(ratings, ["a", "b", "c", "d"], True, seed=0)
    assert [ability.name for ability in found] == ["d", "c", "b", "a"]
    assert [ability.points for ability in found] == [1500, 1500, 1200, 1500]
    for ability, right in zip(found, reversed(RIGHT), strict=True):
        assert ability.value == pytest.approx(right, abs=0.04)
        assert ability.low < ability.value < ability.high
        assert ability.high - ability.low < 0.12


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(30):
        ratings, _ = simulated(250, seed)
        found = abilities(ratings, ["a", "b", "c", "d"], True, seed=seed)
        held += sum(a.low <= right <= a.high for a, right in zip(found, reversed(RIGHT), strict=True))
    assert held >= 0.85 * 120  # 95 % of them, less what chance may take and the model's own bias


def test_more_points_make_it_narrower() -> None:
    widths = []
    for n in (200, 800):
        found = abilities(simulated(n, 1)[0], ["a", "b", "c", "d"], True, seed=0)
        widths.append(np.mean([ability.high - ability.low for ability in found]))
    assert 1.5 < widths[0] / widths[1] < 2.7  # the root of four


def test_in_multilabel_tasks_it_is_the_mean_over_the_classes() -> None:
    sets = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.int8)
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(4, size=400)[:, None], 3, axis=1)
    codes[:, 2] ^= 1  # the third is always wrong about the first class, never about the second
    found = {a.name: a.value for a in abilities(Ratings(codes, sets), ["a", "b", "c"], False, seed=0)}
    assert found == pytest.approx({"a": 1.0, "b": 1.0, "c": 0.5}, abs=0.01)


def test_one_weighting_is_the_estimate_itself() -> None:
    ratings, _ = simulated(120, 2)
    found = estimate(ratings.codes, 3)
    alone = _weighted_abilities(ratings.codes, 3, np.ones((1, 120)))[0]
    assert alone == pytest.approx(np.einsum("mtt,t->m", found.confusion, found.shares), abs=1e-3)
    # A point that counts twice is two points.
    doubled = _weighted_abilities(ratings.codes[:60], 3, np.full((1, 60), 2.0))[0]
    twice = estimate(np.concatenate([ratings.codes[:60]] * 2), 3)
    assert doubled == pytest.approx(np.einsum("mtt,t->m", twice.confusion, twice.shares), abs=1e-3)


def test_it_agrees_with_crowd_kit() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    ratings, _ = simulated(600, 3)
    rows = [(p, w, int(s)) for (p, w), s in np.ndenumerate(ratings.codes)]
    frame = pd.DataFrame(rows, columns=["task", "worker", "label"])
    with warnings.catch_warnings():  # it uses pandas in a way that will go
        warnings.simplefilter("ignore")
        theirs = aggregation.DawidSkene(n_iter=200, tol=1e-7).fit(frame)
    shares = theirs.priors_.loc[[0, 1, 2]].to_numpy()
    expected = []
    for worker in range(4):
        errors = theirs.errors_.loc[worker].loc[[0, 1, 2], [0, 1, 2]].to_numpy()  # (said, truth)
        expected.append(float(np.diag(errors) @ shares))
    found = {a.name: a.value for a in abilities(ratings, list("0123"), True, seed=0)}
    assert [found[str(worker)] for worker in range(4)] == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("people", [2, 3])
def test_as_many_more_points_as_it_says_do(people: int) -> None:
    right = (0.9, 0.8, 0.85)[:people]
    ratings, _ = simulated(150, 4, right)
    alpha = alpha_of(ratings, nominal, seed=0)
    found = precision(alpha, ratings, nominal, True, wanted=0.1, seed=0)
    assert found.width is not None
    assert found.more_points is not None
    assert found.more_points == int(np.ceil(150 * (found.width / 0.1) ** 2)) - 150
    widths = []
    for seed in range(5):
        larger, _ = simulated(150 + found.more_points, 100 + seed, right)
        enough = alpha_of(larger, nominal, seed=0)
        assert enough.low is not None
        assert enough.high is not None
        widths.append(enough.high - enough.low)
    assert np.mean(widths) == pytest.approx(0.1, abs=0.02)


def test_as_many_more_people_as_it_says_do() -> None:
    right = (0.8, 0.8)
    ratings, _ = simulated(400, 5, right)
    alpha = alpha_of(ratings, nominal, seed=0)
    assert alpha.low is not None
    assert alpha.high is not None
    width = alpha.high - alpha.low
    found = precision(alpha, ratings, nominal, True, wanted=0.75 * width, seed=0)
    assert found.more_people is not None
    widths = []
    for seed in range(5):
        with_more, _ = simulated(400, 200 + seed, (0.8,) * (2 + found.more_people))
        enough = alpha_of(with_more, nominal, seed=0)
        assert enough.low is not None
        assert enough.high is not None
        widths.append(enough.high - enough.low)
    assert np.mean(widths) <= 0.8 * width
    assert precision(alpha, ratings, nominal, True, wanted=0.01, seed=0).more_people is None


def test_a_multilabel_task() -> None:
    sets = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.int8)
    rng = np.random.default_rng(1)
    codes = np.repeat(rng.integers(4, size=100)[:, None], 2, axis=1)
    codes[::4, 1] = rng.integers(4, size=25)
    alpha = alpha_of(Ratings(codes, sets), masi, seed=0)
    found = precision(alpha, Ratings(codes, sets), masi, False, wanted=0.15, seed=0)
    assert found.more_points is not None
    assert found.more_points > 0
    assert precision(alpha, Ratings(codes, sets), masi, False, 0.15, seed=0) == found


def test_what_it_says() -> None:
    ratings, _ = simulated(100, 6)
    alpha = alpha_of(ratings, nominal, seed=0)
    enough = precision(alpha, ratings, nominal, True, wanted=1.5, seed=0)
    assert (enough.more_points, enough.more_people) == (0, 0)
    assert precision_lines(enough)[0].endswith("wide, within the 1.5 that is wanted.")
    unknown = precision(alpha_of(ratings, nominal), ratings, nominal, True, 0.1, seed=0)
    assert (unknown.width, precision_lines(unknown)) == (None, [])
    assert precision_lines(Precision(0.1, 0.2, 300, 3)) == [
        "Alpha's interval is 0.200 wide; for 0.1, annotate about 300 more points alike "
        "(3 more people on the same points would do too)."
    ]
    assert f"would not do, up to {MAX_PEOPLE})" in precision_lines(Precision(0.1, 0.2, 300, None))[0]
