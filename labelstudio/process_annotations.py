"""From what people annotated to gold labels."""

import hashlib
import json
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from adaptml.errors import AnnotationError, listed
from adaptml.feedback import hints
from adaptml.files import replacing_together
from adaptml.frames import KEYS
from adaptml.gold_labels.annotators import STANDING
from adaptml.gold_labels.core import Origin
from adaptml.gold_labels.decisions import as_decided
from adaptml.gold_labels.home import GoldHome, exported
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotations import Annotations, Key, collect
from labelstudio.dawid_skene import confusion_lines
from labelstudio.export import ExportedTask, check_task, load_export
from labelstudio.gold import MAJORITY, Gold, GoldOptions, choose_gold
from labelstudio.gold_rows import adjudicated_rows, annotators_rows
from labelstudio.points import sort_tasks
from labelstudio.sampling_record import balance_lines, sampling_record
from labelstudio.standing import standing_kept, standing_of, with_names, write_standing

CONFUSIONS = "annotators.json"  # the estimated confusion matrices of `dawid-skene`
MOST_WORDS = 10  # of a class, in the summary
FRAMES = ("ann_df", "task_df", "gold_df", "sample_df")


@dataclass(frozen=True)
class ProcessedAnnotations:
    """The result of `process_annotations`: the frames, where they lie, and what was found on the way.

    Attributes:
        ann_df: all points; `table_name`, `id`, and per annotator a column of label sets (list of class
            names; None for a point that this annotator never labelled). Where anybody marked words or said
            what decided, also `<annotator>_words` (list of {class, column, text}) and `<annotator>_comment`.
        task_df: the rows of `ann_df` that at least two annotators labelled: the points of agreement.
        gold: the gold labels that were chosen from what annotators said, and how they came about.
        gold_df: the task's gold, of whatever origin: `table_name`, `id`, `gold_label` (list of class names),
            `origin` and `part`, one row per gold point.
        annotations: the labels themselves and the counts, by the names in `labelstudio.annotations.NOTES`.
        sample_df: how each point was sampled; `table_name`, `id`, `sampling`, `inclusion_prob`. Points
            of which it is not on record are not in it.
        folder: holds `ann_df.parquet`, `task_df.parquet`, `gold_df.parquet` and `sample_df.parquet`.
        run_id: a hash of this export, task and choice; the run's id in the database.
        new_rows: rows that were new in the database, by table; empty where nothing was written there.
        hints: the words that annotators marked or wrote, by class, as `adaptml.feedback.hints` gives them.
        decided: chosen or settled labels that somebody's later decision changed or left out
            (`adaptml.gold_labels.decisions`).

    Example:
        >>> done = project.process_annotations("spam", "annotations.json", choice="1")
        >>> done.ann_df.columns.tolist()
        ['table_name', 'id', '1', '2']
    """

    ann_df: pd.DataFrame
    task_df: pd.DataFrame
    gold: Gold
    gold_df: pd.DataFrame
    annotations: Annotations
    sample_df: pd.DataFrame
    folder: Path
    run_id: str
    new_rows: dict[str, int]
    hints: pd.DataFrame
    decided: int


@dataclass(frozen=True)
class Export:
    """Exported tasks and where they came from.

    Attributes:
        tasks: the tasks; they are gone through several times.
        source: where they came from, for messages.
        digest: a hash of their content.
    """

    tasks: Collection[ExportedTask]
    source: str
    digest: str


def process_annotations(
    project: Project,
    task: Task | str,
    file: str | Path,
    choice: str = MAJORITY,
    *,
    per_class: bool = False,
    seed: int = 0,
    write: bool = False,
    accept_claims: bool = False,
) -> ProcessedAnnotations:
    """Read a Label Studio export and write the annotations and gold labels: all files or none.

    Gold goes to its table, `<task>_gold`, where these labels take the place of all that annotators gave
    before; labels of another origin stay, and `gold_df` is what counts (`adaptml.gold`).

    Args:
        project: where the files are written, and the tables.
        task: the task that was annotated, or its name.
        file: a JSON export (not JSON_MIN) of tasks from `sample_tasks`; a bare name is looked for here,
            then in the task's folder of annotations, then in the folder of all annotations.
        choice: an annotator's id (that annotator's labels), `majority` (the label set that most
            annotators gave; ties are dropped), `random` (ties are settled by the seed), `drop` (points
            on which annotators differ are dropped), `dawid-skene` (annotators count by their estimated
            reliability, see `labelstudio.dawid_skene`) or `ground-truth` (annotations that are marked so in
            Label Studio; points where these differ are dropped). A point with one annotator takes that one's
            labels, but for `dawid-skene`, which may know better.
        per_class: with `majority` in multilabel tasks: vote on each class by itself; a point with a
            class that exactly half chose is dropped.
        seed: settles ties.
        write: also write who said what to the table `<task>_annotations` of the database.
        accept_claims: count annotations that were imported into Label Studio for those whom they name; by
            default they are left out, for anybody with access to the server can import some.

    Raises:
        AnnotationError: an export or a gold choice that cannot be used; nothing is written.
        FileError: a file that cannot be written.
        DatabaseError: the database refuses to write.

    Example:
        >>> done = project.process_annotations("spam", "annotations.json", choice="1")
        >>> done.gold_df.head(2)
          table_name   id gold_label      origin   part
        0   comments  h10      [ham]  annotators  judge
        1   comments  h11      [ham]  annotators   tune
    """
    task = project.task(task)
    path = _export_file(project, task, file)
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
    export = Export(load_export(path), str(file), digest)
    options = GoldOptions(choice, per_class, seed)
    return process_tasks(project, task, export, options, write, accept_claims=accept_claims)


def _export_file(project: Project, task: Task, file: str | Path) -> Path:
    """The file as its writer meant it: a bare name that is not here is one in the folder of annotations."""
    path, folder = project.path(file), project.settings.annotations(task.name)
    if path.exists() or Path(file).name != str(file):
        return path
    places = (folder, folder.parent)
    for place in places:
        if (place / path.name).is_file():
            return place / path.name
    raise AnnotationError(
        f"{file} cannot be read: it is neither here nor in {places[0]} nor in {places[1]}; "
        "expected a JSON export of Label Studio"
    )


def process_tasks(
    project: Project,
    task: Task,
    export: Export,
    options: GoldOptions,
    write: bool = False,
    *,
    accept_claims: bool = False,
    users: Mapping[int, str] | None = None,
    asked: Mapping[str, AbstractSet[Key]] | None = None,
) -> ProcessedAnnotations:
    """As `process_annotations`, from tasks that were read already.

    Args:
        project: where the files are written, and the tables.
        task: the task that was annotated.
        export: the tasks.
        options: how gold labels are chosen.
        write: also write to the database.
        accept_claims: as for `process_annotations`.
        users, asked: as for `labelstudio.standing.standing_of`.
    """
    check_task(export.tasks, task.name, export.source)
    tasks = sort_tasks(export.tasks)
    annotations = collect(tasks.annotation, task, export.source, accept_claims=accept_claims)
    annotations.counts["earlier"] = tasks.earlier
    if not annotations.labels:
        raise AnnotationError(
            f"{export.source} holds no answer that says which of the present classes it is: "
            f"{'; '.join(annotations.notes())}"
        )
    gold = choose_gold(annotations, task, options)
    rows = annotators_rows(gold, annotations, tasks.annotation)
    settled = adjudicated_rows(tasks.adjudication, task, export.source, accept_claims)
    rows, decided = as_decided(
        project, task, rows if settled is None else pd.concat([rows, settled], ignore_index=True)
    )
    ann_df = annotations.frame()
    task_df = ann_df[ann_df[annotations.annotators].notna().sum(axis=1) >= 2].reset_index(drop=True)
    folder = project.settings.annotations(task.name)
    sample_df = sampling_record(export.tasks)
    run_id = _run_id(export.digest, task, options, accept_claims)
    frames = {"ann_df": ann_df, "task_df": task_df, "sample_df": sample_df}
    stands = standing_of(tasks.annotation, annotations, task, users, asked)
    if users is None:  # a file has numbers alone
        stands = with_names(stands, standing_kept(project, task.name))
    new_rows: dict[str, int] = {}
    home = GoldHome(project, task.name)
    # Those of an earlier choice do not belong to this gold.
    with replacing_together(folder, gone=() if gold.confusions else (CONFUSIONS,)) as new:
        for name, frame in frames.items():
            frame.to_parquet(new / f"{name}.parquet", index=False)
        write_standing(stands, new / STANDING)
        if gold.confusions:
            text = json.dumps([asdict(found) for found in gold.confusions], ensure_ascii=False, indent=1)
            (new / CONFUSIONS).write_text(text + "\n", encoding="utf-8")
        if write:
            new_rows = _write_back(annotations, task, run_id, project)
        home.replace(rows, export=new / "gold_df.parquet")
    gold_df = exported(home.rows())
    return ProcessedAnnotations(
        ann_df, task_df, gold, gold_df, annotations, sample_df, folder, run_id, new_rows,
        hints(ann_df, task), decided,
    )  # fmt: skip


def _run_id(digest: str, task: Task, options: GoldOptions, accept_claims: bool) -> str:
    """A hash of everything that the result depends on: the same run has the same id."""
    given = (
        digest,
        task.name,
        task.setting,
        task.class_names,
        *task.class_changes,
        options.choice,
        options.per_class,
        options.seed,
        *["claims accepted"] * accept_claims,
    )
    return hashlib.sha256(repr(given).encode()).hexdigest()[:32]


def _write_back(annotations: Annotations, task: Task, run_id: str, project: Project) -> dict[str, int]:
    from adaptml.database import WritebackKind, write_back  # SQLAlchemy takes a third of a second

    rows = [(*label.key, label.annotator, list(label.classes)) for label in annotations.labels]
    labels = pd.DataFrame(rows, columns=[*KEYS, "annotator", "label"])
    kind = WritebackKind.ANNOTATIONS
    return {f"{task.name}_{kind}": write_back(project.results, task, kind, labels, run_id)}


def summary(done: ProcessedAnnotations) -> list[str]:
    """A result as lines of text: what was read, left out, decided and written."""
    gold = done.gold
    labels = len(done.annotations.labels)
    lines = [f"{len(done.ann_df)} points, {labels} labels of {len(done.annotations.annotators)} annotators"]
    for name in done.annotations.annotators:
        never = int(done.ann_df[name].isna().sum())
        lines.append(f"  annotator {name}: {len(done.ann_df) - never} points, {never} never labelled")
    unlabelled = len(done.ann_df) - len({label.key for label in done.annotations.labels})
    lines += [f"  {note}" for note in done.annotations.notes()]
    lines += [f"  {unlabelled} points that nobody labelled"] * bool(unlabelled)
    lines += _feedback_lines(done)
    lines.append(f"{len(done.task_df)} points with two or more annotators")
    lines.append(f"{len(gold.frame)} gold labels, chosen by {gold.choice}")
    if gold.dropped:
        lines.append(f"  {gold.dropped} labelled points have none: {gold.why_dropped}")
    details = {
        "were labelled by one annotator alone": gold.single,
        "were ties, settled by the seed": gold.settled,
    }
    lines += [f"  {n} of them {text}" for text, n in details.items() if n]
    lines += [f"  {done.decided} labels were changed or removed by hand since: left so"] * bool(done.decided)
    others = done.gold_df["origin"].value_counts().drop(Origin.ANNOTATORS, errors="ignore")
    if len(others):
        lines.append(f"{len(done.gold_df)} gold labels in all")
        lines += [f"  {n} of them by {origin}, which counts more" for origin, n in others.items()]
    lines += confusion_lines(gold.confusions)
    lines += balance_lines(gold.frame, done.sample_df)
    lines += [f"{table}: {n} new rows, run {done.run_id}" for table, n in done.new_rows.items()]
    files = [f"{name}.parquet" for name in FRAMES] + [CONFUSIONS] * bool(gold.confusions)
    return [*lines, f"written to {done.folder}: {', '.join(files)}"]


def _feedback_lines(done: ProcessedAnnotations) -> list[str]:
    """What annotators said beside their labels, and the words that speak for each class."""
    said = [label for label in done.annotations.labels if label.marks or label.comment]
    if not said:
        return []
    marks, comments = sum(len(label.marks) for label in said), sum(bool(label.comment) for label in said)
    lines = [
        f"{comments} comments and {marks} marked words; by class, with how many points they were met on:"
    ]
    for name, words in done.hints.groupby("class", sort=False):
        counted = zip(words["word"], words["points"], strict=True)
        lines.append(f"  {name}: {listed([f'{word} {n}' for word, n in counted], MOST_WORDS)}")
    return lines


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("original_process_annotations")
