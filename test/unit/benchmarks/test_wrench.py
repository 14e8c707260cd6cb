"""The WRENCH benchmark on a tiny data set in the same format."""

from pathlib import Path

import numpy as np
import pytest
from tiny_wrench import measured, pets, related
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.tasks.metrics import Outcome
from benchmarks import wrench

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pets(tmp_path, train=120, valid=40, test=60)


def test_a_row_for_every_method(folder: Path) -> None:
    data = wrench.read(folder, "logistic_regression", 1, None, "test")
    lines = list(data.lines())
    assert [line.method for line in lines] == [
        "constant",
        "majority_vote",
        "weighted_vote",
        "snorkel",
        "dawid_skene",
        "end model, gold labels",
        "end model, weak labels",
        "end model, both",
    ]
    accuracy = {line.method: (line.said.predicted & data.test.Y).sum() / 60 for line in lines}
    assert accuracy["constant"] == 0.5
    assert all(value > 0.9 for name, value in accuracy.items() if name.startswith("end model"))
    again = wrench.read(folder, "logistic_regression", 1, None, "test").lines()
    assert all(
        (one.said.predicted == two.said.predicted).all() for one, two in zip(again, lines, strict=True)
    )


def test_where_both_is_below_another_row(folder: Path) -> None:
    """Right on all against right on half: below by about a half; a tie is nothing."""
    data = wrench.read(folder, "logistic_regression", 1, None, "test")
    right = Outcome(data.test.Y.astype(float), data.test.Y)
    flags = np.tile(np.array([1, 0], np.int8), (60, 1))
    dogs = Outcome(flags.astype(float), flags)
    found = wrench.below(data, {"a": right, "end model, both": dogs})
    assert [text.split(",")[0] for text in found] == [
        "both is below a in accuracy", "both is below a in macro F1",
    ]  # fmt: skip
    assert wrench.below(data, {"a": right, "end model, both": right}) == []


def test_half_of_valid_judges_and_test_is_not_read(folder: Path) -> None:
    (folder / "test.json").unlink()
    data = wrench.read(folder, "knn", 1, "dog", "valid")
    assert (len(data.valid.Y), len(data.test.Y)) == (20, 20)
    assert data.metric.title == "F1 of dog"


def test_rows_of_numbers_and_of_two_entities(tmp_path: Path) -> None:
    """Three numbers as they are; two texts of 4869, the second of which alone tells the class."""
    for folder, d in ((measured(tmp_path, n=48), 3), (related(tmp_path, n=48), 2 * 4869)):
        data = wrench.read(folder, "logistic_regression", 1, None, "test")
        assert data.train.X.shape == (48, d)
        assert not data.train.Y.any()
        both = next(line for line in data.lines() if line.method == "end model, both")
        assert (both.said.predicted == data.test.Y).all()


def test_the_command_prints_one_table(folder: Path) -> None:
    result = runner.invoke(command_app(wrench.command), [str(folder), "--seed", "2"])
    assert result.exit_code == 0, result.output
    first, header, *lines = result.output.splitlines()
    assert first.startswith("pets: 2 classes, 4 labelling functions, 120 train, 40 gold, 60 that judge; ")
    assert header.split()[:3] == ["method", "accuracy", "95"]
    assert len(lines) == 8 + 2
    assert lines[-2] == wrench.POLICY
    assert lines[-1].startswith("encoder hybrid, algorithm logistic_regression, seed 2, ")


def test_a_positive_class_that_is_none(folder: Path) -> None:
    result = runner.invoke(command_app(wrench.command), [str(folder), "--positive", "cow"])
    assert result.exit_code == 1
    assert "positive is 'cow'; expected one of two classes, and " in result.stderr


LABEL_ERROR = "label.json is no map from class numbers 0, 1 … to names"
NUMBER_ERROR = "valid.json holds no rows, or numbers that are none of the 2 classes of label.json"


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        (
            "test.json",
            None,
            "test.json cannot be read; expected a folder with label.json, train.json, valid.json and test.json",
        ),
        ("valid.json", "{", "valid.json is not JSON: "),
        ("label.json", "[]", LABEL_ERROR),
        ("label.json", '{"1": "cat", "2": "dog"}', LABEL_ERROR),
        ("valid.json", "{}", NUMBER_ERROR),
        (
            "valid.json",
            '{"0": {"label": 1, "data": {"text": ""}, "weak_labels": [0]}}',
            "valid.json has votes of 1 labelling functions and train.json of 4; expected the same",
        ),
    ],
)
def test_a_bad_folder_gets_one_line(folder: Path, file: str, content: str | None, text: str) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    result = runner.invoke(command_app(wrench.command), [str(folder)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {folder / text.split(' ')[0]} {text.split(' ', 1)[1]}")
    assert len(result.stderr.splitlines()) == 1
