"""Programs of ours within this process: what a process of its own adds is seconds of imports, each time."""

import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from runpy import run_module
from subprocess import CompletedProcess

import pytest


def program(module: str, *words: str) -> CompletedProcess[str]:
    """`python -m module words …`: its exit code, and what it printed."""
    out, err = StringIO(), StringIO()
    code: object = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        patch.setattr(sys, "argv", [module, *words])
        try:
            run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int), code
    return CompletedProcess([module, *words], code, out.getvalue(), err.getvalue())
