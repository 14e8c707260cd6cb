"""The benchmark of training and predicting: both sides say the same."""

import numpy as np
import pytest

from benchmarks import training


def test_rows_have_the_shape_of_the_encoder_that_they_stand_for() -> None:
    (X, y), *_ = training.chunks(200)
    assert X.shape == (200, 4_864)
    assert 0.01 < np.mean(X[:, : training.WORDS] != 0) < 0.03
    assert set(y) == set(range(training.CLASSES))


def test_learning_a_block_at_a_time_is_learning_from_one_matrix() -> None:
    by_blocks = training.in_blocks("logistic_regression", 300)
    assert (
        np.mean(np.array(by_blocks) == training.dense(training.in_one_matrix(("logistic_regression", 300))))
        > 0.97
    )


def test_the_champion_names_the_classes_that_a_product_names(
    monkeypatch: pytest.MonkeyPatch, clean_room: object
) -> None:
    for name in ("ADAPTML_ROOT", "ADAPTML_HOME", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")  # what the benchmark sets goes with the test
    said = training.predicted(training.champion(30))
    assert said == training.bare(training.table(30))
    assert sum(said.values()) == 30
