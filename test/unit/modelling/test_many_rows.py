"""More rows than are held in memory: kept on disk in blocks, learned from piece by piece."""

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adaptml.errors import FileError, ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from modelling import weak_labels
from modelling.algorithms import EndModel, classifier, many_mlp, many_rows
from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm
from modelling.algorithms.many import Many
from modelling.algorithms.many_logistic import Weighed
from modelling.algorithms.many_rows import ManyRows, below, write_many_rows
from modelling.memory import Memory

N = 240


def on_disk(X: np.ndarray, folder: Path, monkeypatch: pytest.MonkeyPatch, block_rows: int = 32) -> ManyRows:
    """Rows in blocks, as they come in chunks of 50."""
    monkeypatch.setattr(many_rows, "BLOCK_ROWS", block_rows)
    folder.mkdir(exist_ok=True)
    return write_many_rows((X[i : i + 50] for i in range(0, len(X), 50)), len(X), folder, seed=0)


def rows(k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Two columns that are full and six that are mostly zeros, sorted by class; and their classes (N, k)."""
    rng = np.random.default_rng(0)
    truth = np.sort(np.arange(N) % k)
    X = np.zeros((N, 8), np.float32)
    X[:, 3:5] = rng.normal(size=(N, 2)) + np.column_stack([truth, -truth])
    some = rng.random((N, 6)) < 0.2
    X[:, [0, 1, 2, 5, 6, 7]] = some * rng.random((N, 6))
    return X, np.eye(k)[truth]


@settings(max_examples=15, deadline=None)
@given(
    X=arrays(np.float32, st.tuples(st.integers(1, 40), st.just(5)), elements=st.sampled_from([0.0, 0.0, 0.0, 0.5, 2.0])),
    more=st.integers(0, 7),
    seed=st.integers(0, 3),
)  # fmt: skip
def test_blocks_hold_every_row_once_whatever_its_columns(
    X: np.ndarray, more: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_rows, "BLOCK_ROWS", 7)
        chunks = (X[i : i + 11] for i in range(0, len(X), 11))
        kept = write_many_rows(chunks, len(X), tmp_path_factory.mktemp("rows"), seed)
    further = np.arange(more * 5, dtype=np.float32).reshape(more, 5)
    whole, both = below(kept, further), np.vstack([X, further])
    assert (len(whole), whole.shape) == (len(both), both.shape)
    assert (whole.in_memory(as_sparse=False) == both).all()
    assert (whole.in_memory(as_sparse=True).toarray() == both).all()
    W, numbers = np.arange(10, dtype=np.float32).reshape(5, 2), []
    for number, block in enumerate(whole.blocks()):
        numbers += block.rows.tolist()
        assert block.rows.tolist() == whole.numbers(number).tolist()
        assert block.times(W) == pytest.approx(both[block.rows] @ W, rel=1e-5)
        G = np.ones((len(block.rows), 2), np.float32)
        assert block.transposed_times(G) == pytest.approx(both[block.rows].T @ G, rel=1e-5)
    assert sorted(numbers) == list(range(len(both)))
    chosen, sample = whole.sample(9)
    assert len(chosen) == min(9, len(X))
    assert (sample == X[chosen]).all()


@pytest.mark.parametrize(
    ("problem", "k", "soft", "params"),
    [
        (MULTICLASS, 3, True, {"class_weight": "balanced"}),
        (MULTICLASS, 2, False, {"C": 3.0}),
        (MULTILABEL, 3, False, {"class_weight": "balanced"}),
        (MULTILABEL, 3, True, {"class_weight": {0: 1.0, 1: 4.0}}),
    ],
)
def test_logistic_regression_learns_the_same_piece_by_piece(
    problem: ProblemType, k: int, soft: bool, params: dict[str, object], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    X, Y = rows(k)
    if problem is MULTILABEL:
        Y[:, 1] = np.arange(N) % 2
        Y[:, 2] = 1.0  # the same on all rows: nothing to learn
    if soft:
        Y = 0.9 * Y + 0.1 * (1 / k if problem.exclusive else 0.5)
    weights = 1 + np.arange(N) % 3.0
    made = classifier("logistic_regression", {"tol": 1e-5, **params})
    before = EndModel(made, problem).fit(X, Y, weights)
    kept = on_disk(X[:200], tmp_path / "rows", monkeypatch, block_rows=12 if k == 2 else 60).followed_by(
        X[200:]
    )
    after = EndModel(made, problem).fit(kept, Y, weights)
    assert after.predict_proba(X) == pytest.approx(before.predict_proba(X), abs=2e-3)
    assert after.predict_proba(kept) == pytest.approx(after.predict_proba(X), abs=1e-6)
    after.save(tmp_path / "model.skops")
    again = EndModel.load(tmp_path / "model.skops")
    assert (again.predict_proba(X) == after.predict_proba(X)).all()
    stopped = EndModel(classifier("logistic_regression", {"max_iter": 2, "tol": 1e-9}), problem).fit(kept, Y)
    assert stopped.unconverged_ == (
        "logistic_regression stopped after 2 iterations before it converged; raise max_iter (now 2)"
    )


@pytest.mark.parametrize(
    ("problem", "soft", "n_parts"), [(MULTICLASS, True, 1), (MULTILABEL, False, 1), (MULTILABEL, True, 3)]
)
def test_a_network_learns_rows_that_are_sorted_by_class_piece_by_piece(
    problem: ProblemType, soft: bool, n_parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y = rows()
    X[:, 3:5] += 5 * np.column_stack([Y[:, 0] - Y[:, 2], Y[:, 1]])  # far apart
    kept = on_disk(X, tmp_path / "rows", monkeypatch, block_rows=60)
    made = classifier(
        "mlp", {"hidden_layer_sizes": "8", "batch_size": "20", "max_iter": 8, "learning_rate_init": 0.05}
    )
    model = EndModel(made, problem, seed=1).fit(kept, 0.8 * Y + 0.05 if soft else Y)
    assert (model.score(X, Y) > 0.95, len(model.parts_)) == (True, n_parts)


def test_a_network_stops_where_rounds_of_rows_get_no_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y = rows()
    kept = on_disk(X, tmp_path / "rows", monkeypatch)
    monkeypatch.setattr(many_mlp, "ROUND_ROWS", 100)
    made = classifier("mlp", {"hidden_layer_sizes": "2", "tol": "10", "n_iter_no_change": 3})
    model = EndModel(made).fit(kept, Y)
    assert (model.parts_[0].n_iter_, model.unconverged_) == (5, "")  # the first, and more than 3 after it


def test_an_algorithm_that_learns_from_all_rows_at_once_has_them_read_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y = rows()
    kept = on_disk(X, tmp_path / "rows", monkeypatch)
    for name in ("linear_svm", "knn"):
        model = EndModel(name, seed=0).fit(kept, Y)
        assert (model.predict_proba(X) == EndModel(name, seed=0).fit(X, Y).predict_proba(X)).all()
    object.__setattr__(kept, "memory", Memory.of("1MB"))
    with pytest.raises(
        ModelError,
        match=r"^knn learns from all rows at once, and 240 rows of 8 numbers need about .* of memory in all, and "
        r"--max-memory is 1MB; choose logistic_regression or mlp, which learn piece by piece, give more",
    ):
        EndModel("knn").fit(kept, Y)


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = rows()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(FileError) as refused:
            on_disk(X, tmp_path / "rows", monkeypatch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(refused.value) == (
        f"{tmp_path / 'rows'} cannot hold the features of 240 data points: File too large; free space, or name "
        "another folder for temporary files (TMPDIR)"
    )


@pytest.mark.parametrize(
    ("said", "meant"), [("4GB", 4e9), ("1.5g", 1.5e9), ("500 MB", 5e8), ("2GiB", 2e9), (1000, 1000)]
)
def test_how_much_memory_is_said_as_people_say_it(said: str | int, meant: float) -> None:
    assert Memory.of(said).max_bytes == meant


@pytest.mark.parametrize("said", ["much", "0", "-4GB", "4XB"])
def test_a_size_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(ModelError, match=rf"^max_memory is {said!r}; expected a size such as 4GB or 500MB$"):
        Memory.of(said)


def test_what_rows_say_is_worked_out_for_a_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_rows, "LABEL_ROWS", 2)
    Y = np.array([[1, 0, 0], [0.25, 0, 0.75], [0, 1, 0]])
    weights, some = np.array([1.0, 2.0, 4.0]), np.array([1, 2])
    three = Weighed(Y, weights, np.arange(3), np.array([1.0, 2.0, 1.0]), exclusive=True)
    speaks_for, against = three.of(some)
    assert (speaks_for.tolist(), against) == ([[0.5, 0, 1.5], [0, 8, 0]], None)
    assert (three.totals().tolist(), three.totals(some).tolist()) == ([11.0] * 3, [10.0] * 3)
    two = Weighed(Y, weights, np.array([0, 2]), np.array([3.0, 1.0]), exclusive=True)
    assert [part.tolist() for part in two.of(some) if part is not None] == [[[1.5], [0]], [[1.5], [0]]]
    each = Weighed(Y, weights, np.array([0, 1]), np.array([[1.0, 2.0], [1.0, 1.0]]), exclusive=False)
    speaks_for, against = each.of(slice(0, 2))
    assert against is not None
    assert (speaks_for.tolist(), against.tolist()) == ([[2, 0], [1, 0]], [[0, 1], [1.5, 2]])
    assert each.totals().tolist() == [2 + 2.5 + 4, 1 + 2 + 4]
    counts = (
        LogisticRegressionAlgorithm(class_weight="balanced")
        ._weighed(
            Many(None, Y, weights, np.arange(3), exclusive=True, soft=True, advance=lambda _: None)  # type: ignore[arg-type]
        )
        .counts
    )
    assert counts == pytest.approx(7 / (3 * np.array([1.5, 4, 1.5])))


def test_fewer_rows_choose_where_little_memory_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weak_labels, "CHOICE_ROWS", 100)
    monkeypatch.setattr(weak_labels, "LEAST_CHOICE_ROWS", 10)
    monkeypatch.setattr(Memory, "check", lambda *_: None)
    kept = on_disk(rows()[0], tmp_path / "rows", monkeypatch)
    of_a_row = 2 * 8 * weak_labels.BYTES_A_NUMBER  # as far as half of what was asked for may be taken
    for max_bytes, n in ((100 * of_a_row, 100), (99 * of_a_row, 50), (1, 6)):
        chosen, X = weak_labels._chosen(replace(kept, memory=Memory(max_bytes, "so many bytes")))
        assert (len(chosen), X.shape) == (n, (n, 8))
    assert len(weak_labels._chosen(replace(kept, memory=Memory(1)))[0]) == 100  # what is free does not matter
