"""Export an end model: a folder of plain files that `serve` answers from, without a tracking server."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from adaptml.errors import FileError, TrackingError, one_line
from adaptml.features.catalogue import Spec
from adaptml.project import Project
from adaptml.rules.stored_votes import votes_table
from adaptml.runs.models import FILES_FOLDER
from adaptml.runs.registry import model_files
from adaptml.tasks import problem_type
from modelling import voting
from modelling.champion import Champion, load_champion
from modelling.deploy import version_and_champion
from modelling.keyed import FILES, REGISTERED, KeyedModel
from modelling.model_folder import CARD, FORMAT, README, WITHOUT_VOTES, ModelCard, checksums
from modelling.registration import task_name

MADE_WITH = ("adaptml", "scikit-learn", "skops", "numpy")


@dataclass(frozen=True)
class Exported:
    """The result of exporting.

    Attributes:
        folder: the folder.
        model: name in the registry.
        version: the version that was exported.

    Example:
        >>> trained = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
        >>> exported = project.export_model(trained.model_name, project.settings.home / "spam")
        >>> sorted(path.name for path in exported.folder.iterdir())
        ['README.md', 'classifier.skops', 'model.json', 'names.json']
    """

    folder: Path
    model: str
    version: str


def export_model(project: Project, model: str, folder: Path | str, *, version: str | None = None) -> Exported:
    """Write a registered end model into a new folder, whole or not at all.

    The folder holds no code: a classifier in a skops file, JSON, and a README for people. It can be copied;
    `serve --model FOLDER` answers from it as the service of the registry does.

    Args:
        project: whose registry it is.
        model: name in the registry, such as `multiclass_example`.
        folder: a folder that does not exist, or is empty.
        version: the version; default: the champion, and the latest where there is none.

    Raises:
        ModelError: no such end model or version, or one that does not load.
        FileError: the folder holds something, or cannot be written.
        TrackingError: the registry cannot be used.

    Example:
        >>> trained = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
        >>> exported = project.export_model("multiclass_spam", project.settings.home / "a", version="1")
        >>> exported.version
        '1'
    """
    folder = Path(folder)
    _check_free(folder)
    latest, champion = version_and_champion(project, model, version)
    chosen = latest if version or not champion else champion
    client = project.runs.client
    try:
        loaded = load_champion(client, project.points, model, chosen)
        run = client.get_run(loaded.run_id) if loaded.run_id else None
        with TemporaryDirectory(prefix="adaptml-") as scratch:
            files = model_files(client, model, chosen, Path(scratch), REGISTERED) / FILES_FOLDER
            _write(project, loaded, run, files, folder)
    except MlflowException as error:
        raise TrackingError(
            f"{model} version {chosen} cannot be exported: {one_line(error)}; see that MLflow runs"
        ) from error
    return Exported(folder, model, chosen)


def _check_free(folder: Path) -> None:
    try:
        free = not folder.exists() or not any(folder.iterdir())
    except OSError as error:  # a file, or a folder that may not be read
        raise FileError(f"{folder} cannot be used: {error.strerror}; name a new folder") from error
    if not free:
        raise FileError(f"{folder} is not empty; name a new folder, or empty it")


def _write(project: Project, loaded: Champion, run: Run | None, files: Path, folder: Path) -> None:
    """Make the folder beside its place, then move it there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            whole = Path(made) / "model"
            whole.mkdir()
            for name in _keyed(loaded).files:
                shutil.copyfile(files / name, whole / name)
            card = _card(project, loaded, run, whole)
            text = json.dumps(card.model_dump(mode="json"), ensure_ascii=False, indent=2)
            (whole / CARD).write_text(text + "\n", encoding="utf-8")
            (whole / README).write_text(_readme(card), encoding="utf-8")
            whole.rename(folder)
    except OSError as error:
        raise FileError(
            f"{folder} cannot be written: {error.strerror}; free space or name another"
        ) from error


def _card(project: Project, loaded: Champion, run: Run | None, folder: Path) -> ModelCard:
    model = _keyed(loaded)
    versioned = any(feature.version for feature in model.reads)
    known = project.points.catalogue.all(dropped=True) if versioned else []
    specs: dict[str, Spec] = {str(feature.reference): feature.spec for feature in known}
    metrics = {} if run is None else run.data.metrics
    rules_read = [] if model.voting is None else model.voting.reads
    return ModelCard(
        format=WITHOUT_VOTES if model.files == FILES else FORMAT,
        name=loaded.name,
        version=loaded.version,
        task=task_name(loaded.name, model.problem.name),
        setting=model.problem.name,
        classes=model.class_names,
        features={str(feature): specs.get(str(feature)) for feature in model.features},
        rule_features={str(feature): specs.get(str(feature)) for feature in rules_read},
        answered_from=model.ways,
        dimensions=model.dimensions,
        run_id=loaded.run_id,
        trained_on="" if run is None else run.data.params.get("train_data", ""),
        metrics={name: value for name, value in sorted(metrics.items()) if name.startswith(("gold_", "lm_"))},
        example=loaded.example,
        exported_at=datetime.now(UTC),
        made_with={name: installed(name) for name in MADE_WITH},
        files=checksums(folder),
    )


def _keyed(loaded: Champion) -> KeyedModel:
    model = loaded.model
    assert isinstance(model, KeyedModel)  # noqa: S101 - what `load_champion` loads
    return model


def _readme(card: ModelCard) -> str:
    """What a person needs who gets the folder and nothing else."""
    asked = json.dumps(card.example or {"table_name": ["my_table"], "id": ["1"]}, ensure_ascii=False)
    made = [
        f"{name} ({spec.encoder} of {spec.source})" if spec else name for name, spec in card.features.items()
    ]
    metric = f"gold_{problem_type(card.setting).measure}"
    facts = {
        "classes": ", ".join(card.classes),
        "features": ", ".join(made) + f": {card.dimensions} numbers",
        **({"answers from": _answers_from(card)} if card.answered_from else {}),
        "task": f"{card.task}, {card.setting}",
        "trained in run": card.run_id or "unknown",
        "on the labels of": card.trained_on or "unknown",
        metric: f"{card.metrics[metric]:.3f}" if metric in card.metrics else "not measured",
        "exported": f"{card.exported_at:%Y-%m-%d %H:%M} UTC, "
        + ", ".join(f"{name} {number}" for name, number in card.made_with.items()),
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in facts.items())
    return _README.format(
        name=card.name, version=card.version, asked=asked.replace("'", "'\\''"), table=table
    )


def _answers_from(card: ModelCard) -> str:
    read = ", ".join(card.rule_features) or "nothing"
    ways = {
        voting.COMPUTED: f"votes of its rules, which the service computes of {read}",
        voting.STORED: f"votes that `adaptml label --write` stored in `{votes_table(card.task)}`",
        voting.NO_VOTES: "the features alone, of a data point without votes",
    }
    return "; else ".join(ways[way] for way in card.answered_from if way in ways)


_README = """# {name}, version {version}

An end model of ADaPT-ML in plain files. `adaptml serve --model FOLDER`, with this folder, answers from it;
no MLflow server is needed.

```sh
curl -X POST http://127.0.0.1:8000/predict_{name} \\
  -H 'Content-Type: application/json' -d '{asked}'
```

It looks up data points in the database that `ADAPTML_DATABASE_URL` names. Their features must lie there
(`adaptml featurize`), or be columns of the table.

| | |
|---|---|
{table}

`model.json` holds the same and more, and names the files that are the model; a change to them is noticed.
"""
