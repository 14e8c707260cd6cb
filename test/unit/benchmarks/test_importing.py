"""The benchmark of imports runs, and sees that every row was written."""

from pathlib import Path

import pytest

from benchmarks import importing
from benchmarks.form import read_report


def test_says_what_an_import_costs_beside_pandas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "sizes", lambda rows: [rows])
    importing.main(60, tmp_path / "found.json")
    lines = read_report(tmp_path / "found.json").lines
    assert [(line.what, line.size) for line in lines] == [("a new file", 60), ("the same file again", 60)]
    assert all(line.theirs is not None and line.ours.peak_mb for line in lines)
