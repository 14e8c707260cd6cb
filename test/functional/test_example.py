"""The whole example as a user runs it: processes, files, HTTP; no part is replaced."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import numpy as np
import pytest
from demo_report import check_report, figures

from adaptml.features.hashing_encoder import DIMENSIONS, HASHED
from adaptml.features.reading import read_features
from adaptml.labelled import labelled
from adaptml.project import Project
from adaptml.runs.tracking import RunStore
from adaptml.settings import Settings
from example_data.demo import command as demo
from graphics.example_panels import FIGURES, Example
from modelling.algorithms import EndModel, get_algorithm
from modelling.sources import split

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.timeout(900)


def run(*command: str, home: Path, cwd: Path = REPOSITORY, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the environment that a user has who followed the README."""
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "ADAPTML_HOME": str(home / "workspace"),
    }
    # Its share of the cores, beside other tests.
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    environment |= threads | {"MLFLOW_DISABLE_TELEMETRY": "true", "LANG": "C.UTF-8"} | extra
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def report(home: Path) -> str:
    """What the demo prints; settings of the machine's are there to be ignored."""
    done = run(
        sys.executable, "-m", "example_data.demo", "--home", str(home / "workspace"),
        home=home, ADAPTML_DATABASE_URL="sqlite:////dev/null/data.db", MLFLOW_TRACKING_URI="http://127.0.0.1:9",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_reaches_its_figures_and_answers_over_http(report: str) -> None:
    check_report(report)
    shown = re.findall(r"^multi(?:class|label)  .*", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    assert len(shown) == 2
    assert {line.rstrip() for line in shown} <= {line.rstrip() for line in report.splitlines()}
    places = re.findall(r"/\S*(?:artifacts|data\.db|agreement\.txt|\.json)$", report, re.MULTILINE)
    assert len(places) == 7
    assert all(Path(place).exists() for place in places)


def test_the_pictures_of_the_example_show_its_figures(report: str, home: Path) -> None:
    """Their parts are filled from the demo's home folder; the last picture asks the service, as the demo did."""
    settings = Settings(root=REPOSITORY, home=home / "workspace")
    with Project(REPOSITORY, settings=settings) as project:
        parts = {
            panel.letter: panel.html()
            for name, (_, panels) in FIGURES.items()
            if name != "example_5_serve"
            for panel in panels(Example(project))
        }
    assert "The cat sits under the cage" in parts["1a"]
    assert parts["2c"].count("class=strong") == 2
    assert "0.648" in parts["2d"]
    assert parts["3d"].count("1.000") == 5
    assert ">0.976<" in parts["3d"]
    end_models = [f"{end_model:.3f}" for _, end_model in figures(report).values()]
    shown = (*end_models, "175, 48", "168, 90")
    assert [value for value in shown if f">{value}<" not in parts["4b"]] == []


def test_a_second_demo_gives_the_same_figures(
    report: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """To the printed digit: it reads the vectors that the first wrote, and its metrics count decisions, not probabilities."""
    with environment_of_its_own():
        demo(home / "workspace")
    assert figures(capfd.readouterr().out) == figures(report)


@contextmanager
def environment_of_its_own(**settings: str) -> Iterator[None]:
    """What is changed in this process's environment meanwhile is undone."""
    kept = dict(os.environ)
    try:
        os.environ |= {"PATH": f"{BIN}:{kept['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"} | settings
        yield
    finally:
        os.environ.clear()
        os.environ |= kept


@pytest.mark.parametrize("setting", ["multiclass", "multilabel"])
def test_the_steps_as_mlflow_projects(
    report: str, home: Path, setting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the function that `mlflow run` calls; each step is a process of its own."""
    store = f"sqlite:///{home}/workspace/mlflow.db"
    frame = str(home / "workspace" / "unlabeled_data" / f"{setting}.parquet")

    def mlflow_run(folder: str, entry_point: str, **parameters: object) -> str:
        with environment_of_its_own(ADAPTML_HOME=str(home / "workspace"), MLFLOW_TRACKING_URI=store):
            mlflow.set_tracking_uri(store)
            done = mlflow.projects.run(
                str(REPOSITORY / folder), entry_point, parameters=parameters, experiment_name="example", env_manager="local"
            )  # fmt: skip
        return str(done.run_id)

    run_id = mlflow_run("dataprogramming", "example", train_data=frame, dev_data=1, task=setting, seed=8)
    trained = mlflow_run(
        "modelling", "mlp", train_data=run_id, test_data=run_id, hidden_layer_sizes=16, max_iter=300, labels="soft"
    )  # fmt: skip
    # The run says what the labels were made for: no setting was given.
    assert re.search(rf"registered\s+{setting}_example version \d", capfd.readouterr().out)
    params = RunStore(store).get(trained).data.params
    assert (params["test_data"], params["soft_labels"], params["max_iter"]) == (run_id, "True", "300")


def test_the_solvers_of_mlp_come_out_alike(report: str, home: Path) -> None:
    """Each with its defaults, on the example's labels and gold."""
    with Project(REPOSITORY, settings=Settings(root=REPOSITORY, home=home / "workspace")) as project:
        for setting in ("multiclass", "multilabel"):
            found = re.search(
                rf"^  {setting} label\s+\S*/mlruns/([0-9a-f]{{32}})/artifacts$", report, re.MULTILINE
            )
            assert found
            labels = split(project, "example", found[1], found[1])
            assert labels.test is not None
            gold = labelled(labels.test, labels.task, "gold_label", "gold")
            # Of words and meaning: on so few posts, what a network makes of their form is chance.
            X, X_gold = (
                np.delete(
                    read_features(project.points, points.keys, labels.task.features),
                    np.s_[HASHED:DIMENSIONS],
                    axis=1,
                )
                for points in (labels.training, gold)
            )
            scores = [
                EndModel(get_algorithm("mlp", {"solver": solver}), labels.task.problem)
                .fit(X, labels.training.Y)
                .score(X_gold, gold.Y)
                for solver in ("lbfgs", "sgd", "adam")
            ]
            assert max(scores) - min(scores) <= 0.05


def test_a_failed_step_fails_the_mlflow_run(report: str, home: Path) -> None:
    done = run(
        "mlflow", "run", "dataprogramming", "-e", "label", "--env-manager", "local", "--experiment-name", "example",
        "-P", "train_data=nowhere.parquet", "-P", "task=example", home=home,
        MLFLOW_TRACKING_URI=f"sqlite:///{home}/workspace/mlflow.db",
    )  # fmt: skip
    assert done.returncode == 1
    assert "error: no file nowhere.parquet; expected a frame of data points" in done.stderr
    failed = re.search(r"Run \(ID '([0-9a-f]{32})'\) failed", done.stderr)
    assert failed, done.stderr
    marked = RunStore(f"sqlite:///{home}/workspace/mlflow.db").client.get_run(failed[1])
    assert marked.data.tags["error"].startswith("FrameError: no file nowhere.parquet")
