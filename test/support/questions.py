"""Questions that tests of the children ask: each does to its process what a rule may do."""

import ctypes
import os
import subprocess
import sys
import time
from typing import Any

from adaptml.errors import LabellingError
from adaptml.project import Project
from portal.asks.core import Kind

NAMES = ("add", "runs", "same_process", "environment")
LIMITED = {name: Kind(f"questions:{name}", "labelling", limited=True) for name in NAMES}
OTHERS = {f"{name}_kept": Kind(f"questions:{name}", "labelling") for name in NAMES}
KINDS = LIMITED | OTHERS


def add(_project: Project, *, one: int, other: int) -> dict[str, Any]:
    return {"sum": one + other}


def same_process(_project: Project) -> dict[str, Any]:
    return {"pid": os.getpid(), "parent": os.getppid()}


def environment(project: Project) -> dict[str, Any]:
    return {"names": sorted(os.environ), "token": project.settings.label_studio_token.get_secret_value()}


def runs(project: Project, *, code: str) -> dict[str, Any]:
    """Run a rule whose body is the code, as if it stood in a task's lfs.py."""
    path = str(project.settings.tasks_dir / "spam" / "lfs.py")
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    names: dict[str, Any] = {
        "os": os, "sys": sys, "time": time, "ctypes": ctypes, "subprocess": subprocess, "LabellingError": LabellingError,
    }  # fmt: skip
    exec(compile(f"def rule():\n{lines}\n", path, "exec"), names)
    return {"said": names["rule"]()}
