"""What `label` leaves for `train` and `compare`: every label model, with and without the gold of each fold."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adaptml.fold_probs import read_fold_probs
from adaptml.folds import folds_of_keys
from adaptml.label_scoring import load_model
from adaptml.tasks import Task
from dataprogramming import patterns as patterns_module
from dataprogramming.candidates import write_candidates
from dataprogramming.label_models.core import Gold
from dataprogramming.patterns import vote_patterns
from dataprogramming.selection import select_label_model
from dataprogramming.votes import Votes

LFS = ("a", "b", "c")
CLASSES = ("cat", "dog", "owl")


def keys(ids: range) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": [str(i) for i in ids]})


@pytest.mark.parametrize("setting", ["multiclass", "multilabel"])
def test_every_point_with_and_without_the_gold_of_each_fold(tmp_path: Path, setting: str) -> None:
    """Points 0 to 59 are to be labelled; 40 to 79 are gold, the last 20 of them only that."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 80)
    L = np.where(rng.random((80, 3)) < 0.7, truth[:, None], (truth[:, None] + 1) % 3).astype(np.int8)
    L[rng.random(L.shape) < 0.3] = -1
    Y = np.eye(3, dtype=np.int8)[truth]
    gold = Votes(keys(range(40, 80)), L[40:], LFS, CLASSES, "pets", setting, Y=Y[40:])
    votes = Votes(keys(range(60)), L[:60], LFS, CLASSES, "pets", setting, gold=gold)
    task = Task(name="pets", setting=setting, classes=list(CLASSES))
    fold = folds_of_keys(gold.keys)
    selection = select_label_model(
        task.problem, votes.L, Gold(gold.L, Y[40:]), 3, fold=fold, config={"n_epochs": 10}
    )
    write_candidates(task, selection, votes, tmp_path)
    found = read_fold_probs(tmp_path / "fold_probs.parquet")
    pd.testing.assert_frame_equal(found.keys, keys(range(80)))
    assert found.fold.tolist() == [-1] * 40 + fold.tolist()
    assert found.voted.tolist() == (L >= 0).any(axis=1).tolist()
    assert (found.classes, found.chosen) == (CLASSES, selection.chosen)
    assert found.label_models == tuple(selection.models)
    every, of_gold = np.arange(80), np.arange(40, 80)
    for name, model in selection.models.items():
        close = {"rtol": 0, "atol": 1e-6}  # the file holds float32
        expected = selection.held_out[name]
        np.testing.assert_allclose(found.says(name, every).probs, model.predict_proba(L), **close)
        np.testing.assert_allclose(found.unseen(name, of_gold).probs, expected.probs, **close)
        np.testing.assert_array_equal(found.says(name, every).predicted, model.predict(L))
        np.testing.assert_array_equal(found.unseen(name, of_gold).predicted, expected.predicted)
        kept, class_names, lf_names = load_model(tmp_path / "label_models" / f"{name}.npz")
        assert (class_names, lf_names) == (list(CLASSES), list(LFS))
        np.testing.assert_array_equal(kept.predict_proba(L), model.predict_proba(L))


def test_without_gold_nothing_is_left(tmp_path: Path) -> None:
    votes = Votes(keys(range(3)), np.zeros((3, 3), np.int8), LFS, CLASSES, "pets", "multiclass")
    task, folder = Task(name="pets", classes=list(CLASSES)), tmp_path / "artifacts"
    folder.mkdir()
    write_candidates(task, select_label_model(task.problem, votes.L, None, 3), votes, folder)
    assert list(folder.iterdir()) == []


@given(
    hnp.arrays(np.int8, st.tuples(st.integers(0, 12), st.integers(1, 4)), elements=st.integers(-1, 126)),
    st.integers(1, 5),
)
def test_patterns_are_the_distinct_rows_in_order(L: np.ndarray, batch: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(patterns_module, "BATCH_ROWS", batch)
        found = vote_patterns(L)
    assert [tuple(row) for row in found.rows] == list(dict.fromkeys(map(tuple, L)))
    np.testing.assert_array_equal(found.matrix(), L)
    assert found.counts.tolist() == list(Counter(map(tuple, L)).values())
