"""Reading a model imports no PyTorch, which scikit-learn would import only because it is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
WRAPPER = "sklearn.externals.array_api_compat.torch"
OF_A_THREAD = f"""
import contextlib, importlib, sys, threading
from modelling.algorithms import storage

def wrapper():
    with contextlib.suppress(Exception):
        importlib.import_module("{WRAPPER}")

with storage._WITHOUT_TORCH:
    wrapper()
    print("torch" in sys.modules)
    other = threading.Thread(target=wrapper)
    other.start()
    other.join()
    print("torch" in sys.modules)
"""


@pytest.fixture
def torch_folder(tmp_path: Path) -> Path:
    """A folder with a module that has PyTorch's name, so that it can be seen who imports it."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("float32 = float64 = int64 = None\n")
    return tmp_path


def run(code: str, folder: Path) -> list[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY)])}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_torch_is_not_imported_because_it_is_installed(torch_folder: Path) -> None:
    code = "import sys; from modelling.algorithms import storage; storage._skops_io(); print('torch' in sys.modules)"
    assert run(code, torch_folder) == ["False"]


def test_skops_alone_would_import_it(torch_folder: Path) -> None:
    """If this fails, the finder in storage.py is needed no more."""
    code = "import contextlib, sys\nwith contextlib.suppress(Exception): import skops.io\nprint('torch' in sys.modules)"
    assert run(code, torch_folder) == ["True"]


def test_another_thread_and_later_imports_get_it(torch_folder: Path) -> None:
    assert run(OF_A_THREAD, torch_folder) == ["False", "True"]
    later = f"from modelling.algorithms import storage; storage._skops_io()\ntry: import {WRAPPER}\nexcept Exception: pass"
    assert run(f"import sys\n{later}\nprint('torch' in sys.modules)", torch_folder) == ["True"]
