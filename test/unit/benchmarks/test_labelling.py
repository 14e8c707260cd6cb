"""The benchmark of labelling runs, and fails where label matrices differ."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import labelling
from benchmarks.form import read_report
from benchmarks.measuring import Cost


def here(work: Any, *given: Any, prepare: Any = None) -> Any:
    """As `measure`, in this process."""
    return (work(prepare(*given)) if prepare else work(*given)), Cost(1.0)


def test_says_what_rules_cost_beside_snorkel_and_label_beside_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "measure", here)
    monkeypatch.setattr(labelling, "sizes", lambda rows: [rows])
    labelling.main(400, 100, tmp_path / "found.json")
    *rules, whole = read_report(tmp_path / "found.json").lines
    assert [line.what for line in rules] == ["keyword rules", "regular expressions", "plain Python functions"]
    assert {(line.size, line.their_size, line.faster) for line in rules} == {(400, 100, 4.0)}
    assert (whole.what, whole.size, whole.faster) == ("label as a whole", 400, 1.0)
    monkeypatch.setattr(labelling, "apply_snorkel", lambda prepared: np.full((100, 53), -1))
    with pytest.raises(SystemExit, match="keyword rules: the label matrices differ"):
        labelling.main(400, 100, None)
