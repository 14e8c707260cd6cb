"""PyTorch counts as not installed, except in tests that are marked `torch`: nothing but them may need it.

This folder is on the PYTHONPATH of the tests, so that it is refused in the processes that they start too.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

FOLDER = str(Path(__file__).parent)


class WithoutTorch(PathFinder):
    """Python's finder of files; it finds everything but PyTorch."""

    refusing = True

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None where a library only asks whether PyTorch is there, with `importlib.util.find_spec`."""
        if fullname != "torch" or not cls.refusing:
            return super().find_spec(fullname, path, target)
        if sys._getframe(2).f_code.co_name == "find_spec":
            return None
        raise ModuleNotFoundError(
            "No module named 'torch': tests are without it; mark a test `torch` that needs it as an oracle",
            name="torch",
        )


def install() -> None:
    """Refuse PyTorch from now on, in this process and in those that it starts."""
    if WithoutTorch not in sys.meta_path:
        sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTorch
    os.environ["PYTHONPATH"] = os.pathsep.join([FOLDER, *_others()])


@contextmanager
def allowed() -> Iterator[None]:
    """Within the block PyTorch is there; it is loaded once, and hidden again afterwards."""
    WithoutTorch.refusing = False
    os.environ["PYTHONPATH"] = os.pathsep.join(_others())
    sys.modules.update(_hidden)
    try:
        yield
    finally:
        install()
        WithoutTorch.refusing = True
        if "torch" in sys.modules:
            _hidden["torch"] = sys.modules.pop("torch")


_hidden: dict[str, ModuleType] = {}


def _others() -> list[str]:
    """What else is on the PYTHONPATH."""
    return [name for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if name not in ("", FOLDER)]
