"""An end model that was fine-tuned, from the labels to the answers: trained, served, explained, exported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from side_task import side, write
from tiny_texts import calm_encoder

from adaptml.errors import ModelError
from adaptml.label_scoring import calibrated
from adaptml.project import Project
from adaptml.tasks import MULTICLASS, Task
from adaptml.tasks.metrics import Outcome, accuracy_of
from modelling.algorithms import get_algorithm
from modelling.choosing import combine
from modelling.compare import compare
from modelling.learner import Gold, Learner, Weak
from modelling.model_folder import load_model_folder
from modelling.strategies import AUTO
from modelling.train import TrainResult, train

pytestmark = pytest.mark.torch
WORDS = (["purr", "meow", "the cat", "cat purr"], ["bark", "dog", "the dog", "bark bark"])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine PyTorch's threads wait for each other, many times as long as one takes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def text(i: int) -> str:
    return WORDS[i % 2][i // 2 % 4]


@pytest.fixture
def params(task: Task, project: Project, tmp_path: Path) -> dict[str, Any]:
    """The points' texts say which side they are on."""
    rows = {"id": [f"t{i}" for i in range(60)], "txt": [text(i) for i in range(60)]}
    project.database.upsert("points", pd.DataFrame(rows), ["id"])
    encoder = calm_encoder(tmp_path / "encoder")
    return {"encoder": str(encoder), "learning_rate": 0.01, "batch_size": 4, "epochs": 8}


@pytest.fixture
def trained(project: Project, data: str, params: dict[str, Any], tmp_path: Path) -> TrainResult:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    return train(project, "side", data, algorithm="transformer", features=["txt"], gold=gold, params=params)


def test_from_labels_to_answers(
    trained: TrainResult, project: Project, params: dict[str, Any], tmp_path: Path
) -> None:
    lines = dict(trained.lines)
    assert trained.strategy.startswith("stacked"), trained.strategy
    assert "of one fold in five, which another model of the kind did not see" in " ".join(lines.values())
    assert "passes over 27 texts: log loss" in lines["fine-tuning"]
    assert "on 3 gold points that were held out" in lines["fine-tuning"]
    assert 1 <= trained.metrics["gold_points"] < 30
    assert trained.metrics["gold_accuracy"] > 0.8
    assert trained.metrics["gold_accuracy_low"] <= trained.metrics["gold_accuracy"]
    # A row that nobody featurised is answered from its text.
    new = pd.DataFrame({"id": ["new"], "txt": ["the dog bark"]})
    project.database.upsert("points", new, ["id"])
    project.deploy(trained.model_name)
    answered = project.predict("side", "points").predictions.set_index("id")
    assert answered.loc["new", "label"] == ["right"]
    right = [answered.loc[f"t{i}", "label"] == side(i) for i in range(60)]
    assert sum(right) > 55
    explained = project.explain("side", {"txt": "purr"}, trained.version)
    assert explained.labels == ["left"]
    assert "was fine-tuned on texts" in explained.why_no_nearest
    assert project.explain("side", ("points", "new"), trained.version).labels == ["right"]
    exported = project.export_model(trained.model_name, tmp_path / "exported").folder
    assert {"classifier.safetensors", "classifier.skops", "names.json"} < {p.name for p in exported.iterdir()}
    served = load_model_folder(exported, project.points)
    assert served.predict(["points"], ["new"])["right"] == [1]
    with (exported / "classifier.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(ModelError, match=r"classifier.safetensors was changed: its SHA-256"):
        load_model_folder(exported, project.points)


@pytest.mark.parametrize(("algorithm", "enough"), [("transformer", 200), ("setfit", 16)])
def test_from_how_many_gold_points_on_it_learns_from_gold_alone(
    algorithm: str, enough: int, tmp_path: Path
) -> None:
    """One fewer, and it learns from weak labels first."""
    encoder = str(calm_encoder(tmp_path / "encoder"))
    few = {"transformer": {"epochs": 1}, "setfit": {"steps": 1}}[algorithm]
    learner = Learner(get_algorithm(algorithm, {"encoder": encoder, **few}), MULTICLASS)
    X = np.array([[text(i)] for i in range(enough)], dtype=object)
    Y = np.eye(2, dtype=np.int8)[np.arange(enough) % 2]
    weak = Weak(X[:40], Outcome(Y[:40].astype(float), Y[:40]))

    def strategy(n: int) -> tuple[str, str]:
        done = combine(AUTO, learner, {"": weak}, Gold(X[:n], Y[:n]), accuracy_of(MULTICLASS))
        return done.strategy, done.reason

    assert strategy(enough) == ("gold", "fine-tuning is too slow to try more")
    assert strategy(enough - 1)[0] == "stacked"


def test_it_is_calibrated_on_the_gold_that_it_is_judged_by_where_there_is_enough(
    project: Project, data: str, params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of gold says the other side; what is calibrated is what the same training said before."""

    def said(i: int) -> list[str]:
        return side(i + (i // 8 % 4 == 0))

    gold = write(tmp_path / "gold.parquet", list(range(60)), gold_label=said)
    given = {"algorithm": "transformer", "features": ["txt"], "gold": gold, "strategy": "gold"}
    plain = train(project, "side", data, params=params, **given)
    n = round(plain.metrics["gold_points"])
    assert dict(plain.lines)["probabilities"] == (
        f"not calibrated: {n} gold points of that fold are too few; 100 are needed"
    )
    assert plain.model.calibrator_ is None
    monkeypatch.setattr("adaptml.calibrating.MIN_POINTS", 5)
    monkeypatch.setattr("adaptml.calibrating.MIN_OF_CLASS", 2)
    done = train(project, "side", data, params=params, **given)
    assert dict(done.lines)["probabilities"].startswith("calibrated: log loss ")
    assert done.model.calibrator_ is not None
    project.deploy(done.model_name)
    answered = project.predict("side", "points").predictions
    texts = np.array([[text(int(key[1:]))] for key in answered["id"]], dtype=object)
    expected = calibrated(plain.model.predict_proba(texts), done.model.calibrator_, exclusive=True)
    np.testing.assert_allclose(np.array(answered["label_probs"].tolist()), expected, atol=1e-6)


def test_weak_labels_alone_and_what_is_refused(
    project: Project, data: str, params: dict[str, Any], tmp_path: Path
) -> None:
    done = train(project, "side", data, algorithm="transformer", features=["txt"], params=params, test=0.2)
    assert done.strategy.startswith("weak")
    assert done.metrics["lm_accuracy"] > 0.6
    with pytest.raises(
        ModelError, match=r"^comparing trains a model of each strategy in each of 5 folds, and tra"
    ):
        compare(project, "side", data, algorithm="transformer", features=["txt"])
    with pytest.raises(ModelError, match=r"^transformer does not say which parameters to search over"):
        train(project, "side", data, algorithm="transformer", features=["txt"], search=2)
