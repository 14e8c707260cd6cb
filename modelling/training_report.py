"""What a training says of itself: the parameters of its run, its lines and its report."""

from collections.abc import Sequence

import numpy as np

from adaptml.data import Data, described
from adaptml.features.catalogue import Reference
from adaptml.files import write_text
from adaptml.fixing.result import ToFix
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.runs.artifacts import REPORT
from adaptml.runs.recording import Recorder
from adaptml.tasks.defaults import SETTINGS_FROM
from modelling.algorithms import algorithm_name
from modelling.algorithms.core import CONSTANT, LABEL_MODEL
from modelling.choice_section import choice_section
from modelling.choosing import Combined
from modelling.defaults import TrainSettings
from modelling.evaluate import Evaluation
from modelling.learner import Learner
from modelling.report_page import train_report
from modelling.sources import HasRun, Split, data_of
from modelling.training import Training


def run_parameters(
    labels: Split,
    learner: Learner,
    columns: Sequence[Reference],
    settings: TrainSettings,
    test: Data | HasRun | float | None,
    gold: Data | None,
) -> dict[str, object]:
    """What the run records of how it was called."""
    tested = test if isinstance(test, float) else described(data_of(test))
    return {
        "task": labels.task.name,
        "setting": labels.task.setting,
        "algorithm": algorithm_name(learner.classifier),
        "features": ",".join(map(str, columns)),
        "train_data": labels.source,
        "test_data": tested,
        "gold": described(gold),
        "combine": settings.strategy if labels.gold is not None else "weak",
        "soft_labels": "chosen" if settings.soft_labels is None else settings.soft_labels,
        "seed": learner.seed,
        SETTINGS_FROM: settings.came_from,
        **learner.classifier.get_params(deep=False),
    }


def write_report(
    project: Project,
    training: Training,
    done: Combined,
    recorder: Recorder,
    lines: Sequence[tuple[str, str]],
    seed: int,
    texts: bool,
    to_fix: ToFix | None,
) -> None:
    """Write the page of a training into the folder of its run."""
    task, found = training.labels.task, training.evaluation
    truth, said = found.gold or (None, None)
    weak, gold = training.labels.training.Y, training.labels.gold
    page = train_report(
        f"End model of task {task.name}",
        task.class_names,
        weak if gold is None else np.vstack([weak, gold.Y]),
        None if truth is None else truth.keys[KEYS],
        None if truth is None else truth.Y,
        None if said is None else said.predicted,
        None if said is None else said.probs,
        multilabel=not task.problem.exclusive,
        policy=f"Predicted {found.policy}." if found.policy else "",
        metrics=recorder.metrics,
        read_texts=texts_of_task(project.database, task) if texts else None,
        lines=lines,
        warnings=training.warnings,
        to_fix=to_fix,
        choice=[]
        if training.gold is None
        else choice_section(done, found.metric, training.gold.Y, seed, training.searched),
        seed=seed,
    )
    write_text(page, recorder.folder / REPORT)


def training_lines(labels: Split, done: Combined, found: Evaluation, ties: int) -> list[tuple[str, str]]:
    """A training as names and sentences, for people to read.

    Args:
        labels: what was trained and tested on.
        done: the model and how it was chosen.
        found: how good it is.
        ties: weakly labelled points that were left out as no label was more probable than another.
    """
    used = {one.strategy for one in done.way.each} - {LABEL_MODEL}  # which trains nothing
    weak = len(labels.training) > 0 and bool(used - {CONSTANT, "gold"})
    gold = labels.gold is not None and bool(used - {"weak"})
    parts = [f"{len(labels.training)} weakly labelled points"] if weak else []
    parts += [f"{len(labels.gold or ())} gold points"] if gold else []
    others = "gold or tested on" if labels.gold is not None else "tested on"
    kept = f" ({labels.n_held_out} points of the same data are {others} instead)" if labels.n_held_out else ""
    kept += f"; {ties} of them left out: no class is more probable than another" if weak and ties else ""
    kept += f"; {labels.n_gone} points are gone from their table" if labels.n_gone else ""
    lines = [
        ("trained on", (" and ".join(parts) or "nothing") + kept),
        ("strategy", f"{done.way}: {done.reason}"),
    ]
    lines += [(f"on {whose}", text) for whose, text in found.told.items()]
    if done.calibration:
        lines.append(("probabilities", done.calibration))
    if "gold" not in found.told:
        lines.append(("on gold", "no metric: no gold was given to compare with; see --test and --gold"))
    return lines
