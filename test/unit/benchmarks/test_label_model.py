"""The benchmark of Snorkel's label model runs, and fails where probabilities differ."""

import re
import warnings
from pathlib import Path

import pytest

from benchmarks import label_model
from benchmarks.form import read_report


@pytest.mark.torch
def test_says_what_an_epoch_costs_beside_snorkel_and_what_ours_does_alone(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        label_model.main(200, 20, 3, tmp_path / "found.json")
    first, _, _, many, dense = read_report(tmp_path / "found.json").lines
    assert (first.what, first.size) == ("56 rules × 5 classes, each for one", 1)
    assert first.theirs is not None
    assert re.fullmatch(r"probabilities at most \S+ apart", first.note)
    assert many.size == 120  # six fits of 20 epochs
    assert re.search(r", [\d,]+ of 67,200 pairs occur$", many.note)
    assert re.fullmatch(r"learning rate 0\.0\d+, 250 of 500 pairs occur", dense.note)
