"""Models in ONNX, run by onnxruntime on the processor."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adaptml.errors import FeatureError, one_line
from adaptml.features.model_files import Floats


def onnx_session(model: bytes | Path, tensors: Mapping[str, Floats] | None = None) -> Any:
    """A session of onnxruntime.

    Args:
        model: a graph, or the file of one, which may keep its tensors in files beside it.
        tensors: larger tensors of the graph that are given beside it; they are copied.

    Raises:
        FeatureError: onnxruntime refuses the graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised; it need not be printed too
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    # A thread that waits gives its processor back, and memory goes back after each batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    tensors = tensors or {}
    try:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
        options.add_external_initializers(list(tensors), values)
        given = str(model) if isinstance(model, Path) else model
        return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except _onnxruntime_errors() as error:
        raise FeatureError(
            f"onnxruntime {onnxruntime.__version__} refuses the graph: {one_line(error)}"
        ) from error


def run_onnx(session: Any, given: Mapping[str, Any]) -> Sequence[Any]:
    """All results of a session, in its order.

    Raises:
        FeatureError: onnxruntime fails.
    """
    try:
        results: Sequence[Any] = session.run(None, given)
    except _onnxruntime_errors() as error:
        raise FeatureError(f"onnxruntime fails: {one_line(error)}") from error
    return results


def numpy_type(kind: str) -> type[Any]:
    """The numpy type of an input, as onnxruntime names it.

    Raises:
        FeatureError: another one than numbers of models.

    >>> numpy_type("tensor(int64)")
    <class 'numpy.int64'>
    """
    types = {"int64": np.int64, "int32": np.int32, "float": np.float32, "float16": np.float16}
    found = types.get(kind.removeprefix("tensor(").removesuffix(")"))
    if found is None:
        raise FeatureError(f"the model takes {kind}; expected one of {', '.join(types)}")
    return found


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """All errors of onnxruntime, which have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    own = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError)


def threads() -> int:
    """As many as numpy takes for linear algebra: OMP_NUM_THREADS, or the processors that it may use."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return min((pool["num_threads"] for pool in threadpool_info()), default=os.cpu_count() or 1)
