"""PyTorch is out of reach of every test but those that are marked for it, in its process and in those it starts."""

import importlib.util
import os
import subprocess
import sys
from importlib.metadata import distributions

import pytest

there = pytest.mark.skipif(not any(distributions(name="torch")), reason="PyTorch is not installed")
IMPORT = "import importlib.util\nassert importlib.util.find_spec('torch') is None\nimport torch"


def refused(code: str = IMPORT) -> str:
    """What a process that a test starts says of it."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stderr.splitlines()[-1]


def test_it_is_not_installed() -> None:
    with pytest.raises(ModuleNotFoundError, match="mark a test `torch`") as error:
        import torch
    assert error.value.name == "torch"
    assert importlib.util.find_spec("torch") is None
    with pytest.raises(ModuleNotFoundError):
        import torch.nn  # noqa: F401


def test_nor_in_a_process_that_a_test_starts() -> None:
    assert refused().startswith("ModuleNotFoundError: No module named 'torch': tests are without it")


@there
@pytest.mark.torch
def test_a_marked_test_gets_it() -> None:
    import torch

    assert torch.ones(2).sum().item() == 2
    assert importlib.util.find_spec("torch") is not None
    assert "no_torch" not in os.environ["PYTHONPATH"]


def test_it_is_hidden_again_after_a_marked_test() -> None:
    assert "torch" not in sys.modules
    assert refused().startswith("ModuleNotFoundError")


@there
@pytest.mark.torch
def test_the_next_marked_test_gets_the_same_module() -> None:
    """PyTorch cannot be loaded twice in a process."""
    import torch
    import torch.nn

    assert torch.nn.functional.relu(torch.tensor([-1.0])).item() == 0
