"""The benchmark of labelling runs, and fails where label matrices differ."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from adaptml.cli.app import app
from benchmarks import labelling
from benchmarks.form import Report, read_report
from benchmarks.measuring import Cost


def here(work: Any, *given: Any, prepare: Any = None) -> Any:
    """As `measure`, in this process."""
    return (work(prepare(*given)) if prepare else work(*given)), Cost(1.0)


def test_says_what_each_kind_costs_beside_snorkel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "measure", here)
    monkeypatch.setattr(labelling, "sizes", lambda rows: [30, rows])
    monkeypatch.setattr(labelling, "label", lambda *given: None)
    labelling.main(300, 100, 0, tmp_path / "found.json")
    lines = read_report(tmp_path / "found.json").lines
    assert [line.what for line in lines[1::2]] == [
        "53 keyword rules", "53 regular expressions", "53 plain Python rules",
    ]  # fmt: skip
    assert [line.size for line in lines] == [30, 300] * 3
    assert {line.their_size for line in lines} == {100}
    votes = [int(line.note.split(", ")[1].split()[0].replace(",", "")) for line in lines[1::2]]
    assert min(votes) > 100
    monkeypatch.setattr(labelling, "theirs", lambda given: np.full((len(given[1]), 53), -1))
    with pytest.raises(SystemExit, match="53 keyword rules: the label matrices differ"):
        labelling.main(300, 100, 0, None)


def in_process(words: list[str], environment: dict[str, str]) -> tuple[str, Cost]:
    """As `command`, in this process."""
    done = CliRunner(env=environment).invoke(app, words[2:])
    assert done.exit_code == 0, done.output
    return done.output, Cost(2.0, 80.0)


def test_says_what_label_costs_beside_bare_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "measure", here)
    monkeypatch.setattr(labelling, "command", in_process)
    monkeypatch.setattr(labelling, "sizes", lambda rows: [rows])
    found = Report("labelling", "")
    labelling.label(found, 50, 0)
    (line,) = found.lines
    assert (line.what, line.size, line.faster) == ("`adaptml label`", 50, 0.5)
