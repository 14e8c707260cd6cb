"""Reading data sets in WRENCH's format: texts, texts with two entities, numbers, and folders that are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_wrench import measured, pets, related

from adaptml.errors import FrameError
from benchmarks.wrench_format import BETWEEN, TEXT, UNKNOWN, between, read_rows, read_splits

NAMES = ("train", "valid", "test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pets(tmp_path, train=4, valid=4, test=4)


def change(file: Path, key: str, **parts: Any) -> None:
    content = json.loads(file.read_text())
    content[key] |= parts
    file.write_text(json.dumps(content))


def test_texts_are_read_and_labels_of_train_are_not(folder: Path) -> None:
    change(folder / "train.json", "0", label="a label that nobody reads")
    splits = read_splits(folder, NAMES, 2)
    assert splits["train"].y.tolist() == [UNKNOWN] * 4
    assert splits["test"].y.tolist() == [0, 1, 0, 1]
    assert [*splits["valid"].texts] == [TEXT]
    assert splits["valid"].numbers is None
    assert splits["valid"].L.shape == (4, 4)


def test_numbers_are_standardised_by_train(tmp_path: Path) -> None:
    """Two numbers: train's have mean 2 and deviation 1, or are all 5; together a row's length is about 1."""
    folder = measured(tmp_path, n=2)
    values = {"train": [[1, 5], [3, 5]], "valid": [[2, 5], [4, 6]], "test": [[0, 5], [2, 5]]}
    for name, rows in values.items():
        for key, row in enumerate(rows):
            change(folder / f"{name}.json", str(key), data={"feature": row})
    found = read_splits(folder, NAMES, 2)
    root = np.sqrt(2)
    for name, expected in (
        ("train", [[-1, 0], [1, 0]]),
        ("valid", [[0, 0], [2, 1]]),
        ("test", [[-2, 0], [0, 0]]),
    ):
        assert found[name].numbers == pytest.approx(np.array(expected) / root)
        assert found[name].texts == {}


def test_what_stands_between_two_entities_is_a_text_of_its_own(tmp_path: Path) -> None:
    text = "the flu is caused by a virus"
    assert between(text, (4, 7), (23, 28)) == "$  is caused by a  #"
    assert between(text, (4, 7), (6, 9)) == "$  #"  # they overlap
    rows = read_rows(related(tmp_path, n=4), "test", 2)
    assert [*rows.texts] == [TEXT, BETWEEN]
    assert [said.split()[2] for said in rows.texts[BETWEEN]] == ["cools", "heats"] * 2


def test_splits_that_do_not_fit_together_are_named(folder: Path) -> None:
    for row in map(str, range(4)):
        change(folder / "test.json", row, weak_labels=[0])
    with pytest.raises(FrameError, match=r"test.json has votes of 1 labelling functions and train.json of 4"):
        read_splits(folder, NAMES, 2)
    for row in map(str, range(4)):
        change(folder / "valid.json", row, data={"feature": [1, 2]})
    with pytest.raises(FrameError, match=r"valid.json holds 2 numbers and train.json txt; expected the same"):
        read_splits(folder, ["train", "valid"], 2)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {"data": {"text": ""}, "weak_labels": [0]},
            "(KeyError: 'label'); expected key → data.text or data.",
        ),
        ({"label": 0, "weak_labels": [0]}, "(KeyError: 'data'); expected key → data.text or data.feature, "),
        ({"label": 0, "weak_labels": [0], "data": {"feature": [1, float("nan")]}}, "finite numbers"),
        (
            {"label": 0, "weak_labels": [0], "data": {"feature": 1}},
            "is no list of finite numbers, as many in",
        ),
        ({"label": 0, "weak_labels": [0], "data": {"text": "", "span1": [0, 1]}}, "(KeyError: 'span2')"),
        ({"label": 0, "weak_labels": [0], "data": {"text": "", "span1": [0], "span2": [1]}}, "(IndexError: "),
        ({"label": 0, "weak_labels": [300], "data": {"text": ""}}, "(OverflowError: "),
        ({"label": 2, "weak_labels": [0], "data": {"text": ""}}, "numbers that are none of the 2 classes"),
        ({"label": -1, "weak_labels": [0], "data": {"text": ""}}, "numbers that are none of the 2 classes"),
        ({"label": 0, "weak_labels": [2], "data": {"text": ""}}, "numbers that are none of the 2 classes"),
        ({"label": 0, "weak_labels": [-2], "data": {"text": ""}}, "numbers that are none of the 2 classes"),
    ],
)
def test_a_bad_row_is_named(folder: Path, row: dict[str, Any], text: str) -> None:
    (folder / "valid.json").write_text(json.dumps({"0": row}))
    with pytest.raises(FrameError) as error:
        read_rows(folder, "valid", 2)
    assert str(error.value).startswith(str(folder / "valid.json"))
    assert text in str(error.value)
