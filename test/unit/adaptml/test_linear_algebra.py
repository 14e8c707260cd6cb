"""One thread of linear algebra while somebody asks for it; then the number that was found."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

from adaptml.linear_algebra import _libraries, one_thread
from modelling.algorithms import EndModel, get_algorithm, many_logistic
from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm


@pytest.fixture(autouse=True)
def _nothing_of_earlier_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have left a thread alive, which threadpoolctl then lets alone set the number, and have
    loaded a library (OpenCV has one of its own) after the first training looked for them."""
    monkeypatch.setattr(OpenBLASController._SHARED_STATE, "controlling_thread", None)
    _libraries.cache_clear()


def threads() -> set[int]:
    """The numbers of threads of all libraries of linear algebra in this process."""
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_within_it_is_one_and_then_what_it_was() -> None:
    with threadpool_limits(2, user_api="blas"):
        with one_thread():
            assert threads() == {1}
            with one_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == {2}


@pytest.mark.parametrize("first_leaves_first", [True, False])
def test_two_at_once_leave_what_the_first_found(first_leaves_first: bool) -> None:
    inside, left = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def second() -> None:
        with one_thread():
            assert threads() == {1}
            inside.wait()
            if first_leaves_first:
                left.wait()

    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(1) as pool:
        with one_thread():
            done = pool.submit(second)
            inside.wait()
            if not first_leaves_first:
                done.result(60)
        if first_leaves_first:
            left.wait()
        done.result(60)
        assert threads() == {2}
        with one_thread():
            assert threads() == {1}


def test_what_fails_within_gives_back_too() -> None:
    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ZeroDivisionError), one_thread():
            1 / 0  # noqa: B018
        assert threads() == {2}


def test_logistic_regression_learns_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, build = [], LogisticRegressionAlgorithm._build

    def look(self: LogisticRegressionAlgorithm, *given: Any) -> Any:
        seen.append(threads())
        return build(self, *given)

    monkeypatch.setattr(LogisticRegressionAlgorithm, "_build", look)
    with threadpool_limits(2, user_api="blas"):
        get_algorithm("logistic_regression").fit(np.eye(4), [0, 1, 0, 1])
        assert (seen, threads()) == ([{1}], {2})


def test_end_models_learn_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, fit = [], many_logistic.fit_logistic

    def look(*given: Any, **options: Any) -> Any:
        seen.append(threads())
        return fit(*given, **options)

    monkeypatch.setattr(many_logistic, "fit_logistic", look)
    with threadpool_limits(2, user_api="blas"):
        EndModel().fit(np.eye(4, dtype=np.float32), np.eye(2)[[0, 1, 0, 1]])
        assert (seen, threads()) == ([{1}], {2})
