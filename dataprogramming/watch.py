"""The step `watch`: what moved in the rows that came since the training."""

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.data import Data, as_recorded, described, is_file, read_points
from adaptml.errors import NothingNewError, TrackingError
from adaptml.files import write_text
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.artifacts import REPORT
from adaptml.runs.recording import Recorder
from adaptml.tasks import Task
from dataprogramming.lfs import declared_parameters
from dataprogramming.voter import Voter
from dataprogramming.watching.history import STEP, WATCHED, earlier_watches
from dataprogramming.watching.new_rows import check_new_featurized
from dataprogramming.watching.reference import find_origin, lf_parameters, read_reference
from dataprogramming.watching.report import watch_report
from dataprogramming.watching.statistics import Quantity
from dataprogramming.watching.verdict import in_words, moved, rules_to_look_at, verdict
from dataprogramming.watching.watcher import MOST_RECAST, Found, Watcher

FEWEST_NEW = 50
TO_ANNOTATE = "to_annotate.parquet"


@dataclass(frozen=True, eq=False, repr=False)
class Watched:
    """The result of `watch`.

    Attributes:
        run_id: the MLflow run.
        artifact_uri: where its artifacts lie.
        address: where the run can be looked at.
        label_run: the run whose points new rows were compared with.
        n_old, n_new: how many rows it labelled, and how many came since.
        quantities: frame of a row a comparison: `kind`, `subject` (labelling function or class, or empty),
            `what` (in words), `old`, `new` (shares or means in [0, 1]), `low`, `high` (the interval of 95 %
            of `new`), `rows`, `p` (adjusted by Holm) and `moved`.
        verdict: what moved and what to do, in one sentence.
        rules: labelling functions to look at.
        to_annotate: frame of `table_name` and `id` of new rows to annotate; empty where none are called for.
        path: the file that holds that frame; None where it is empty.
        lines: the outcome as names and texts, for people to read.

    Example:
        >>> labelled = project.label("spam", "comments where id like 'h%'", label_model="majority_vote")
        >>> project.watch("spam", "comments", run=labelled.run_id)
        Traceback (most recent call last):
        ...
        adaptml.errors.NothingNewError: 12 rows of comments came since ... expected at least 50 ...
    """

    run_id: str
    artifact_uri: str
    address: str
    label_run: str
    n_old: int
    n_new: int
    quantities: pd.DataFrame
    verdict: str
    rules: Sequence[str]
    to_annotate: pd.DataFrame
    path: Path | None
    lines: Sequence[tuple[str, str]]

    @property
    def moved(self) -> bool:
        """Whether anything moved."""
        return bool(self.quantities["moved"].any())

    def __repr__(self) -> str:
        return "\n".join(["Watched", *(f"{name:<15}{text}" for name, text in self.lines)])

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict and every comparison."""
        table = self.quantities.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        return f"<p>{escape(self.verdict)}</p>{table}"


def watch(
    project: Project,
    task: str | Task,
    data: Data | None = None,
    *,
    run: str | None = None,
    seed: int = 0,
    show_progress: bool = False,
) -> Watched:
    """Compare the rows that came since the training with those that it was made from, in one MLflow run.

    Compared are how often each labelling function votes, rows without votes, the classes that votes and
    predictions are for, the predictions' mean confidence, how far votes and predictions agree, words, and
    whether a small classifier can tell new rows from old by their vectors. Of all comparisons of a call
    together, with a chance of at most 5 % any is called moved where nothing moved.

    Args:
        project: holds the data, the champion and the runs.
        task: the task or its name.
        data: where new rows are looked for: a table, `table where …`, a frame or a path of one; default: the
            table that the run labelled. New are those that the run did not label.
        run: a `label` run, or a training on one, to compare with; default: the champion's, and without a
            champion the newest `label` run.
        seed: the same rows and seed give the same result.
        show_progress: draw progress bars.

    Raises:
        NothingNewError: fewer than 50 rows came since, or the run labelled fewer; no run is made.
        FeatureError: new rows whose words are still to be computed.
        TrackingError: no run to compare with, or one with other classes.
        LabellingError, FrameError, TaskError, DatabaseError: as `label`.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> project.watch("spam")
        Traceback (most recent call last):
        ...
        adaptml.errors.NothingNewError: 0 rows of comments came since ... expected at least 50 ...
    """
    task = project.task(task)
    if run is not None:  # the champion of a task is that of its setting
        task = task.with_setting(project.runs.get(run).data.params.get("setting"))
    origin = find_origin(project, task, run)
    params = project.runs.get(origin.label_run).data.params
    task = task.with_setting(params.get("setting"))
    given: Data = _table(project, origin.label_run, params.get("train_data", "")) if data is None else data
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="adaptml-")))
        voter = Voter(project, task, lf_parameters(params, list(declared_parameters(task))))
        voter.show_progress = show_progress
        voter.load()
        reference = read_reference(project, task, origin.label_run, MOST_RECAST, seed, folder)
        points = read_points(project, given)
        new = points.loc[~reference.holds(points)].reset_index(drop=True)
        if min(len(new), reference.counts.n) < FEWEST_NEW:
            raise NothingNewError(
                f"{len(new)} rows of {described(given)} came since run {origin.label_run} labelled "
                f"{reference.counts.n}; expected at least {FEWEST_NEW} of both: watch again when more came"
            )
        check_new_featurized(project, task, new)
        watches = earlier_watches(project, task.name)
        said = {
            "task": task.name,
            "setting": task.setting,
            "data": described(given),
            "label_run": origin.label_run,
            "train_run": origin.train_run or "",
            "seed": seed,
        }
        recorder = stack.enter_context(project.runs.run(task.name, f"{STEP} {task.setting}", said))
        source = described(given)
        watcher = Watcher(project, task, origin, voter, reference, new, source, watches, folder, seed)
        done = _recorded(watcher, watcher.run(), recorder)
    if done.path is not None:  # now that the run is complete
        write_frame(done.to_annotate, done.path)
    return done


def _table(project: Project, run_id: str, source: str) -> str:
    """The table that a run labelled."""
    source = as_recorded(source)
    if source.startswith("a frame of ") or is_file(project, source) or not project.database.has_table(source):
        raise TrackingError(
            f"run {run_id} labelled {source or 'nothing that it names'}, which is no table: say with --data "
            "where new rows are"
        )
    return source


def _recorded(watcher: Watcher, found: Found, recorder: Recorder) -> Watched:
    """Log metrics and artifacts; the result."""
    task, n_new = watcher.task, len(watcher.new)
    said = verdict(found.quantities, len(found.to_annotate))
    counts = {
        "rows_new": n_new,
        "rows_old": watcher.reference.counts.n,
        "moved": len(moved(found.quantities)),
    }
    recorder.metrics |= counts | _metrics(found.quantities)
    if found.gold is not None:
        recorder.metrics |= {f"on_gold/{period.name}": period.right.value for period in found.gold.periods}
    path = None
    if len(found.to_annotate):
        write_frame(found.to_annotate, recorder.folder / TO_ANNOTATE)
        path = watcher.project.settings.unlabeled_data / f"{task.name}_watch_{recorder.run_id[:8]}.parquet"
    lines = _lines(watcher, found, said, path)
    recorder.params["model"] = found.sides.model
    if found.sides.kept is not None:
        write_frame(found.sides.kept, recorder.folder / WATCHED)
    table = _frame(found.quantities)
    write_text(table.to_csv(index=False), recorder.folder / "comparisons.csv")
    write_text(watch_report(watcher, found, lines, recorder.metrics), recorder.folder / REPORT)
    for name, text in lines:
        recorder.log.info("%s: %s", name, text)
    return Watched(
        recorder.run_id,
        recorder.artifact_uri,
        recorder.address,
        watcher.origin.label_run,
        watcher.reference.counts.n,
        n_new,
        table,
        said,
        rules_to_look_at(found.quantities),
        found.to_annotate,
        path,
        [*lines, ("run", recorder.run_id), ("artifacts", recorder.artifact_uri)],
    )


def _lines(watcher: Watcher, found: Found, said: str, path: Path | None) -> list[tuple[str, str]]:
    """The outcome as names and texts, the verdict first."""
    task = watcher.task.name
    lines = [("verdict", said), *(("moved", in_words(q)) for q in moved(found.quantities))]
    look = ["adaptml", "lfs", task, "--data", watcher.source, "--show"]
    lines += [("look", shlex.join([*look, rule])) for rule in rules_to_look_at(found.quantities)]
    if path is not None:
        data = ["--data", str(path), "--n", str(len(found.to_annotate))]
        lines.append(("annotate", shlex.join(["adaptml", "annotate", "push", task, *data])))
    against = f"{watcher.reference.counts.n} of run {watcher.origin.label_run}"
    new = f"{len(watcher.new)} of {watcher.source}, against {against}"
    return [*lines, ("new rows", new), *found.notes]


def _metrics(quantities: Sequence[Quantity]) -> dict[str, float]:
    """Each comparison as metrics: both sides, the interval of new rows, and p adjusted by Holm."""
    found: dict[str, float] = {}
    for q in quantities:
        found |= {
            f"old/{q.key}": q.old.value,
            f"new/{q.key}": q.new.value,
            f"new_low/{q.key}": q.new.low,
            f"new_high/{q.key}": q.new.high,
            f"p/{q.key}": q.adjusted,
        }
    return found


def _frame(quantities: Sequence[Quantity]) -> pd.DataFrame:
    columns = ["kind", "subject", "what", "old", "new", "low", "high", "rows"]
    rows = [
        [q.kind.value, q.subject, q.title, q.old.value, q.new.value, q.new.low, q.new.high, q.new.n]
        for q in quantities
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(p=[q.adjusted for q in quantities], moved=[q.moved for q in quantities])
