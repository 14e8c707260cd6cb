"""From a sample of a table to tasks in Label Studio, each data point once."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptml.database import Database
from adaptml.errors import LabelStudioError, LabelStudioUnavailableError, listed
from adaptml.sampling import Sample
from adaptml.tasks import NONE_CHOICE, Task, indicator
from labelstudio.client import LabelStudio
from labelstudio.mirror import Mirror
from labelstudio.project import CONTROL
from labelstudio.sample_tasks import label_studio_tasks
from labelstudio.sync import counts, latest_change, refresh

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
    """What became of the sampled points.

    Attributes:
        asked: points of the sample.
        sent: new tasks.
        there: points that had a task already.
        refused: points that Label Studio refused, and why.
        surplus: tasks that a killed push had sent twice, and that were deleted.
        predicted: tasks that got a pre-annotation.
        unpredicted: points of the sample of which the run says nothing.
    """

    asked: int
    sent: int = 0
    there: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    surplus: int = 0
    predicted: int = 0
    unpredicted: int = 0


def push(
    studio: LabelStudio,
    project: int,
    mirror: Mirror,
    database: Database,
    task: Task,
    sample: Sample,
    run: "RunFiles | None" = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Pushed:
    """Import those points of a sample that have no task yet, and see by the counts that all arrived.

    Killed at any moment and run again, it sends what lacks; what is there twice, because the server finished
    a call of the killed push, is deleted while nobody has touched it.

    Args:
        studio: the server.
        project: id of the task's project.
        mirror: what is known of the project; brought up to date first.
        database: holds the data points.
        task: what is asked of them.
        sample: points of one table.
        run: gives pre-annotations, or None.
        advance: is called with the number of points just done.

    Raises:
        LabelStudioError: the server is away for long, or refuses more than `MAX_REFUSED` points.
    """
    table, ids = str(sample.frame["table_name"].iloc[0]), sample.frame["id"].tolist()
    refresh(studio, project, mirror)
    untouched = mirror.counts()[1] == 0
    there = mirror.find(table, ids)
    done = Pushed(len(ids), there=len(there))
    predictions = {} if run is None else _predictions(run, table, set(ids), task)
    done.unpredicted = 0 if run is None else len(set(ids) - set(predictions))
    advance(len(there))
    if there and run is not None:
        done.predicted += _predict(studio, project, there, predictions, run.run_id)
    sender = _Sender(studio, project, mirror, done, advance)
    for attempt in range(ATTEMPTS):
        lacking = set(ids) - set(there) - set(done.refused)
        try:
            for batch in _batches(database, task, sample, lacking, predictions):
                sender.send(batch)
            break
        except LabelStudioUnavailableError:  # the call may have been received: look before sending again
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE_S)
            refresh(studio, project, mirror)
            there = mirror.find(table, ids)
    _settle(studio, project, mirror, done, untouched)
    arrived = len(mirror.find(table, ids))
    done.sent = arrived - done.there
    if arrived + len(done.refused) != len(ids):
        raise LabelStudioError(
            f"{len(ids)} points were asked for and {arrived} are in project {project}, {len(done.refused)} "
            "were refused; expected all: push again, which sends what lacks"
        )
    if run is not None:
        done.predicted += len(set(predictions) & set(sender.arrived))
        if done.predicted:
            studio.update_project(project, model_version=run.run_id)
    return done


class _Sender:
    """Sends batches; one that is refused is halved until the refused points are known."""

    def __init__(
        self, studio: LabelStudio, project: int, mirror: Mirror, done: Pushed, advance: Callable[[int], None]
    ) -> None:
        self.studio, self.project, self.mirror, self.done = studio, project, mirror, done
        self.advance = advance
        self.arrived: list[str] = []

    def send(self, batch: Sequence[Json]) -> None:
        try:
            ids = self.studio.import_tasks(self.project, batch)
        except LabelStudioUnavailableError:
            raise
        except LabelStudioError as error:
            if "(status 400)" not in str(error):
                raise
            if len(batch) == 1:
                self._refuse(str(batch[0]["data"]["ref_id"]), error)
                return
            half = len(batch) // 2
            self.send(batch[:half])
            self.send(batch[half:])
            return
        self.mirror.put(entry | {"id": number} for number, entry in zip(ids, batch, strict=True))
        self.arrived += [str(entry["data"]["ref_id"]) for entry in batch]
        self.advance(len(batch))

    def _refuse(self, key: str, error: LabelStudioError) -> None:
        self.done.refused[key] = str(error)
        if len(self.done.refused) > MAX_REFUSED:
            raise LabelStudioError(
                f"Label Studio refuses more than {MAX_REFUSED} of the points, such as "
                f"{listed(list(self.done.refused))}: {error}"
            ) from error


def _batches(
    database: Database, task: Task, sample: Sample, lacking: set[str], predictions: dict[str, Json]
) -> Iterator[list[Json]]:
    """The lacking points as tasks, in the sample's order, in batches of bounded size."""
    columns = [column.name for column in task.columns]
    frame = sample.frame[sample.frame["id"].isin(lacking)]
    batch: list[Json] = []
    chars = 0
    for start in range(0, len(frame), BATCH_ROWS // 4):
        keys = frame.iloc[start : start + BATCH_ROWS // 4]
        tasks = label_studio_tasks(
            database.read(keys, columns), task, sample, keys["inclusion_prob"].tolist()
        )
        for entry in tasks:
            entry.pop("id")  # Label Studio gives its own
            key = entry["data"]["ref_id"]
            entry |= {"predictions": [predictions[key]]} if key in predictions else {}
            batch.append(entry)
            chars += sum(len(str(entry["data"][name])) for name in columns)
            if len(batch) == BATCH_ROWS or chars > BATCH_CHARS:
                yield batch
                batch, chars = [], 0
    if batch:
        yield batch


def _settle(studio: LabelStudio, project: int, mirror: Mirror, done: Pushed, untouched: bool) -> None:
    """See that the mirror holds what the server does, and that no point has two tasks."""
    latest = latest_change(studio, project)
    if untouched and counts(studio, project) == mirror.counts():
        mirror.keep(read_until=latest)  # nobody annotated anything: all changes are ours
    else:
        refresh(studio, project, mirror)
    surplus = mirror.surplus()
    for task_id in surplus:
        studio.delete_task(task_id)
    mirror.forget(surplus)
    done.surplus = len(surplus)


def _predictions(run: "RunFiles", table: str, wanted: set[str], task: Task) -> dict[str, Json]:
    """Pre-annotations of the wanted points, as Label Studio imports them."""
    found: dict[str, Json] = {}
    for ids, labels, probs in run.label_sets(table):
        for key, classes, row in zip(ids.tolist(), labels, probs, strict=True):
            if key in wanted:
                found[key] = prediction(classes, row, task, run.run_id)
    return found


def prediction(classes: Sequence[str], probs: np.ndarray[Any, Any], task: Task, version: str) -> Json:
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
        "value": {"choices": [*classes] or [NONE_CHOICE]},
    }
    return {"model_version": version, "score": round(sure, 6), "result": [result]}


def _predict(
    studio: LabelStudio, project: int, there: dict[str, int], predictions: dict[str, Json], version: str
) -> int:
    """Give a pre-annotation to those tasks that have none of this run; says how many got one."""
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
