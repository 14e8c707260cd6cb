"""The benchmark of changed rules and rows runs, and compares every label matrix."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def test_prints_what_a_changed_rule_and_changed_rows_cost() -> None:
    command = [sys.executable, "-W", "ignore", str(REPOSITORY / "benchmarks" / "incremental.py")]
    done = subprocess.run(
        [*command, "--rows", "1000", "--rules", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for line in (
        r"everything anew +[\d.]+ s",
        r"1 of 3 rules changed +[\d.]+ s",
        r"1/[\d.]+ of everything anew",
        r"1,000 new and 10 changed rows +[\d.]+ s",
        r"[\d.]+ × the bare scan",
        r"2,970 kept from before, 3,030 computed",  # 990 old rows of 3 rules; 1,010 new or changed ones
    ):
        assert re.search(line, done.stdout), line
