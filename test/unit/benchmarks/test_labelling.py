"""The benchmark of applying labelling functions runs, and fails where label matrices differ."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "ignore", str(REPOSITORY / "benchmarks" / "labelling.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_prints_both_times_and_the_ratio() -> None:
    done = run("--rows", "300", "--snorkel-rows", "100")
    assert done.returncode == 0, done.stderr
    assert re.search(r"adaptml apply_lfs +300 rows", done.stdout)
    assert re.search(r"Snorkel PandasLFApplier +100 rows", done.stdout)
    assert re.search(r"equal label matrices: 100 rows, \d+ labelling functions, \d+ votes", done.stdout)
    assert re.search(r"\d times as fast", done.stdout)
