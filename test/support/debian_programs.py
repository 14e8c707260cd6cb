"""Programs for tests that come from Debian's packages: found, or installed where the superuser of a Debian runs them."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

# Where they may be although no search path says so.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
# A package's own service is not started by its installation: tests start servers of their own.
_ENVIRONMENT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def program_of(package: str, *names: str) -> str:
    """The path of a program; without it the test is skipped, and says so.

    Args:
        package: the Debian package that brings it.
        names: what the program may be called; default: as the package.
    """
    names = names or (package,)
    found = _found(names)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Several of pytest-xdist's workers may ask at once, and only one may install.
        with (Path(tempfile.gettempdir()) / "adaptml-tests-debian.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = _found(names) or _installed(package, names)
    if found is None:
        pytest.skip(f"NO {package.upper()}: not tested; install it: apt-get install {package}")
    return found


def _found(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name, path=_PATH))), None)


def _installed(package: str, names: tuple[str, ...]) -> str | None:
    for step in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        subprocess.run(
            ["apt-get", "--quiet", *step], check=False, capture_output=True, timeout=900, env=_ENVIRONMENT
        )
    return _found(names)
