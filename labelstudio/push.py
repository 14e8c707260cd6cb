"""From a sample of a table to tasks in Label Studio, each data point once."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptml.database import Database
from adaptml.errors import LabelStudioError, LabelStudioUnavailableError, listed
from adaptml.sampling import Sample
from adaptml.tasks import NONE_CHOICE, Task, indicator
from labelstudio.absent import nothing_in
from labelstudio.page import CONTROL, Boxes
from labelstudio.sample_tasks import label_studio_tasks
from labelstudio.sync import Advance, LinkedProject, counts, latest_change, refresh

if TYPE_CHECKING:
    from adaptml.runs.label_run import RunFiles

BATCH_ROWS = 1_000
BATCH_CHARS = 8_000_000
MAX_REFUSED = 20
ATTEMPTS = 5
_PAUSE_S = 2.0

Json = dict[str, Any]


@dataclass
class Pushed:
    """The result of `push`.

    Attributes:
        asked: points of the sample.
        sent: new tasks.
        there: points that had a task already.
        refused: points that Label Studio refused, and why.
        empty: points that were left out, because there is nothing to show of them.
        duplicates_deleted: tasks that a killed push had sent a second time, and that were deleted.
        predicted: tasks that got a pre-annotation.
        unpredicted: points of the sample of which the run says nothing.
        people: what went to each person's own project, by e-mail address; empty where all share one. The
            counts above, but for `asked`, are then sums over people.
    """

    asked: int
    sent: int = 0
    there: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    empty: int = 0
    duplicates_deleted: int = 0
    predicted: int = 0
    unpredicted: int = 0
    people: dict[str, "Pushed"] = field(default_factory=dict)

    def add(self, person: str, part: "Pushed") -> None:
        """Count what went to a person's project, or with no name to the one that all share."""
        if person:
            self.people[person] = part
        self.refused |= part.refused
        for name in ("sent", "there", "empty", "duplicates_deleted", "predicted", "unpredicted"):
            setattr(self, name, getattr(self, name) + getattr(part, name))


def push(
    linked: LinkedProject,
    database: Database,
    task: Task,
    sample: Sample,
    media: Path,
    run: "RunFiles | None" = None,
    purpose: str = "",
    advance: Advance = lambda _: None,
    boxes: Boxes | None = None,
) -> Pushed:
    """Import those points of a sample that have no task yet, and check by the counts that all arrived.

    Killed at any moment and run again, it sends the missing points; a task that is there a second time,
    because the server finished a call of the killed push, is deleted while nobody has touched it.

    Args:
        linked: the task's project and its local copy, which is brought up to date first.
        database: holds the data points.
        task: what is asked of them.
        sample: points of one table.
        media: folder of the files that columns of pictures, sounds and films name.
        run: gives pre-annotations, or None.
        purpose: what other than annotation the tasks are for, such as `ADJUDICATION`: a point gets one task
            for each purpose.
        advance: is called with the number of points just done.
        boxes: class → what annotations hold for it, where that is another name than the class has now.

    Raises:
        LabelStudioError: the server is away for long, or refuses more than `MAX_REFUSED` points.
    """
    ids = sample.frame["id"].tolist()
    refresh(linked)
    untouched = linked.copy.counts()[1] == 0
    there = linked.copy.find(sample.table, ids, purpose)
    done = Pushed(len(ids), there=len(there))
    predictions: dict[str, Json] = {}
    if run is not None:
        predictions = _predictions(run, sample.table, set(ids), task, boxes or {})
        done.unpredicted = len(set(ids) - set(predictions))
    advance(len(there))
    if there and run is not None:
        done.predicted += _predict(linked, there, predictions, run.run_id)
    sender = _Sender(linked, done, advance)
    points = _Points(database, task, sample, predictions, media, purpose)
    _send_missing(sender, points, set(there))
    done.empty = len(points.empty)
    _delete_duplicates(linked, done, untouched)
    _check_arrived(linked, sample, purpose, done)
    if run is not None:
        done.predicted += len(set(predictions) & set(sender.arrived))
        if done.predicted:
            linked.studio.update_project(linked.number, model_version=run.run_id)
    return done


@dataclass(frozen=True)
class _Points:
    """Sampled points with all that becomes a task; `predictions` by id; `empty` have nothing to show."""

    database: Database
    task: Task
    sample: Sample
    predictions: Mapping[str, Json]
    media: Path
    purpose: str
    empty: set[str] = field(default_factory=set)


def _send_missing(sender: "_Sender", points: _Points, there: set[str]) -> None:
    """Send the points without a task; after an interruption, look first what has arrived."""
    linked, table = sender.linked, points.sample.table
    ids = points.sample.frame["id"].tolist()
    for attempt in range(ATTEMPTS):
        missing = set(ids) - there - set(sender.done.refused) - points.empty
        try:
            for batch in _batches(points, missing):
                sender.send(batch)
        except LabelStudioUnavailableError:  # the call may have been received: look before sending again
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE_S)
            refresh(linked)
            there = set(linked.copy.find(table, ids, points.purpose))
        else:
            return


def _check_arrived(linked: LinkedProject, sample: Sample, purpose: str, done: Pushed) -> None:
    """Count the tasks of the sample in the project."""
    arrived = len(linked.copy.find(sample.table, sample.frame["id"].tolist(), purpose))
    done.sent = arrived - done.there
    if arrived + len(done.refused) + done.empty != done.asked:
        raise LabelStudioError(
            f"{done.asked} points were asked for and {arrived} are in project {linked.number}, "
            f"{len(done.refused)} were refused; expected all: push again, which sends the missing ones"
        )


class _Sender:
    """Sends batches; one that is refused is halved until the refused points are known."""

    def __init__(self, linked: LinkedProject, done: Pushed, advance: Callable[[int], None]) -> None:
        self.linked, self.done, self.advance = linked, done, advance
        self.arrived: list[str] = []

    def send(self, batch: Sequence[Json]) -> None:
        try:
            ids = self.linked.studio.import_tasks(self.linked.number, batch)
        except LabelStudioError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            if len(batch) == 1:
                self._refuse(str(batch[0]["data"]["ref_id"]), error)
                return
            half = len(batch) // 2
            self.send(batch[:half])
            self.send(batch[half:])
            return
        self.linked.copy.put(entry | {"id": number} for number, entry in zip(ids, batch, strict=True))
        self.arrived += [str(entry["data"]["ref_id"]) for entry in batch]
        self.advance(len(batch))

    def _refuse(self, key: str, error: LabelStudioError) -> None:
        self.done.refused[key] = str(error)
        if len(self.done.refused) > MAX_REFUSED:
            raise LabelStudioError(
                f"Label Studio refuses more than {MAX_REFUSED} of the points, such as "
                f"{listed(list(self.done.refused))}: {error}"
            ) from error


def _batches(points: _Points, missing: set[str]) -> Iterator[list[Json]]:
    """The missing points as tasks, in the sample's order, in batches of bounded size."""
    task, sample = points.task, points.sample
    columns = [column.name for column in task.columns]
    frame = sample.frame[sample.frame["id"].isin(missing)]
    batch: list[Json] = []
    chars = 0
    for start in range(0, len(frame), BATCH_ROWS // 4):
        keys = frame.iloc[start : start + BATCH_ROWS // 4]
        rows = points.database.read(keys, columns)
        empty = nothing_in(rows, task).all(axis=1)
        points.empty.update(rows["id"].to_numpy()[empty])
        shown = np.flatnonzero(~empty)
        tasks = label_studio_tasks(
            rows.iloc[shown], task, sample, keys["inclusion_prob"].iloc[shown].tolist(),
            media=points.media, purpose=points.purpose,
        )  # fmt: skip
        for entry in tasks:
            entry.pop("id")  # Label Studio gives its own
            key = entry["data"]["ref_id"]
            entry |= {"predictions": [points.predictions[key]]} if key in points.predictions else {}
            batch.append(entry)
            chars += sum(len(str(entry["data"][name])) for name in columns)
            if len(batch) == BATCH_ROWS or chars > BATCH_CHARS:
                yield batch
                batch, chars = [], 0
    if batch:
        yield batch


def _delete_duplicates(linked: LinkedProject, done: Pushed, untouched: bool) -> None:
    """Delete untouched tasks of points that have another task; the local copy is brought up to date first."""
    latest = latest_change(linked)
    if untouched and counts(linked) == linked.copy.counts():
        linked.copy.keep(read_until=latest)  # nobody annotated anything: all changes are ours
    else:
        refresh(linked)
    duplicates = linked.copy.untouched_duplicates()
    for task_id in duplicates:
        linked.studio.delete_task(task_id)
    linked.copy.forget(duplicates)
    done.duplicates_deleted = len(duplicates)


def _predictions(run: "RunFiles", table: str, wanted: set[str], task: Task, boxes: Boxes) -> dict[str, Json]:
    """Pre-annotations of the wanted points, as Label Studio imports them."""
    found: dict[str, Json] = {}
    for ids, labels, probs in run.label_sets(table):
        for key, classes, row in zip(ids.tolist(), labels, probs, strict=True):
            if key in wanted:
                found[key] = prediction(classes, row, task, run.run_id, boxes)
    return found


def prediction(
    classes: Sequence[str],
    probs: np.ndarray[Any, Any],
    task: Task,
    version: str,
    boxes: Boxes | None = None,
) -> Json:
    """A pre-annotation: the classes that a run gave, and how sure it was.

    The score, in [0, 1], is the probability of the class in multiclass tasks; in multilabel tasks that of the
    least sure of all decisions, p for a class that was given and 1 - p for one that was not.
    """
    given = indicator([classes], task.class_names)
    sure = float(task.problem.confidence(given, probs[None, :])[0])
    result = {
        "from_name": CONTROL,
        "to_name": task.columns[0].name,
        "type": "choices",
        "value": {"choices": [(boxes or {}).get(name, name) for name in classes] or [NONE_CHOICE]},
    }
    return {"model_version": version, "score": round(sure, 6), "result": [result]}


def _predict(linked: LinkedProject, there: dict[str, int], predictions: dict[str, Json], version: str) -> int:
    """Give a pre-annotation to those tasks that have none of this run; returns how many got one."""
    studio, project = linked.studio, linked.number
    wanted = {task: key for key, task in there.items() if key in predictions}
    created = 0
    numbers = sorted(wanted)
    for start in range(0, len(numbers), BATCH_ROWS // 4):
        part = numbers[start : start + BATCH_ROWS // 4]
        predicted, _ = studio.list_tasks(project, len(part), only=part, predicted_by=version)
        have = {int(entry["id"]) for entry in predicted}
        rows = [predictions[wanted[number]] | {"task": number} for number in part if number not in have]
        made = studio.import_predictions(project, rows) if rows else 0
        created += made
        if made != len(rows):
            raise LabelStudioError(
                f"Label Studio was sent {len(rows)} predictions and kept {made}; expected all of them: "
                "see that the labelling page has the task's classes (`adaptml annotate setup`)"
            )
    return created
