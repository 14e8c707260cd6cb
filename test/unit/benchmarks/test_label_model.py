"""The benchmark of Snorkel's label model runs, and fails where probabilities differ."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.torch
def test_prints_both_times_the_ratio_and_what_ours_does_alone() -> None:
    command = [sys.executable, "-W", "ignore", str(REPOSITORY / "benchmarks" / "label_model.py")]
    options = ["--rows", "200", "--epochs", "20", "--snorkel-epochs", "3"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for case in (
        "56 LFs × 5 classes, each for one",
        "164 LFs × 9 classes",
        "56 LFs × 5 classes, each for all",
    ):
        assert re.search(
            rf"{case}.* µs +[-\d.,]+ µs +[-\d,]+ ×   probabilities at most \S+ apart", done.stdout
        )
    assert re.search(r"1200 LFs × 56 classes.* of 67,200 pairs occur\n", done.stdout)
    assert re.search(r"250 LFs × 2 classes.*, learning rate 0\.0\d+, 250 of 500 pairs occur\n", done.stdout)
