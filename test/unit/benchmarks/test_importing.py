"""The benchmark of imports runs, and sees that every row was written."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def test_prints_what_an_import_costs_beside_pandas() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.importing", "--rows", "6000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr + done.stdout
    for line in (
        r"6,000 rows of short texts",
        r"this project +[\d.]+ s, [\d,]+ rows/s, peak memory [\d,]+ MB",
        r"once more +[\d.]+ s, nothing new",
        r"pandas +[\d.]+ s.*ratio [\d.]+",
    ):
        assert re.search(line, done.stdout), line
