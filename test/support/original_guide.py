"""The original project's guide, typed in one process: its five steps on the example, in a home folder of its own."""

import re
import shlex
import shutil
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from click.testing import Result
from fastapi.testclient import TestClient
from mlflow.projects import _project_spec
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.cli.support import command_app
from adaptml.project import Project
from adaptml.settings import Settings
from example_data.example_data_import import import_example_data
from example_data.make_annotations import EXPORT
from modelling.app.main import create_app

REPOSITORY = Path(__file__).resolve().parents[2]
EXPERIMENT = "eg"


class Guide:
    """The example in a home folder: step 1 is done, the others when they are first asked for.

    Attributes:
        home: the home folder.
        project: the repository's tasks, with that home.
    """

    def __init__(self, home: Path) -> None:
        """Step 1: the posts, their features, and the frames of points to label as the original had them."""
        self.home = home
        self.project = Project(REPOSITORY, settings=Settings(root=REPOSITORY, home=home))
        self._trained: dict[tuple[str, str], str] = {}
        self._labelled: dict[str, str] = {}
        for name, path in import_example_data(self.project).frames.items():
            pd.read_parquet(path)[["id", "table_name"]].to_pickle(path.with_name(f"{name}_df.pkl"))

    def typed(self, order: str) -> Result:
        """What a person types: `python -m …`, `adaptml …`, or `mlflow run …` with `--env-manager local`."""
        program, *words = shlex.split(order)
        if program == "mlflow":
            return self._mlflow_run(words)
        command: Any = app
        if program == "python":
            command, words = _of_module(words[1]), words[2:]
        return self._invoked(command, words, {})

    def _invoked(self, command: Any, words: list[str], more: dict[str, str]) -> Result:
        environment = {
            "ADAPTML_ROOT": str(REPOSITORY),
            "ADAPTML_HOME": str(self.home),
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        return CliRunner().invoke(command, words, env=environment | more)

    def _mlflow_run(self, words: list[str]) -> Result:
        """As MLflow does: it opens a run, makes an order of the parameters, and starts that in the project."""
        folder, entry = words[1], words[words.index("-e") + 1]
        given = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "-P")
        client = self.project.runs.client
        found = client.get_experiment_by_name(EXPERIMENT)
        number = (
            found.experiment_id
            if found
            else client.create_experiment(EXPERIMENT, artifact_location=self.project.settings.artifact_root)
        )
        run = client.create_run(number)
        spec = _project_spec.load_project(str(REPOSITORY / folder))
        program, _, module, *rest = shlex.split(spec.get_entry_point(entry).compute_command(given, None))
        assert program == "adaptml"
        opened = {"MLFLOW_RUN_ID": run.info.run_id, "MLFLOW_TRACKING_URI": self.project.runs.uri}
        return self._invoked(_of_module(module), rest, opened)

    @cached_property
    def annotated(self) -> tuple[Result, Result, Result]:
        """Step 2: sample, process, measure."""
        sampled = self.typed(
            "python -m labelstudio.sample_tasks example_data txt 30 example --filename example_tasks.json"
        )
        shutil.copy(EXPORT, self.home / "annotations")
        return (
            sampled,
            self.typed("python -m labelstudio.process_annotations example_annotations.json example 1"),
            self.typed("python -m labelstudio.annotator_agreement example"),
        )

    def labelled(self, setting: str) -> str:
        """Step 3: the run that labelled the points of one setting."""
        if setting not in self._labelled:
            assert self.annotated[1].exit_code == 0
            done = self.typed(
                f"mlflow run dataprogramming -e example --env-manager local --experiment-name {EXPERIMENT} "
                f"-P train_data={self.home}/unlabeled_data/{setting}_df.pkl -P dev_data=1 -P task={setting} -P seed=8"
            )
            self._labelled[setting] = run_of(done)
        return self._labelled[setting]

    def trained(self, setting: str, algorithm: str, parameters: str) -> str:
        """Step 4: the run that trained an end model on the labels, by their paths."""
        key = setting, algorithm
        if key not in self._trained:
            data = self.artifacts(self.labelled(setting))
            done = self.typed(
                f"mlflow run modelling -e {algorithm} --env-manager local --experiment-name {EXPERIMENT} "
                f"-P train_data={data}/training_data.parquet -P test_data={data}/development_data.parquet "
                f"-P features=txt_vec {parameters}"
            )
            self._trained[key] = run_of(done)
        return self._trained[key]

    def artifacts(self, run_id: str) -> Path:
        """Where a run's artifacts lie."""
        return Path(str(self.project.runs.get(run_id).info.artifact_uri).removeprefix("file://"))

    def ask(self, setting: str, body: dict[str, Any]) -> Any:
        """Step 5: what the service answers."""
        with TestClient(create_app(self.project)) as client:
            return client.post(f"/predict_{setting}_example", json=body)


def run_of(done: Result) -> str:
    """The run that a step printed."""
    found = re.search(r"^run\s+([0-9a-f]{32})$", done.stdout, re.MULTILINE)
    assert found, done.output
    return found[1]


def _of_module(module: str) -> Any:
    """The command that `python -m module` runs, as the module's last line says."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    found = re.search(r'run_file\("(\w+)"\)', Path(spec.origin).read_text(encoding="utf-8"))
    assert found, module
    file = import_module(f"adaptml.cli.{found[1]}")
    command: Callable[..., None] = file.command
    return command_app(command, **getattr(file, "COMMAND_OPTIONS", {}))
