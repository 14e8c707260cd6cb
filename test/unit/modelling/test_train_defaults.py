"""What a task file keeps for `train`: a call wins over it, it wins over what is built in, and keep writes it."""

from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.cli.train import COMMAND_OPTIONS, command
from adaptml.errors import ModelError, TaskError
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.schema import TrainDefaults
from modelling.strategies import list_strategies
from modelling.train import TrainResult

KEPT = """\
train:  # what worked
  algorithm: mlp
  params: {max_iter: 30, hidden_layer_sizes: [4]}  # small is enough
  strategy: weak
  features: [vec, extra]
  seed: 3
"""


def kept(project: Project, text: str) -> Path:
    """The task file with more at its end."""
    path = project.settings.tasks_dir / "side" / "task.yaml"
    with path.open("a") as file:
        file.write(text)
    return path


def params_of(project: Project, done: TrainResult) -> dict[str, str]:
    found: dict[str, str] = project.runs.client.get_run(done.run_id).data.params
    return found


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_call_wins_over_the_task_file_and_that_over_what_is_built_in(
    project: Project, task: Task, data: str
) -> None:
    kept(project, KEPT)
    params = params_of(project, done := project.train("side", data))
    names = [
        "algorithm",
        "max_iter",
        "hidden_layer_sizes",
        "combine",
        "features",
        "seed",
        "soft_labels",
        "alpha",
    ]
    assert [params[name] for name in names] == [
        "mlp",
        "30",
        "(4,)",
        "weak",
        "vec,extra",
        "3",
        "chosen",
        "0.0001",
    ]
    said = (
        "task file: algorithm mlp, strategy weak, features vec+extra, seed 3, max_iter 30, "
        "hidden_layer_sizes 4; else built in"
    )
    assert params["settings_from"] == dict(done.lines)["settings"] == said
    report = project.runs.artifact(done.run_id, "report.html", Path()).read_text()
    assert "task file: algorithm mlp" in report

    done = project.train("side", data, features=["vec"], seed=0, params={"max_iter": "40"})
    params = params_of(project, done)
    assert [params[name] for name in names[1:6]] == ["40", "(4,)", "weak", "vec", "0"]
    assert params["settings_from"].startswith(
        "given: features vec, seed 0, max_iter 40; task file: algorithm mlp"
    )

    # another algorithm does not take its parameters
    done = project.train("side", data, algorithm="logistic_regression", soft_labels=True)
    assert "hidden_layer_sizes" not in (params := params_of(project, done))
    assert (params["max_iter"], params["soft_labels"]) == ("1000", "True")


def test_nothing_given_or_kept_is_built_in(project: Project, task: Task, data: str) -> None:
    done = project.train("side", data)
    params = params_of(project, done)
    assert (params["settings_from"], params["algorithm"]) == ("built in", "logistic_regression")
    assert "settings" not in dict(done.lines)


def test_compare_takes_the_same_defaults(project: Project, task: Task, data: str, test: str) -> None:
    kept(project, "train: {algorithm: knn, params: {n_neighbors: 3}, strategy: weak}\n")
    done = project.compare("side", data, test)
    params = project.runs.client.get_run(done.run_id).data.params
    assert (params["algorithm"], params["n_neighbors"]) == ("knn", "3")
    assert done.lines == [("settings", "task file: algorithm knn, n_neighbors 3; else built in")]
    assert project.runs.client.get_run(done.run_id).data.metrics["weak_unconverged"] == 0


def test_keep_writes_what_was_used_and_the_next_run_is_the_same(
    project: Project, task: Task, data: str
) -> None:
    path = kept(project, KEPT + "# the end\n")
    before = path.read_text()
    words = [
        "side",
        "--data",
        data,
        "--algorithm",
        "linear_svm",
        "--C",
        "2",
        "--class-weight",
        "none",
        "--strategy",
    ]
    words += ["auto", "--features", "extra,vec", "--hard-labels", "--seed", "4", "--keep"]
    ran = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), words)
    assert ran.exit_code == 0, ran.output
    new = before.replace("algorithm: mlp", "algorithm: linear_svm").replace("  strategy: weak\n", "")
    new = new.replace("{max_iter: 30, hidden_layer_sizes: [4]}", "{C: 2.0}").replace(
        "seed: 3\n", "seed: 4\n  soft_labels: false\n"
    )
    assert path.read_text() == new.replace("[vec, extra]", "[extra, vec]")
    assert f"{path}, train: algorithm linear_svm" in ran.output

    again = project.train("side", data, keep=True)
    assert dict(again.lines)["kept"] == f"{path} says so already"
    assert [params_of(project, again)[name] for name in ("C", "features", "seed")] == [
        "2.0",
        "extra,vec",
        "4",
    ]

    project.train("side", data, algorithm="logistic_regression", features=["vec"], seed=0, keep=True)
    assert path.read_text() == before.replace(KEPT, "train:  # what worked\n  soft_labels: false\n")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("algorithm: mpl", r"train\.algorithm: no algorithm 'mpl'; expected one of hist"),
        ("algorithm: knn, params: {C: 1}", r"train\.params: knn cannot use its parameters: C: unknown"),
        ("params: {C: -1}", r"train\.params: logistic_regression .* C: .*greater than 0, given -1"),
        ("strategy: best", r"has 1 problem: train\.strategy: .*'auto', 'constant', .*given 'best'"),
        ("strategie: auto", r"has 1 problem: train\.strategie: unknown key"),
        ("seed: -1", r"has 1 problem: train\.seed: .*greater than or equal to 0, given -1"),
    ],
)
def test_what_cannot_be_kept_is_said_with_its_place(
    project: Project, task: Task, data: str, text: str, facts: str
) -> None:
    kept(project, f"train: {{{text}}}\n")
    with pytest.raises(TaskError, match=f"task.yaml,? {facts}"):
        project.train("side", data)
    assert project.list_runs().empty
    if "1 problem" not in facts:
        (found,) = [finding for finding in project.check_task("side") if finding.what == "train"]
        assert found.level == "error"


def test_every_strategy_can_be_kept(project: Project, task: Task) -> None:
    for name in ("auto", *list_strategies()):
        assert TrainDefaults(strategy=name).strategy == name


def test_only_an_algorithm_that_has_a_name_is_kept(project: Project, task: Task, data: str) -> None:
    with pytest.raises(
        ModelError, match="RandomForestClassifier cannot be kept in a task file; expected one of"
    ):
        project.train("side", data, algorithm=RandomForestClassifier(2), keep=True)


def test_a_check_shows_what_is_kept(project: Project, task: Task) -> None:
    kept(project, KEPT.replace("  seed: 3\n", "") + "label: {config: {lr: 0.1}}\n")
    found = {finding.what: finding.text for finding in project.check_task("side") if finding.level == "ok"}
    assert found["label"] == "kept in the task file: config (lr 0.1)"
    assert found["train"] == (
        "kept in the task file: algorithm mlp, params (max_iter 30, hidden_layer_sizes 4), strategy weak, "
        "features vec+extra"
    )


def test_columns_that_only_the_defaults_name_are_checked(project: Project, task: Task) -> None:
    kept(project, "train: {features: [nothing]}\n")
    found = {finding.what: finding for finding in project.check_task("side", "points")}
    assert found["points.nothing"].level == "error"
