"""The benchmark of everything that a user gets, on tiny sets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_wrench import measured, pets, related
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL, Task
from adaptml.tasks.metrics import Outcome
from benchmarks import quality
from benchmarks.quality_figures import clearly_below, figures, mean, metrics
from benchmarks.quality_methods import SNORKEL, TFIDF, Methods
from benchmarks.quality_page import Row, Table
from benchmarks.quality_sets import DataSet, halves, in_parts, new_project

Y = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.int8)
runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pets(tmp_path, train=48, valid=24, test=24)


def said(*places: int) -> Outcome:
    """Each point's class, named with certainty."""
    flags = np.eye(2, dtype=np.int8)[list(places)]
    return Outcome(flags.astype(np.float64), flags)


def test_figures_worked_out_by_hand() -> None:
    """Class 1 once too often: F1 is 2/3 and 4/5; one point of four is 2 away in the Brier score."""
    found = figures(metrics(MULTICLASS, 1, "dog"), Y, said(0, 1, 1, 1), seed=0)
    values = {title: figure.value for title, figure in found.by_title.items()}
    assert values == pytest.approx({"accuracy": 0.75, "macro F1": (2 / 3 + 4 / 5) / 2, "F1 of dog": 4 / 5})
    assert found.brier == pytest.approx(0.5)
    assert found.main.value == 0.75
    assert [*figures(metrics(MULTILABEL), Y, said(0, 0, 1, 1), 0).by_title] == ["F1 over samples", "macro F1"]


def test_only_what_is_surely_better_is_named() -> None:
    truth = np.tile(Y, (25, 1))
    columns = metrics(MULTICLASS)

    def of(n_wrong: int) -> Any:
        wrong = np.arange(100) < n_wrong
        return figures(columns, truth, said(*(truth.argmax(axis=1) ^ wrong)), seed=0)

    known = {"both": of(20), "alike": of(19), "better": of(2), "worse": of(60)}
    found = clearly_below("both", known)
    assert [text.partition(":")[0] for text in found] == [
        "both is below better in accuracy",
        "both is below better in macro F1",
    ]
    assert "-0.180" in found[0]
    table = Table("pets", "Two classes.", ["accuracy", "macro F1"], [Row("both", of(20), 1.0)])
    assert table.verdict()[0].startswith("both is below no other row")


def test_the_mean_over_seeds_is_that_of_values_and_of_draws() -> None:
    columns = metrics(MULTICLASS)
    one, other = (figures(columns, Y, answer, 0) for answer in (said(0, 0, 1, 1), said(0, 1, 1, 1)))
    both = mean([one, other])
    assert both.main.value == pytest.approx((1 + 0.75) / 2)
    assert both.main.draws == pytest.approx((one.main.draws + other.main.draws) / 2)
    assert both.main.ends == pytest.approx(np.mean([one.main.ends, other.main.ends], axis=0))
    assert str(one.main) == "1.000 (0.510–1.000)"  # Wilson: 4 / (4 + 1.96²) is the lower end of 4 of 4


def test_no_point_is_judged_by_what_it_chose(tmp_path: Path) -> None:
    names = ["cat", "dog"] * 10
    gold = pd.DataFrame(
        {"table_name": "t", "id": [f"{i}" for i in range(20)], "gold_label": [[n] for n in names]}
    )
    data = DataSet("pets", new_project(tmp_path / "p"), Task(classes=["cat", "dog"]), "t", gold, gold)
    inside = []
    for judged, part in in_parts(data, 5, seed=1):
        assert set(part.gold["id"]) | set(part.judged["id"]) == set(gold["id"])
        assert set(part.gold["id"]).isdisjoint(part.judged["id"])
        assert part.judged["id"].tolist() == gold["id"].iloc[judged].tolist()
        inside += judged.tolist()
    assert sorted(inside) == list(range(20))
    first, second = halves(gold)
    assert len(first) + len(second) == 20
    assert min(len(first), len(second)) > 3


def test_every_method_on_a_set_and_a_page_of_it(folder: Path, tmp_path: Path) -> None:
    """`test` stays closed where a half of `valid` judges, and the labels of `train` are not read."""
    (folder / "test.json").unlink()
    content = json.loads((folder / "train.json").read_text())
    (folder / "train.json").write_text(json.dumps({key: row | {"label": 0} for key, row in content.items()}))
    page = tmp_path / "quality.md"
    options = ["--judge", "valid", "--encoder", "hashing", "--positive", "dog", "--to", str(page)]
    done = runner.invoke(command_app(quality.command), [str(folder), *options])
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    lines = [line.split(" | ")[0].strip("| ") for line in text.splitlines() if line.startswith("| ")]
    assert lines[2:] == [method for method in quality.METHODS if method != SNORKEL]
    assert "F1 of dog" in text
    assert f"{SNORKEL} is left out: it needs PyTorch" in text
    assert "`compare` said on gold, in f1_of_positive: constant " in text
    assert "a half of valid judges" in text
    weak = next(line for line in text.splitlines() if line.startswith("| weak "))
    assert float(weak.split(" | ")[1][:5]) > 0.6
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_method_that_fails_ends_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"table_name": ["t"], "id": ["1"], "gold_label": [["cat"]]})
    data = DataSet("pets", new_project(tmp_path / "p"), Task(classes=["cat", "dog"]), "t", frame, frame)
    methods = Methods(data, seed=0)

    def refuses() -> Any:
        raise ModelError("the training data hold one class only")

    assert methods.line("weak", refuses) == []
    assert methods.skipped == {"weak": "the training data hold one class only"}
    line = methods.line("most frequent class", methods.constant)[0]
    assert line.remark == "cat"
    assert line.said.probs.tolist() == [pytest.approx([2 / 3, 1 / 3])]


def test_rows_of_numbers_and_of_two_entities_go_through_tables_too(tmp_path: Path) -> None:
    """What has no text has no row of tf-idf; what stands between two entities alone tells the class."""
    numbers, pairs = measured(tmp_path, n=48), related(tmp_path, n=48)
    page = tmp_path / "quality.md"
    options = ["--encoder", "hashing", "--to", str(page)]
    done = runner.invoke(command_app(quality.command), [str(numbers), str(pairs), *options])
    assert done.exit_code == 0, done.output
    first, second = page.read_text(encoding="utf-8").split("## related")
    assert f"{TFIDF} is left out: the rows hold numbers and no text" in first
    assert f"| {TFIDF} " in second
    for part in (first, second):
        both = next(line for line in part.splitlines() if line.startswith("| both "))
        assert float(both.split(" | ")[1][:5]) == 1.0


def test_nothing_to_judge_is_said() -> None:
    done = runner.invoke(command_app(quality.command), [])
    assert done.exit_code == 2
    assert "name folders, --youtube-spam or --example" in done.stderr
