"""Near-duplicates that were planted, and the same by comparing all with all."""

import numpy as np
import pytest

from adaptml.features.cosine import unit_rows
from adaptml.fixing import duplicates
from adaptml.fixing.duplicates import chosen_to_compare, near_duplicates


def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """30 gold and 40 training points. Gold 2 is in gold again as 5, gold 7 twice in training, once otherwise labelled."""
    rng = np.random.default_rng(0)
    gold, training = rng.normal(size=(30, 20)), rng.normal(size=(40, 20))
    gold[5] = gold[2] * 3  # a longer vector has the same direction
    training[[4, 9]] = gold[7]
    training[9, 0] += 0.001
    labels = np.zeros(70, np.int64)
    labels[30 + 9] = 1
    return gold.astype(np.float32), training.astype(np.float32), labels


@pytest.mark.parametrize("rows", [3, 10_000])
def test_planted_pairs_are_found_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(duplicates, "GOLD_ROWS", rows)
    monkeypatch.setattr(duplicates, "OTHER_ROWS", rows + 1)
    gold, training, labels = planted()
    found = near_duplicates(gold, training, labels)
    pairs = set(zip(found.gold.tolist(), found.other.tolist(), strict=True))
    assert pairs == {(2, 5), (7, 30 + 4), (7, 30 + 9)}
    assert found.cosines == pytest.approx(1, abs=1e-5)
    # 0.13 of the median distance of a gold point to what is nearest to it.
    units = unit_rows(np.vstack([gold, training]))
    cosines = units[:30] @ units.T
    cosines[np.arange(30), np.arange(30)] = -1
    assert found.distance == pytest.approx(0.13 * np.median(1 - cosines.max(axis=1)), rel=1e-4)


def test_a_text_that_is_there_a_thousand_times_is_a_few_pairs() -> None:
    vectors = np.ones((1_000, 4), np.float32)
    found = near_duplicates(vectors[:50], vectors, np.arange(1_050) % 2)
    assert len(found.gold) <= 4 * 50
    assert set(found.gold.tolist()) | set(found.other[found.other < 50].tolist()) == set(range(50))


def test_nothing_to_compare_with() -> None:
    nothing = np.empty((0, 3), np.float32)
    assert len(near_duplicates(np.eye(1, 3, dtype=np.float32), nothing, np.zeros(1, np.int64)).gold) == 0


def test_of_very_many_training_points_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_to_compare(100, 10, 5, seed=0).tolist() == list(range(100))
    monkeypatch.setattr(duplicates, "MOST_PRODUCTS", 1_000)
    chosen = chosen_to_compare(100, 10, 5, seed=0)
    assert len(set(chosen.tolist())) == 20
    assert chosen.tolist() == chosen_to_compare(100, 10, 5, seed=0).tolist()
