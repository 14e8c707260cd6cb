"""Where arithmetic is done: numpy on the processor, PyTorch on a graphics card, with the same operators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from adaptml.errors import LabellingError

CPU = "cpu"
MOST_DENSE = 0.1  # share of numbers other than 0 above which a plain matrix is the faster one


@dataclass(frozen=True)
class Device:
    """How arrays get there and back.

    Attributes:
        name: `cpu`, `cuda` or `cuda:<number>`.
        put: an array of numpy → one that the device computes with.
        put_sparse: the same of a sparse matrix, which is only multiplied from its right.
        get: back to numpy, as a copy.
    """

    name: str
    put: Callable[[npt.NDArray[Any]], Any]
    put_sparse: Callable[[sparse.csr_array], Any]
    get: Callable[[Any], npt.NDArray[Any]]


def find_device(name: str) -> Device:
    """The device of a name.

    Raises:
        LabellingError: PyTorch or the graphics card is not there.
    """
    if name == CPU:
        return Device(CPU, np.asarray, _sparse_or_plain, np.array)
    try:
        import torch
    except ImportError:
        raise LabellingError(
            f"device is {name!r}, which PyTorch serves, and it is not installed; "
            "`pip install -e '.[cuda]'`, or use device cpu"
        ) from None
    n = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if n == 0:
        raise LabellingError(f"device is {name!r}, but no CUDA device is there; use device cpu")
    number = int(name.partition(":")[2] or 0)
    if number >= n:
        raise LabellingError(f"device is {name!r}, but there is only cuda:0{f' to cuda:{n - 1}' * (n > 1)}")
    return torch_device(name)


def torch_device(name: str) -> Device:
    """A device of PyTorch by its name there."""
    import torch

    def put(array: npt.NDArray[Any]) -> torch.Tensor:
        """As a tensor."""
        return torch.tensor(array, device=name)

    return Device(name, put, lambda matrix: put(matrix.toarray()), lambda tensor: tensor.cpu().numpy().copy())


def _sparse_or_plain(matrix: sparse.csr_array) -> Any:
    return matrix.toarray() if matrix.nnz > MOST_DENSE * np.prod(matrix.shape) else matrix
