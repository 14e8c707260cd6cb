from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adaptml import fold_probs
from adaptml.errors import FrameError
from adaptml.fold_probs import read_fold_probs, write_fold_probs
from adaptml.folds import FOLDS, folds_of_keys, held_out_parts
from adaptml.label_scoring import DECISIONS, LINKS, FittedModel

KEYS = pd.DataFrame({"table_name": "posts", "id": ["a", "b", "c", "d"]})
SAID = {"task": "spam", "setting": "multiclass", "classes": ["ham", "spam"], "chosen": "vote"}


def fitted(first: float, limit: float = 0.5) -> list[FittedModel]:
    """Of one rule, whose vote says spam with `first`; without each fold's gold, with a tenth less each time."""
    return [
        FittedModel(
            "vote",
            LINKS["sigmoid"],
            DECISIONS["thresholds"],
            np.array([0.5, 0.5]),
            np.array([[[0, 0], [0, 0], np.log([(1 - p) / p, p / (1 - p)])]]),
            np.array([0.5, limit]),
            np.ones(1),
        )
        for p in first - np.arange(FOLDS + 1) / 10
    ]


def test_what_was_written_is_read_back_in_any_number_of_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_probs, "CHUNK_ROWS", 3)
    fold, voted = np.array([-1, 0, 4, -1]), np.array([True, True, True, False])
    votes, pattern = np.array([[1], [-1]], np.int8), np.array([0, 0, 0, 1])
    models = {"vote": fitted(0.9), "em": fitted(0.8, limit=0.85)}
    path = tmp_path / "fold_probs.parquet"
    write_fold_probs(path, KEYS, fold, voted, votes, pattern, models, SAID)
    found = read_fold_probs(path)
    assert found.keys.equals(KEYS)
    assert (found.fold.tolist(), found.voted.tolist()) == ([-1, 0, 4, -1], voted.tolist())
    assert (found.classes, found.label_models, found.chosen) == (("ham", "spam"), ("vote", "em"), "vote")
    every = np.arange(4)
    said = found.says("vote", every)
    assert said.probs[:, 1] == pytest.approx([0.9, 0.9, 0.9, 0.5])
    assert said.predicted.tolist() == [[0, 1]] * 3 + [[0, 0]]
    assert found.says("em", every).predicted[:, 1].tolist() == [0, 0, 0, 0]  # its limit is higher
    assert found.says("em", every, without=2).probs[:, 1] == pytest.approx([0.5] * 4)
    # b is in fold 0 and c in fold 4: each as the label model without that fold says it
    assert found.unseen("vote", np.array([2, 1])).probs[:, 1] == pytest.approx([0.4, 0.8])
    asked = pd.DataFrame({"id": ["c", "x"], "table_name": "posts"})
    assert found.rows_of(asked).tolist() == [2, -1]
    # Points of the same votes: the first of them has what they have in common.
    written = pd.read_parquet(path)
    assert written["first"].tolist() == [0, 0, 0, 3]
    assert [None if one is None else len(one) for one in written["vote.without_4"]] == [2, None, None, 2]


def test_another_file_is_refused(tmp_path: Path) -> None:
    KEYS.to_parquet(tmp_path / "fold_probs.parquet")
    with pytest.raises(FrameError, match=r"holds no probabilities by folds.*label again"):
        read_fold_probs(tmp_path / "fold_probs.parquet")


def test_a_points_fold_is_its_own_whatever_other_points_there_are() -> None:
    many = pd.DataFrame({"table_name": "posts", "id": [str(i) for i in range(1000)]})
    found = folds_of_keys(many)
    assert np.bincount(found, minlength=FOLDS).min() > 150
    assert folds_of_keys(many[500:]).tolist() == found[500:].tolist()
    other = folds_of_keys(many.assign(table_name="comments"))
    assert 0.1 < (other == found).mean() < 0.3  # the table counts too
    parts = held_out_parts(np.array([3, 0, 3]))
    assert {f: (inside.tolist(), outside.tolist()) for f, (inside, outside) in parts.items()} == {
        0: ([0, 2], [1]), 3: ([1], [0, 2]),
    }  # fmt: skip
