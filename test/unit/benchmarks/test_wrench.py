"""The WRENCH benchmark on a tiny data set in the same format."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.tasks.metrics import Outcome

REPOSITORY = Path(__file__).resolve().parents[3]
WORDS = {0: ["kitten", "purr", "whiskers", "meow"], 1: ["puppy", "bark", "leash", "fetch"]}
runner = CliRunner()


@pytest.fixture(scope="module")
def wrench() -> ModuleType:
    """The script as a module; benchmarks are no package."""
    spec = importlib.util.spec_from_file_location("wrench", REPOSITORY / "benchmarks" / "wrench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wrench"] = module
    spec.loader.exec_module(module)
    return module


def rows(n: int, seed: int) -> dict[str, Any]:
    """Texts of two to three words of a class. LFs know two words of each class, and one of them errs."""
    rng = np.random.default_rng(seed)
    made = {}
    for i in range(n):
        label = int(i % 2)
        words = rng.choice(WORDS[label], 2, replace=False).tolist()
        votes = [
            0 if "kitten" in words else -1,
            0 if "purr" in words else -1,
            1 if "puppy" in words else -1,
            1 if "bark" in words or i % 10 == 0 else -1,
        ]
        made[str(i)] = {"label": label, "data": {"text": " ".join(words)}, "weak_labels": votes}
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pets"
    made.mkdir()
    (made / "label.json").write_text(json.dumps({"0": "cat", "1": "dog"}))
    for seed, (name, n) in enumerate({"train": 120, "valid": 40, "test": 60}.items()):
        (made / f"{name}.json").write_text(json.dumps(rows(n, seed)))
    return made


def test_a_row_for_every_method(wrench: ModuleType, folder: Path) -> None:
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


def test_where_both_is_below_another_row(wrench: ModuleType, folder: Path) -> None:
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


def test_half_of_valid_judges_and_test_is_not_read(wrench: ModuleType, folder: Path) -> None:
    (folder / "test.json").unlink()
    data = wrench.read(folder, "knn", 1, "dog", "valid")
    assert (len(data.valid.Y), len(data.test.Y)) == (20, 20)
    assert data.metric.title == "F1 of dog"


def test_gold_of_train_is_never_used(wrench: ModuleType, folder: Path) -> None:
    def named() -> list[Any]:
        lines = wrench.read(folder, "knn", 1, None, "test").lines()
        return [line.said.predicted.tolist() for line in lines]

    before = named()
    content = json.loads((folder / "train.json").read_text())
    for row in content.values():
        row["label"] = 1 - row["label"]
    (folder / "train.json").write_text(json.dumps(content))
    assert named() == before


def test_the_command_prints_one_table(wrench: ModuleType, folder: Path) -> None:
    result = runner.invoke(command_app(wrench.command), [str(folder), "--seed", "2"])
    assert result.exit_code == 0, result.output
    first, header, *lines = result.output.splitlines()
    assert first.startswith("pets: 2 classes, 4 labelling functions, 120 train, 40 gold, 60 that judge; ")
    assert header.split()[:3] == ["method", "accuracy", "95"]
    assert len(lines) == 8 + 2
    assert lines[-2] == wrench.POLICY
    assert lines[-1].startswith("encoder hybrid, algorithm logistic_regression, seed 2, ")


def test_a_positive_class_that_is_none(wrench: ModuleType, folder: Path) -> None:
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
        (
            "valid.json",
            '{"0": {"label": 0}}',
            "valid.json is not in WRENCH's format (KeyError: 'data'); "
            "expected key → data.text, label, weak_labels",
        ),
        ("valid.json", "{}", NUMBER_ERROR),
        (
            "valid.json",
            '{"0": {"label": 2, "data": {"text": ""}, "weak_labels": [0, 0, 0, 0]}}',
            NUMBER_ERROR,
        ),
        (
            "valid.json",
            '{"0": {"label": 1, "data": {"text": ""}, "weak_labels": [0, 0, 0, -2]}}',
            NUMBER_ERROR,
        ),
        (
            "valid.json",
            '{"0": {"label": 1, "data": {"text": ""}, "weak_labels": [0]}}',
            "valid.json has votes of 1 labelling functions and train.json of 4; expected the same",
        ),
    ],
)
def test_a_bad_folder_gets_one_line(
    wrench: ModuleType, folder: Path, file: str, content: str | None, text: str
) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    result = runner.invoke(command_app(wrench.command), [str(folder)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {folder / text.split(' ')[0]} {text.split(' ', 1)[1]}")
    assert len(result.stderr.splitlines()) == 1
