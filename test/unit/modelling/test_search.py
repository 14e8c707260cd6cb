"""A search over parameters is judged on gold that did not choose."""

import html
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from side_task import side
from sklearn.ensemble import RandomForestClassifier

from adaptml.errors import ModelError
from adaptml.folds import FOLDS
from adaptml.project import Project
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType, Task
from adaptml.tasks.metrics import Metric, Outcome, best
from modelling.algorithms import algorithms, classifier
from modelling.learner import Gold, Learner, Weak
from modelling.search import MIN_SEARCHED, drawn_settings, search_in_folds
from modelling.trials import Trials
from modelling.ways import HeldOut, Way


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *((name, {}) for name, made in algorithms().items() if made().search_space()),
        *(("mlp", {"solver": s}) for s in ("sgd", "lbfgs")),
    ],
)
def test_every_setting_is_one_that_the_algorithm_takes(name: str, given: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = drawn_settings(classifier(name, given), [], 60, seed=0)
    for setting in settings:
        made = classifier(name, {**given, **setting})
        assert {key: made.get_params()[key] for key in setting} == setting
    assert len({str(setting) for setting in settings}) > 50
    assert settings[:3] == drawn_settings(classifier(name, given), [], 60, seed=0)[:3]
    assert settings != drawn_settings(classifier(name, given), [], 60, seed=1)


def test_what_is_given_stays() -> None:
    settings = drawn_settings(classifier("logistic_regression"), ["C"], 5, seed=0)
    assert sorted(settings, key=str) == [{"class_weight": "balanced"}, {"class_weight": None}]
    settings = drawn_settings(classifier("logistic_regression"), ["class_weight"], 5, seed=0)
    assert [list(setting) for setting in settings] == [["C"]] * 5


@pytest.mark.parametrize(
    ("made", "fixed", "n", "facts"),
    [
        (
            classifier("knn"),
            ["n_neighbors", "weights", "metric"],
            5,
            r"every parameter of knn .* was given: n_neigh",
        ),
        (classifier("knn"), [], 0, r"search is 0; expected how many settings"),
        (
            RandomForestClassifier(),
            [],
            5,
            r"RandomForestClassifier does not say which parameters .*expected one of hist",
        ),
    ],
)
def test_nothing_to_search(made: Any, fixed: list[str], n: int, facts: str) -> None:
    with pytest.raises(ModelError, match=facts):
        drawn_settings(made, fixed, n, seed=0)


ACCURACY = Metric("accuracy", MULTICLASS)


def points(problem: ProblemType, n: int, seed: int) -> tuple[Any, Any]:
    """Rows (n, 2) whose classes (n, 2) are the signs of their numbers, or of the first, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)).astype(np.float32)
    noisy = X + rng.normal(size=X.shape) * 0.7
    if problem.exclusive:
        return X, np.eye(2, dtype=np.int8)[(noisy[:, 0] > 0).astype(int)]
    return X, (noisy > 0).astype(np.int8)


@pytest.mark.parametrize(("problem", "soft"), [(MULTICLASS, True), (MULTILABEL, False)], ids=str)
def test_the_choice_is_made_without_the_gold_that_judges_it(problem: ProblemType, soft: bool) -> None:
    """Worked out again with plain loops: in each fold, choose among the other folds, then predict."""
    gold = Gold(*points(problem, 30, 0))
    X, Y = points(problem, 30, 1)
    P = np.clip(Y * 0.8 + 0.1, 0, 1)
    weak, way = Weak(X, Outcome(P, problem.decide(P))), Way("union", soft=soft)
    settings = [{"C": 1e-4}, {"C": 0.3}]
    metric = Metric("log_loss", problem)
    learner = Learner(classifier("logistic_regression"), problem, seed=2)
    found = search_in_folds(settings, way, learner, weak, gold, metric)

    def tried(one: Learner, known: Gold) -> HeldOut:
        trials = Trials(one, {"": weak}, known, metric)
        trials.run([way])
        return trials.held_out[way]

    def chosen(outs: list[HeldOut], known: Gold) -> int:
        return int(best(metric, known.Y, {str(i): out.said for i, out in enumerate(outs)}, 2).name)

    learners = [learner, *(Learner(classifier("logistic_regression", s), problem, seed=2) for s in settings)]
    expected = np.empty(gold.Y.shape)
    for part in range(FOLDS):
        inside, outside = np.flatnonzero(gold.folds != part), np.flatnonzero(gold.folds == part)
        known = gold.rows(inside)
        picked = learners[chosen([tried(one, known) for one in learners], known)]
        model = Trials(picked, {"": weak}, known, metric).fit(way)
        expected[outside] = model.predict_proba(gold.X[outside])
    assert np.array_equal(found.held_out.said.probs, expected)

    outer = [tried(one, gold) for one in learners]
    assert [one.log_loss for one in found.tried] == [out.log_loss for out in outer]
    place = chosen(outer, gold)
    assert found.winner is found.tried[place]
    assert found.learner.classifier.get_params() == learners[place].classifier.get_params()
    assert found.gain == pytest.approx(outer[0].metric - found.held_out.metric, abs=1e-12)
    assert found.low <= found.gain <= found.high


def test_a_label_model_that_saw_what_judges_is_not_asked() -> None:
    """Of each fold, what the label model says without that fold's gold: once to judge, once for each setting."""
    gold, asked = Gold(*points(MULTICLASS, 30, 0)), []
    X, Y = points(MULTICLASS, 30, 1)
    says = Outcome(Y.astype(np.float64), Y)

    def without(fold: int) -> Outcome:
        asked.append(fold)
        return says

    weak, learner = Weak(X, says, without=without), Learner(classifier("logistic_regression"), MULTICLASS)
    search_in_folds([{"C": 1.0}], Way("weak"), learner, weak, gold, ACCURACY)
    assert sorted(asked) == sorted([0, 1, 2, 3, 4] * 3)


def test_a_setting_that_cannot_be_trained_is_left_out_and_counted() -> None:
    gold = Gold(*points(MULTICLASS, 40, 0))
    learner = Learner(
        classifier("mlp", {"solver": "sgd", "max_iter": 5, "hidden_layer_sizes": "3"}), MULTICLASS
    )
    settings = [{"learning_rate_init": 1e30}, {"alpha": 0.1}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = search_in_folds(settings, Way("gold"), learner, None, gold, ACCURACY)
    assert [one.held_out is None for one in found.tried] == [False, True, False]
    assert "diverged" in found.tried[1].problem
    assert "2 settings tried, 1 of which could not be trained" in found.sentence
    assert found.metrics["search/failed"] == 1
    assert found.children()[1].error


def test_a_setting_that_is_plainly_better_gains() -> None:
    """Without search, the penalty is so strong that every point gets the frequent class."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 1)).astype(np.float32)
    gold = Gold(X, np.eye(2, dtype=np.int8)[(X[:, 0] > 0.4).astype(int)])
    learner = Learner(classifier("logistic_regression", {"C": 1e-6}), MULTICLASS)
    found = search_in_folds([{"C": 100.0}], Way("gold"), learner, None, gold, ACCURACY)
    assert found.winner.params == {"C": 100.0}
    assert found.low > 0
    assert found.sentence.startswith("1 settings tried; best is C 100.0 (log loss ")
    assert found.sentence.endswith(": it gained")
    learner = Learner(classifier("logistic_regression"), MULTICLASS)
    worse = search_in_folds([{"C": 1e-6}], Way("gold"), learner, None, gold, ACCURACY)
    assert worse.gain == worse.low == worse.high == 0
    assert "none is better than the parameters without search" in worse.sentence


def gold_of(project: Project, n: int) -> Any:

    return pd.DataFrame([{"table_name": "points", "id": f"t{i}", "gold_label": side(i)} for i in range(n)])


def test_a_search_is_a_run_with_a_run_for_each_setting(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    gold = gold_of(project, 30)
    done = [
        project.train("side", data, gold=gold, strategy="weak", search=2, params={"tol": 1e-3})
        for _ in range(2)
    ]
    client = project.runs.client
    run = client.get_run(done[0].run_id)
    children = client.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'", order_by=["start_time"]
    )
    assert sorted(child.info.run_name for child in children) == [
        "search setting 1 of 2", "search setting 2 of 2", "search without search",
    ]  # fmt: skip
    best = min(children, key=lambda child: child.data.metrics["log_loss"])
    assert {child.info.status for child in children} == {"FINISHED"}
    assert [run.data.params[name] for name in ("C", "class_weight", "tol", "search")] == [
        best.data.params["C"], best.data.params["class_weight"], "0.001", "2",
    ]  # fmt: skip
    assert run.data.metrics["search/tried"] == 2
    assert dict(done[0].lines)["search"].startswith("2 settings tried")
    assert len(project.list_runs()) == 2  # those inside a run are not listed
    assert done[0].metrics == done[1].metrics  # the same seed, the same search
    assert done[0].predictions.equals(done[1].predictions)
    sentence = dict(done[0].lines)["search"]
    assert sentence == dict(done[1].lines)["search"]
    page = html.unescape(project.runs.artifact(done[0].run_id, "report.html", tmp_path).read_text())
    assert f"Then its parameters were searched for: {sentence}." in page


def test_nothing_is_searched_for_where_nothing_is_trained(project: Project, task: Task, data: str) -> None:
    gold = gold_of(project, 30)
    plain, done = (project.train("side", data, gold=gold, strategy="constant", search=n) for n in (None, 2))
    assert dict(done.lines)["search"] == (
        "nothing was searched for: constant is the answer, and trains nothing; "
        "--strategy names one that does, such as weak"
    )
    assert "search" not in dict(plain.lines)
    assert done.metrics == plain.metrics
    assert "search" not in project.runs.client.get_run(done.run_id).data.params


def test_what_a_search_found_is_kept(project: Project, task: Task, data: str) -> None:
    done = project.train(
        "side", data, gold=gold_of(project, 30), strategy="weak", algorithm="knn", search=3, params={"metric": "euclidean"}, keep=True
    )  # fmt: skip
    assert "kept" in dict(done.lines)
    built_in = {"n_neighbors": 10, "weights": "uniform", "metric": "cosine"}
    params = project.runs.client.get_run(done.run_id).data.params
    used = {
        "n_neighbors": int(params["n_neighbors"]),
        "weights": params["weights"],
        "metric": params["metric"],
    }
    again = project.task("side").train
    assert (again.algorithm, again.strategy) == ("knn", "weak")
    assert again.params == {name: value for name, value in used.items() if value != built_in[name]}


@pytest.mark.parametrize(
    ("n", "facts"),
    [
        (0, "search chooses parameters on gold and there is none; give some: --gold task"),
        (24, "24 gold points are too few"),
    ],
)
def test_a_search_needs_gold(project: Project, task: Task, data: str, n: int, facts: str) -> None:
    with pytest.raises(ModelError, match=facts):
        project.train("side", data, gold=gold_of(project, n) if n else None, search=2)
    assert MIN_SEARCHED == 25
