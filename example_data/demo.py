"""The whole example on this machine: from posts in a table to a prediction over HTTP.

Run it with `make demo`. It uses SQLite and a local MLflow store in the home folder, whatever else is set.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from adaptml.addresses import sqlite_address
from adaptml.cli.support import run_command
from adaptml.errors import ModelError
from adaptml.project import Project
from adaptml.settings import Settings, load_settings
from adaptml.tasks import PROBLEM_TYPES, Task
from example_data.example_data_import import import_example_data
from example_data.make_annotations import EXPORT

if TYPE_CHECKING:
    from labelstudio.agreement import Agreement

ROOT = Path(__file__).resolve().parents[1]
ASKED = "361"  # the post to predict at the end
CAREFUL_ANNOTATOR = "1"  # whose labels are gold here; the other one disagrees on purpose
SERVICE_TIMEOUT_S = 60.0
STEPS = 7


@dataclass(frozen=True)
class Outcome:
    """The result of the example in one setting.

    Attributes:
        label_run: the MLflow run of the label step.
        label_model: the label model that was chosen.
        label_metric: accuracy (multiclass) or F1 over samples (multilabel) on gold that neither the label
            models nor the choice among them saw, by cross-validation.
        end_model: name of the registered end model.
        end_metric: the same metric of the end model, on gold that neither the models nor the choice saw.
        gold: number of gold points.
        train_run: the MLflow run of the training.
        artifacts: where the artifacts of both runs lie.
    """

    label_run: str
    label_model: str
    label_metric: float
    end_model: str
    end_metric: float
    gold: int
    train_run: str
    artifacts: tuple[str, str]


class Steps:
    """Prints each step as it begins, and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console, self.done = console, 0

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """One step around a block."""
        self.done += 1
        started = time.monotonic()
        with self.console.status(f"[{self.done}/{STEPS}] {text} …"):
            yield
        self.console.print(f"[{self.done}/{STEPS}] {text:<62}{time.monotonic() - started:6.1f} s")


def home_of_settings() -> Path:
    """The home folder that the environment or the project's `.env.dev` names; else `workspace/`."""
    return load_settings(ROOT, exactly=True).home


def use_local_parts(home: Path) -> Project:
    """Point every setting at embedded parts in a home folder, whatever the machine has set."""
    for name in list(os.environ):
        if name.startswith(("ADAPTML_", "MLFLOW_")):
            del os.environ[name]
    os.environ |= {
        "ADAPTML_ROOT": str(ROOT),
        "ADAPTML_HOME": str(home),
        "ADAPTML_TASKS_DIR": str(ROOT / "tasks"),
        "ADAPTML_DATABASE_URL": sqlite_address(home / "data.db"),
        "MLFLOW_TRACKING_URI": sqlite_address(home / "mlflow.db"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
    return Project()


def label_and_train(project: Project, task: Task, frame: Path, steps: Steps) -> Outcome:
    """Label the points of a frame, then train and deploy an end model on the labels."""
    measure = task.problem.measure
    with steps.step(f"label, {task.setting}: labelling functions vote, label models are compared"):
        from dataprogramming.label import label

        labelled = label(project, task, frame, "task")
    with steps.step(f"train, {task.setting}: an end model learns, is evaluated, registered, deployed"):
        from modelling.deploy import deploy
        from modelling.train import train

        trained = train(project, task, labelled.run_id, gold="task")
        deploy(project, trained.model_name)
    return Outcome(
        label_run=labelled.run_id,
        label_model=labelled.chosen,
        label_metric=labelled.metrics[f"dev_{measure}"],
        end_model=trained.model_name,
        end_metric=trained.metrics[f"gold_{measure}"],
        gold=int(trained.metrics["gold_points"]),
        train_run=trained.run_id,
        artifacts=(labelled.artifact_uri, trained.artifact_uri),
    )


@contextmanager
def service() -> Iterator[str]:
    """The prediction service on a free loopback port, for the length of a block; gives its address."""
    command = [sys.executable, "-m", "modelling.serve", "--port", "0"]
    # The command is all ours; the environment is that of use_local_parts.
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None:
            raise ModelError("the service has no output to read its address from")
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        if found is None:
            process.kill()
            raise ModelError(f"the service did not start: {process.communicate()[1].strip()}")
        yield found.group()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=SERVICE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def ask(address: str, model: str, ids: list[str]) -> dict[str, Any]:
    """A prediction over HTTP."""
    body = json.dumps({"table_name": ["example_data"] * len(ids), "id": ids})
    connection = HTTPConnection(address.removeprefix("http://"), timeout=SERVICE_TIMEOUT_S)
    try:
        connection.request("POST", f"/predict_{model}", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.load(response)
    finally:
        connection.close()
    if response.status != HTTPStatus.OK:
        raise ModelError(f"the service answered {response.status}: {answer}")
    return answer


def command(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder for everything that the steps write. Default: the home folder of the settings.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the whole example on this machine and report its results."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    started = time.monotonic()
    with use_local_parts((home or home_of_settings()).resolve()) as project:
        outcomes = run_example(project, console)
    console.print(f"\ndone in {time.monotonic() - started:.0f} s; try next")
    console.print(f"  .venv/bin/adaptml compare example --data {outcomes['multiclass'].label_run}")
    console.print("  .venv/bin/adaptml serve                    and open http://127.0.0.1:8000/docs")
    console.print("  make mlflow-ui                             and open http://127.0.0.1:5000")


def run_example(project: Project, console: Console) -> dict[str, Outcome]:
    """Run every step and print the results, by setting."""
    steps, settings, task = Steps(console), project.settings, project.task("example")
    with steps.step("load and featurise: posts into a table, lemmas, vectors"):
        data = import_example_data(project)
    with steps.step("sample and annotate: tasks for Label Studio, gold, agreement"):
        from labelstudio.annotator_agreement import annotator_agreement
        from labelstudio.process_annotations import process_annotations
        from labelstudio.sample_tasks import sample_tasks

        sampled = sample_tasks(project, task, "example_data", 30)
        annotated = process_annotations(project, task, EXPORT, CAREFUL_ANNOTATOR, write=True)
        agreement = annotator_agreement(project, task)
    outcomes = {
        setting: label_and_train(project, task.with_setting(setting), data.frames[setting], steps)
        for setting in PROBLEM_TYPES
    }
    with steps.step("serve and ask: the champions answer over HTTP"), service() as address:
        answers = {s: ask(address, outcomes[s].end_model, [ASKED]) for s in PROBLEM_TYPES}

    show_results(console, agreement, len(annotated.gold_df), outcomes)
    show_answer(console, project, answers["multilabel"])
    show_places(console, settings, sampled.path, task.name, outcomes)
    return outcomes


def show_results(console: Console, agreement: "Agreement", n_gold: int, outcomes: dict[str, Outcome]) -> None:
    """Print how far annotators agree, and the metrics on gold."""
    alpha = agreement.alpha
    value = "undefined" if alpha.value is None else f"{alpha.value:.3f}"
    console.print(f"\nagreement      Krippendorff's alpha {value} ({agreement.measure}): {agreement.verdict}")
    console.print(f"gold           {n_gold} points, as annotator {CAREFUL_ANNOTATOR} labelled them")
    table = Table("on gold", "metric", "label model", "end model", "points", box=None, pad_edge=False)
    for setting, outcome in outcomes.items():
        metric = PROBLEM_TYPES[setting].measure_title
        by = f"{outcome.label_metric:.3f} ({outcome.label_model})"
        table.add_row(setting, metric, by, f"{outcome.end_metric:.3f}", str(outcome.gold))
    console.print(table)
    console.print(
        "               each point judged by models that had not seen it, and that it did not choose"
    )


def show_answer(console: Console, project: Project, answer: dict[str, Any]) -> None:
    """Print the post that was asked about, the request and the answer."""
    asked = pd.DataFrame({"table_name": ["example_data"], "id": [ASKED]})
    text = project.database.read(asked, ["txt"])["txt"][0]
    console.print(f"\nexample_data/{ASKED}: {text}")
    console.print(f'POST /predict_multilabel_example {{"table_name": ["example_data"], "id": ["{ASKED}"]}}')
    console.print(json.dumps(answer))


def show_places(
    console: Console, settings: Settings, sampled: Path, task: str, outcomes: dict[str, Outcome]
) -> None:
    """Print where the steps wrote."""
    console.print("\nwhere things lie")
    console.print(f"  data          {settings.home / 'data.db'}")
    console.print(f"  Label Studio  {sampled}")
    console.print(f"  agreement     {settings.annotations(task) / 'agreement.txt'}")
    for setting, outcome in outcomes.items():
        for kind, uri in zip(("label", "train"), outcome.artifacts, strict=True):
            console.print(f"  {f'{setting} {kind}':<17}{uri.removeprefix('file://')}")


if __name__ == "__main__":
    run_command(command)
