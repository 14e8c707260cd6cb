"""Where labels come from: a run, a file or a frame; and which points are trained on, which are tested on."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.data import Data, described, is_run, read_gold, read_labels
from adaptml.errors import ModelError, TrackingError, listed
from adaptml.features.catalogue import Reference
from adaptml.features.points import Points
from adaptml.features.reading import Matrix
from adaptml.features.required import check_featurized
from adaptml.frames import GONE, KEYS, METADATA, not_among
from adaptml.labelled import GOLD_LABEL, LABEL, Labelled, labelled
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.runs.artifacts import DEVELOPMENT_DATA, TRAINING_DATA
from adaptml.tasks import Task, folds
from modelling.algorithms import Classifier, takes_missing, takes_texts
from modelling.algorithms.many_rows import BLOCK_ROWS, ManyRows, write_many_rows
from modelling.columns import Columns, learn_columns
from modelling.memory import Memory
from modelling.text_columns import as_they_stand, text_columns

# Up to so many numbers, weakly labelled points are held in memory: 20,560 of the encoder `hybrid`, 260,416 of
# a sentence encoder. More are read to disk, and learned from a block at a time.
MANY_NUMBERS = 100_000_000
BYTES_A_NUMBER = 12  # as it is read, in the matrix, and in a copy of it that an algorithm makes
BYTES_A_LABEL = 600  # of a point with its id, its classes and their probabilities, while they are read
FEW_PER_CLASS = 10  # points: with fewer for each class, end models differ by chance


class HasRun(Protocol):
    """The result of a step that left a run."""

    @property
    def run_id(self) -> str:
        """The MLflow run."""


@dataclass(frozen=True)
class Reader:
    """Reads features: which versions in which order, whether with a progress bar, in how much memory."""

    points: Points
    features: Sequence[Reference]
    show_progress: bool
    columns: Columns = field(default_factory=Columns)
    memory: Memory | None = None

    def learned(self, made: Classifier, *keys: pd.DataFrame | None) -> "Reader":
        """The same with what is learned of columns that no encoder made, for an algorithm.

        Args:
            made: the algorithm.
            keys: frames with `table_name` and `id` of the rows that it is trained on; None is left out.

        Raises:
            FeatureError: a column that is empty in all rows, or free text.
        """
        if takes_texts(made):
            return replace(self, columns=as_they_stand(self.features))
        rows = pd.concat([frame[KEYS] for frame in keys if frame is not None], ignore_index=True)
        found = learn_columns(self.points, rows, self.features, keeps_missing=takes_missing(made))
        return replace(self, columns=found)

    def read(self, keys: pd.DataFrame) -> Matrix:
        """Features of n data points: float32 (n, d); of an algorithm of texts these, object (n, c)."""
        return self.columns.read(self.points, keys, self.features, show_progress=self.show_progress)

    def read_many(self, keys: pd.DataFrame, folder: Path, seed: int) -> Matrix | ManyRows:
        """The same of points to train on; of more than MANY_NUMBERS numbers they are read to disk.

        Args:
            keys: `table_name` and `id` of the n points.
            folder: where there is place for a folder of them.
            seed: which of them come together in a block.

        Raises:
            ModelError: even a block of them needs more memory than may be taken.
            FileError: the disk is full.
        """
        quiet = replace(self, show_progress=False)
        first = quiet.read(keys[:1]) if len(keys) > BLOCK_ROWS else None
        if first is None or first.dtype == object:  # of texts, only their algorithm knows the numbers
            return self.read(keys)
        memory, width = self.memory or Memory.of(None), first.shape[1]
        # What is free changes from day to day, and how a model is learned does not.
        most = min(MANY_NUMBERS, memory.left // BYTES_A_NUMBER) if memory.asked else MANY_NUMBERS
        if len(keys) * width <= most:
            return self.read(keys)
        memory.check(BLOCK_ROWS * width * BYTES_A_NUMBER, f"{BLOCK_ROWS:,} rows of {width:,} numbers")
        with progress("reading", len(keys), shown=self.show_progress) as advance:
            chunks = quiet._chunks(keys, advance)
            return write_many_rows(chunks, len(keys), Path(mkdtemp(dir=folder)), seed, memory)

    def _chunks(self, keys: pd.DataFrame, advance: Callable[[int], None]) -> Iterator[Matrix]:
        for start in range(0, len(keys), BLOCK_ROWS):
            chunk = keys[start : start + BLOCK_ROWS].reset_index(drop=True)
            yield self.read(chunk)
            advance(len(chunk))


def exact_features(
    project: Project, task: Task, made: Classifier, features: Sequence[str], *data: pd.DataFrame | None
) -> list[Reference]:
    """The versions of features that a model learns from; it is asked with these and no others.

    Args:
        project: holds the features.
        task: its features are taken where none are named.
        made: the algorithm; one of texts learns from the columns that features are made of.
        features: names of columns and features, as a person wrote them.
        data: frames with `table_name`, whose tables must all have them; None is left out.

    Raises:
        FeatureError: no version is there for all tables, or one that `adaptml featurize` is still to compute.
        ModelError: an algorithm of texts, and features that are made of none.
    """
    tables = pd.concat([frame["table_name"] for frame in data if frame is not None]).unique().tolist()
    names = list(features or task.train.features or task.features)
    if takes_texts(made):
        return text_columns(project.points, task, tables, names)
    check_featurized(project.points, task, tables, names)
    return project.points.exact(tables, names)


@dataclass(frozen=True)
class Split:
    """The labels of a training, such that no point is both trained and tested on.

    Attributes:
        task: the task, with the problem type that the labels were made for.
        source: what the training labels are called in messages.
        training: weakly labelled points to train on; none where every point is gold.
        n_held_out: how many more are not trained on as weakly labelled points: they are gold, or tested on.
        gold: gold points to train on, or None.
        test: table_name, id, and `label` or `gold_label` or both, to test on; or None.
        notes: what was decided about them, one sentence each.
        n_gone: points of all these that are gone from their tables and left out.
    """

    task: Task
    source: str
    training: Labelled
    n_held_out: int
    gold: Labelled | None
    test: pd.DataFrame | None
    notes: tuple[str, ...] = ()
    n_gone: int = 0

    @property
    def has_gold(self) -> bool:
        """Whether some points have gold labels, to learn from or to be tested on."""
        return self.gold is not None or (self.test is not None and GOLD_LABEL in self.test.columns)

    def tell(self, log: logging.Logger) -> None:
        """Say what was decided, and how many points a multiclass run cannot use."""
        for note in self.notes:
            log.warning("%s", note)
        warn_left_out(log, self.training, self.source)
        if self.gold is not None:
            warn_left_out(log, self.gold, "gold")


def split(
    project: Project,
    task: str | Task,
    data: Data | HasRun,
    test: "Data | HasRun | float | None" = None,
    gold: Data | None = None,
    seed: int = 0,
    memory: Memory | None = None,
) -> Split:
    """Read labels and separate what is trained on from what is tested on.

    Args:
        project: where runs, files and gold are looked for.
        task: the task or its name. A name takes the problem type that the labels were made for; a task is
            taken as it is, and refused where the labels were made for another problem type.
        data: a run of `label` (its id or result), or a frame with `label`, or the path of one.
        test: the same to test on, or a share of the training points between 0 and 1; None: no test.
        gold: `task`, `none` or None, or a frame with `gold_label` or the path of one.
        seed: of the share.
        memory: how much may be taken; default: as much as labels need.

    Raises:
        ModelError: labels that need more memory than may be taken.
        AdaptmlError: labels that are not there or cannot be used, or no point left to train on.
    """
    data, source = data_of(data), described(data_of(data))

    def check_rows(n: int) -> None:
        if memory is not None:
            memory.check(n * BYTES_A_LABEL, f"the labels of {n:,} data points")

    frame = read_labels(project, data, TRAINING_DATA, check_rows)
    share = share_of(test)
    tested = None
    if test is not None and share is None and not isinstance(test, float):
        tested = read_labels(project, data_of(test), DEVELOPMENT_DATA, check_rows)
    others = [] if tested is None else [(described(data_of(test)), data_of(test), tested)]
    task = settled(project, task, [(source, data, frame), *others])
    everything = labelled(frame, task, LABEL, source)
    if share is not None:
        tested = _share(project, data, frame, everything, share, seed)
    known = read_gold(project, gold, task)
    notes = notes_on_classes(project, task, [(source, data, frame), *others])
    n_gone = everything.gone + (0 if known is None else known.gone)
    if tested is not None and share is None:
        n_gone += int(tested.attrs.get(GONE, 0))
    separated = _separated(task, source, everything, tested, known)
    return replace(separated, notes=(*notes, *separated.notes), n_gone=n_gone)


def settled(project: Project, task: str | Task, read: Sequence[tuple[str, Data, pd.DataFrame]]) -> Task:
    """The task with the problem type that its labels were made for.

    Args:
        project: whose tasks and runs they are.
        task: the task or its name.
        read: what labels are called, what they were given as, and the frame that was read.

    Raises:
        ModelError: labels that were made for another problem type or for other classes.
    """
    made, asked = project.task(task), "the task" if isinstance(task, Task) else ""
    for source, data, frame in read:
        said = _said(project, data, frame)
        setting = said.get("setting", made.setting)
        if setting != made.setting:
            if asked:
                raise ModelError(
                    f"{asked} is {made.setting}, and {source} was labelled as {setting}; "
                    "leave out --setting (in Python: give the task's name), or name other labels"
                )
            made = made.with_setting(setting)
        if list(said.get("classes", made.class_names)) not in made.class_lists:
            raise ModelError(
                f"{source} was labelled with the classes {', '.join(said['classes'])}, and task "
                f"{made.name!r} has {', '.join(made.class_names)}; label again"
            )
        asked = asked or source
    return made


def notes_on_classes(
    project: Project, task: Task, read: Sequence[tuple[str, Data, pd.DataFrame]]
) -> tuple[str, ...]:
    """One sentence for each of some labels that were made with other classes than the task has now.

    Args:
        project, read: as for `settled`.
        task: what that gave.
    """
    notes = []
    for source, data, frame in read:
        classes = list(_said(project, data, frame).get("classes", task.class_names))
        if classes == task.class_names:
            continue
        meant = {label for name in classes for label in task.meanings[name]}
        silent = [name for name in task.class_names if name not in meant]
        more = f", and it says nothing of {listed(silent)}: label again" if silent else ""
        notes.append(
            f"{source} was labelled with the classes {listed(classes, 20)}; its labels are read as those of "
            f"now, {listed(task.class_names, 20)}{more}"
        )
    return tuple(notes)


def share_of(test: object) -> float | None:
    """The share in `0.2`, as a number or text; None for anything else.

    Raises:
        ModelError: a number that is no share.
    """
    try:
        share = float(test) if isinstance(test, int | float | str) else None
    except ValueError:
        return None
    if share is not None and not 0 < share < 1:
        raise ModelError(f"test is {test}; expected a run, a frame, or a share between 0 and 1 such as 0.2")
    return share


def targets(training: Labelled, source: str, soft_labels: bool) -> npt.NDArray[np.float64]:
    """What the algorithm learns: float64 (n, k), hard or soft.

    Raises:
        ModelError: soft labels of data without probabilities.
    """
    if not soft_labels:
        return training.Y.astype(np.float64)
    if training.P is None:
        raise ModelError(f"{source} has no column label_probs, which soft labels are; train without them")
    return training.P


def few_points(labels: Split) -> list[str]:
    """A sentence where there is too little to train on; none where there is enough."""
    n = len(labels.training) + len(labels.gold or ())
    classes = len(labels.task.class_names)
    if n >= FEW_PER_CLASS * classes:
        return []
    return [
        f"{n} labelled points are few for {classes} classes, and what a model learns of them is largely "
        f"chance; expected {FEW_PER_CLASS * classes} or more: label or annotate more"
    ]


def warn_left_out(log: logging.Logger, data: Labelled, source: str) -> None:
    """Say how many points a multiclass run cannot use."""
    if data.left_out:
        log.warning(
            "%d points of %s are left out: a multiclass run needs exactly one class", data.left_out, source
        )


def data_of(data: Any) -> Data:
    """Data, or the run of a step's result."""
    found: Data = getattr(data, "run_id", data)
    return found


def _said(project: Project, data: Data, frame: pd.DataFrame) -> dict[str, Any]:
    """What labels say of themselves: task, setting, classes. Runs of before say it in their parameters."""
    said = dict(frame.attrs.get(METADATA, {}))
    if not said and is_run(data):
        try:
            params = project.runs.get(str(data)).data.params
        except TrackingError:  # labelled on another tracking server, whose artifacts are mounted
            return {}
        return {"setting": params["setting"]} if params.get("setting") else {}
    return said


def _share(
    project: Project,
    data: Data,
    frame: pd.DataFrame,
    everything: Labelled,
    share: float,
    seed: int,
) -> pd.DataFrame:
    """A share of the usable training points, alike in label sets; with `gold_label` where a run has it."""
    place = folds(everything.Y, max(2, len(everything)), seed)  # a rank among points sorted by label set
    chosen = np.floor((place + 1) * share) > np.floor(place * share)
    if not chosen.any() or chosen.all():
        raise ModelError(
            f"a share of {share} of {len(everything)} points leaves none on one side; name another"
        )
    held = frame.merge(everything.keys.loc[chosen, KEYS], on=KEYS).drop(
        columns="label_probs", errors="ignore"
    )
    if GOLD_LABEL in held.columns or not is_run(data):
        return held
    try:
        known = read_labels(project, data, DEVELOPMENT_DATA)
    except TrackingError:  # labelled without gold
        return held
    return held.merge(known[[*KEYS, GOLD_LABEL]], on=KEYS, how="left")


def _separated(
    task: Task, source: str, everything: Labelled, test: pd.DataFrame | None, gold: Labelled | None
) -> Split:
    if gold is not None and test is not None:
        test = _without(test, gold.keys)
    training = everything if test is None else everything.without(test)
    training = training if gold is None else training.without(gold.keys)
    notes: tuple[str, ...] = ()
    if len(training) == 0 and gold is None:
        gold, test = _gold_instead(task, test), None
        notes = (
            f"every point of {source} is tested on: gold itself is trained on and judged by cross-validation",
        )
    elif len(training) == 0:
        notes = (f"every point of {source} is gold: the model is trained on gold alone",)
    return Split(task, source, training, len(everything) - len(training), gold, test, notes)


def _gold_instead(task: Task, test: pd.DataFrame | None) -> Labelled:
    """The gold of test points that are all the points there are."""
    if test is None or GOLD_LABEL not in test.columns:
        raise ModelError(
            "every point of the training data is also tested on; name other training or test data, or hold a "
            "share out: --test 0.2"
        )
    return labelled(test[test[GOLD_LABEL].notna()], task, GOLD_LABEL, "the test data")


def _without(frame: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame | None:
    """The rows whose key is not among the others', or None where there are none."""
    left = not_among(frame, keys)
    return frame.loc[left].reset_index(drop=True) if left.any() else None
