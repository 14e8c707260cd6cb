"""Recording what a `label` run found: metrics, warnings, frames, votes, a report, a plot, the model."""

from pathlib import Path

from adaptml.files import write_text
from adaptml.frames import write_frame
from adaptml.plots import write_plot
from adaptml.runs.artifacts import DEVELOPMENT_DATA, GOLD_VOTES, LFS, REPORT, RULES, TRAINING_DATA, VOTES
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.metric import METRIC
from adaptml.runs.recording import Recorder
from dataprogramming.analysis import lf_summary
from dataprogramming.artifacts import model_to_log, write_training_data
from dataprogramming.candidates import write_candidates
from dataprogramming.label_models.core import covered
from dataprogramming.labelling import UNCOVERED_POLICY, Labelling
from dataprogramming.lf_versions import write_versions
from dataprogramming.report import GoldPoints, LabelledPoints, label_report


def record(found: Labelling, recorder: Recorder, *, tolerant: bool, texts: bool, seed: int) -> None:
    """Log metrics, warnings and artifacts."""
    recorder.params["label_model_used"] = found.selection.chosen
    recorder.params[METRIC] = found.selection.metric.logged
    recorder.tags[CLASSES_TAG] = classes_text(found.task.class_names)
    recorder.metrics |= found.metrics
    if tolerant:
        recorder.metrics["lf_failures"] = sum(found.votes.failures.values())
    _log(found, recorder)
    write_all(found, recorder.folder, texts=texts, seed=seed)
    if found.rules is not None:
        found.rules.of_run(recorder.run_id).write(recorder.folder / RULES)
    recorder.model = model_to_log(found.task, found.selection, found.votes, recorder.folder)


def _log(found: Labelling, recorder: Recorder) -> None:
    n, left_out = len(found.votes), found.metrics["points_left_out"]
    log = recorder.log
    log.info("%d points, %d without votes are left out of the training data", n, left_out)
    log.info("label model: %s", found.selection.reason)
    for warning in found.warnings:
        log.warning("%s", warning)
    if found.gold is None:
        log.info("no gold: nothing was evaluated")
        return
    log.info(
        "%d gold points, of which %d without votes are %s; %d without exactly one class are left out",
        len(found.gold),
        int((~covered(found.gold.L)).sum()),
        UNCOVERED_POLICY,
        found.gold_left_out,
    )


def write_all(found: Labelling, folder: Path, *, texts: bool, seed: int) -> None:
    """Everything but the model: votes, frames, summaries, the report, the confusion matrix."""
    votes, gold = found.votes, found.gold
    votes.save(folder / VOTES)
    write_training_data(votes, *found.labels, found.task, folder / TRAINING_DATA)
    if votes.gold is not None and found.development_data is not None:
        votes.gold.save(folder / GOLD_VOTES)
        write_frame(found.development_data, folder / DEVELOPMENT_DATA)
    write_summaries(found, folder)
    write_candidates(found.task, found.selection, votes, folder)
    write_versions(found.lf_versions, folder / LFS)
    write_text(report(found, texts=texts, seed=seed), folder / REPORT)
    if gold is not None and found.judged is not None:
        title = f"Label model {found.selection.chosen} against gold, {len(gold)} points"
        plot = found.task.problem.confusion_plot
        write_plot(
            plot(found.task.class_names, gold.Y, found.judged.predicted, title),
            folder / "confusion_matrix.png",
        )


def write_summaries(found: Labelling, folder: Path) -> None:
    """`lf_summary_train.csv` and, with gold, `lf_summary_dev.csv`."""
    lf_names, class_names, gold = found.votes.lf_names, found.task.class_names, found.gold
    sets = found.votes.sets
    parts = {
        "train": lf_summary(
            found.votes.patterns, lf_names, class_names, found.weights, counts=found.counts, sets=sets
        )
    }
    if gold is not None:
        parts["dev"] = lf_summary(gold.L, lf_names, class_names, found.weights, gold.Y, sets=sets)
    for part, summary in parts.items():
        write_text(summary.to_csv(index=False), folder / f"lf_summary_{part}.csv")


def report(found: Labelling, *, texts: bool, seed: int) -> str:
    """The page on the run, as HTML."""
    votes, gold, said = found.votes, found.votes.gold, found.judged
    points = LabelledPoints(votes.keys, votes.patterns, *found.labels)
    judged = None
    if gold is not None and gold.Y is not None and said is not None:
        judged = GoldPoints(gold.keys, gold.L, gold.Y, said.probs, said.predicted)
    return label_report(
        f"Labels of task {found.task.name}",
        votes.lf_names,
        votes.class_names,
        points,
        judged,
        multilabel=not found.task.problem.exclusive,
        sets=votes.sets,
        weights=found.weights,
        read_texts=votes.read_texts if texts else None,
        lines=found.lines(),
        warnings=found.warnings,
        seed=seed,
        counts=found.counts,
        keyword_hits=found.keyword_hits,
        keyword_points=found.keyword_points,
        on_gold=found.on_gold,
    )
