"""A version against the champion: trained again out of fold, on the same gold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hostile import evil_pickle
from mlflow.entities import Metric, Param, Run, RunData, RunInfo
from side_task import TASK, side, write
from sklearn.naive_bayes import GaussianNB

from adaptml.errors import ModelError
from adaptml.project import Project
from adaptml.tasks import MULTICLASS, Task
from adaptml.tasks.metrics import Outcome, accuracy_of
from modelling.algorithms import algorithms
from modelling.compare_with_champion import compare_with_champion, judged
from modelling.deploy import deploy
from modelling.explain import explain
from modelling.recipe import classifier_of, read_recipe, strategy_used
from modelling.train import train
from modelling.ways import HeldOut
from modelling.ways import judged as held_out

MODEL = "multiclass_side"
CHANGE = """
class_changes:
  - {date: 2026-11-26, before: [left, right], becomes: {left: [west]}}
"""


@pytest.fixture
def gold(task: Task, tmp_path: Path) -> str:
    """True labels of 40 points."""
    return write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)


@pytest.fixture
def wrong(task: Task, tmp_path: Path) -> str:
    """Every label of 40 points is the other one."""
    return write(tmp_path / "wrong.parquet", list(range(40)), label=lambda i: side(i + 1))


def test_a_version_that_is_better_worse_alike_or_of_other_classes(
    project: Project, task: Task, data: str, wrong: str, gold: str, tmp_path: Path
) -> None:
    train(project, task, wrong)
    first = compare_with_champion(project, "side", gold=gold)
    assert (first.version, first.champion, first.better, first.metrics) == ("1", None, True, {})
    deploy(project, MODEL)
    assert not compare_with_champion(project, "side", gold=gold).better
    train(project, task, data)
    better = compare_with_champion(project, "side", gold=gold)
    assert (better.version, better.champion, better.better) == ("2", "1", True)
    named = ("new_accuracy", "champion_accuracy", "gain", "gain_low", "gain_high", "gold_points")
    assert [better.metrics[name] for name in named] == [1, 0, 1, 1, 1, 40]
    assert better.sentence.startswith("Version 2 is better than the champion, version 1 (F1 of right 1.000 ")
    assert better.frame["f1/right"].tolist() == [1, 0]
    assert better.sentence in better._repr_html_()
    again = compare_with_champion(project, "side", gold=gold)
    assert again == better
    assert compare_with_champion(project, "side", gold=gold, fresh=True).run_id != better.run_id
    deploy(project, MODEL, "2")
    worse = compare_with_champion(project, "side", "1", gold)
    assert (worse.better, worse.metrics["gain"]) == (False, -1)
    assert worse.sentence.startswith("Version 1 is worse than the champion, version 2")
    train(project, task, data)
    alike = compare_with_champion(project, "side", gold=gold)
    assert (alike.better, alike.metrics["gain_low"]) == (False, 0)
    assert alike.sentence.startswith("Version 3 is not shown to be better than the champion, version 2")
    file = project.settings.tasks_dir / "side" / "task.yaml"
    renamed = TASK.replace("{name: left}", "{name: west}") + CHANGE
    file.write_text(renamed)
    train(project, "side", data)
    assert compare_with_champion(project, "side", gold=gold).metrics == alike.metrics
    file.write_text(
        TASK.replace("{name: right}]", "{name: right}, {name: up}]").replace("positive: right\n", "")
    )
    train(project, "side", write(tmp_path / "3.parquet", list(range(40)), label_probs=lambda i: [1, 0, 0]))
    other = compare_with_champion(project, "side", gold=gold)
    assert (other.better, other.run_id) == (True, "")
    assert "version 2 (left, right), tells other classes than version 5 (left, right, up)" in other.sentence


def test_no_gold_point_is_predicted_by_a_model_that_saw_it(
    project: Project, task: Task, data: str, gold: str
) -> None:
    """The nearest neighbour of each point is of the other class; of a point that was trained on, it is itself."""
    nearest = {"algorithm": "knn", "params": {"n_neighbors": 1, "metric": "euclidean"}, "features": ["extra"]}
    train(project, task, data, **nearest)
    deploy(project, MODEL)
    train(project, task, data, gold=gold, strategy="gold", **nearest)
    assert compare_with_champion(project, task, gold=gold).metrics["new_accuracy"] < 0.5


def test_what_cannot_be_compared_is_one_line(
    project: Project, task: Task, data: str, wrong: str, gold: str, tmp_path: Path
) -> None:
    for labels in (wrong, data):
        train(project, task, labels)
    deploy(project, MODEL, "1")
    few = write(tmp_path / "few.parquet", list(range(9)), gold_label=side)
    table = [
        ("none", "needs gold labels; make some, or decide by hand: `adaptml deploy multiclass_side`"),
        (few, "9 gold points are too few to compare with the champion by; expected 10 or more"),
    ]
    for given, message in table:
        with pytest.raises(ModelError, match=message):
            compare_with_champion(project, task, gold=given)
    Path(wrong).unlink()
    with pytest.raises(
        ModelError, match=r"^multiclass_side version 1 cannot be trained .* labels are gone"
    ) as e:
        compare_with_champion(project, task, gold=gold)
    assert "\n" not in str(e.value)
    assert "decide by hand: `adaptml deploy multiclass_side`" in str(e.value)
    project.runs.client.delete_registered_model_alias(MODEL, "champion")
    project.runs.client.set_registered_model_alias(MODEL, "champion", "1")
    run_id = project.runs.client.get_model_version(MODEL, "1").run_id
    project.runs.client.set_terminated(str(run_id), "FAILED")
    with pytest.raises(
        ModelError, match=r"^multiclass_side version 1 cannot be trained again: run .* is FAILED"
    ):
        compare_with_champion(project, task, gold=gold)


def test_a_pickle_is_opened_where_a_person_named_it_and_not_where_a_run_did(
    project: Project, task: Task, data: str, gold: str, tmp_path: Path
) -> None:
    path, mark = tmp_path / "train.pkl", tmp_path / "mark"
    pd.read_parquet(data).to_pickle(path)
    for given in (str(path), data):
        train(project, task, given)
    deploy(project, MODEL, "1")
    evil_pickle(path, mark)
    with pytest.raises(ModelError, match=r"^multiclass_side version 1 .* a pickle, which can run code"):
        compare_with_champion(project, task, gold=gold)
    nearest = explain(project, task, ("points", "t1"), "1").why_no_nearest
    assert "a pickle, which can run code" in nearest
    assert not mark.exists()


@pytest.mark.parametrize("algorithm", ["mlp", "logistic_regression", GaussianNB(var_smoothing=0.5)], ids=str)
def test_a_recipe_is_how_a_version_was_trained(
    project: Project, task: Task, data: str, gold: str, algorithm: object
) -> None:
    changed = {
        "mlp": {"hidden_layer_sizes": (5,)},
        "logistic_regression": {"C": 0.5, "class_weight": {0: 2.0}},
    }
    params = changed.get(algorithm, {}) if isinstance(algorithm, str) else {}
    done = train(
        project, task, data, algorithm=algorithm, params=params, test=0.25, gold=gold, strategy="weak"
    )
    recipe = read_recipe(project, MODEL, done.version)
    assert recipe.classifier.get_params() == done.model.algorithm.get_params()
    assert type(recipe.classifier) is type(done.model.algorithm)
    assert (recipe.way.strategy, recipe.share, recipe.train_data, recipe.class_names) == (
        "weak", 0.25, data, ("left", "right"),
    )  # fmt: skip
    assert list(map(str, recipe.features)) == ["vec"]


def test_an_ensemble_is_trained_again_by_the_same_ways(
    project: Project, task: Task, data: str, gold: str
) -> None:
    train(project, task, data)
    deploy(project, MODEL)
    done = train(project, task, data, gold=gold)
    way = read_recipe(project, MODEL, done.version).way
    assert len(way.members) == len(done.model.members_) > 1
    assert done.strategy.startswith(f"{way}: ")
    again = compare_with_champion(project, task, gold=gold)
    assert (again.version, again.metrics["new_accuracy"]) == (done.version, 1)
    assert explain(project, task, ("points", "t1"), done.version).why_no_nearest == ""


def test_what_gold_chose_for_a_strategy_is_trained_again(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    """Every third label of gold is wrong: what is less sure has the lower log loss."""
    gold = write(tmp_path / "gold.parquet", list(range(60)), gold_label=lambda i: side(i + (i % 3 == 0)))
    done = train(project, task, data, gold=gold, strategy="gold")
    way = read_recipe(project, MODEL, done.version).way
    assert way.penalised
    assert done.strategy.startswith(f"{way}: ")
    assert done.model.algorithm.get_params()["C_times_rows"] == 600


@pytest.mark.parametrize("name", algorithms())
def test_every_parameter_that_a_run_records_is_read_again(name: str) -> None:
    made = algorithms()[name]()
    said = {key: "" if value is None else str(value) for key, value in made.get_params().items()}
    assert classifier_of({"algorithm": name, **said}, Path()).get_params() == made.get_params()


@pytest.mark.parametrize(
    ("params", "metrics", "strategy"),
    [
        ({"combine": "auto", "strategy_used": "stacked"}, {"strategy_gold/log_loss": 0.1}, "stacked"),
        ({"combine": "weak"}, {}, "weak"),
        ({"combine": "auto"}, {"strategy_gold/log_loss": 0.2, "strategy_union/log_loss": 0.1}, "union"),
        ({"combine": "auto"}, {"train_points": 5}, "union"),  # too few gold points to choose by
        ({"combine": "auto"}, {"train_points": 0}, "gold"),  # no weakly labelled ones
    ],
)
def test_the_strategy_of_runs_of_before_is_found(
    params: dict[str, str], metrics: dict[str, float], strategy: str
) -> None:
    info = RunInfo("0" * 32, "1", "user", "FINISHED", 0, 1, "active")
    found = RunData(
        [Metric(name, value, 0, 0) for name, value in metrics.items()],
        [Param(name, value) for name, value in params.items()],
    )
    assert strategy_used(Run(info, found)) == strategy


def test_the_gain_is_paired() -> None:
    """Of four points of the first class, the new version has three right and the champion one of these."""
    Y = np.array([[1, 0]] * 4, np.int8)

    def says(first: list[float]) -> HeldOut:
        probs = np.array([[p, 1 - p] for p in first])
        return held_out(accuracy, Y, Outcome(probs, MULTICLASS.decide(probs)))

    accuracy = accuracy_of(MULTICLASS)
    found = judged(accuracy, Y, says([0.9, 0.9, 0.9, 0.1]), says([0.9, 0.1, 0.1, 0.1]), seed=0)
    assert (found["new_accuracy"], found["champion_accuracy"], found["gain"]) == (0.75, 0.25, 0.5)
    # A draw of four gains 1, 1, 0, 0: one in 16 has none of the first kind, one in 16 only these.
    assert (found["gain_low"], found["gain_high"]) == (0, 1)
    always = judged(accuracy, Y, says([0.9] * 4), says([0.1] * 4), seed=0)
    assert (always["gain_low"], always["gain_high"]) == (1, 1)
