"""Chromium for tests of pages: found, or installed where the superuser of a Debian runs the tests."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Chromium's program; without one the test is skipped, and says so."""
    found = _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Two of pytest-xdist's workers may ask at once, and only one may install.
        with (Path(tempfile.gettempdir()) / "adaptml-tests-chromium.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = _found() or _installed()
    if found is None:
        pytest.skip("NO BROWSER: pages were not tested; install Chromium: apt-get install chromium")
    return found


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _installed() -> str | None:
    for step in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "--quiet", *step], check=False, capture_output=True, timeout=900)
    return _found()
