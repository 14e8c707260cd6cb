"""Which classes a run or a registered model was made with, and whether its task still has them."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adaptml.errors import TrackingError, one_line
from adaptml.runs.opening import store_errors
from adaptml.runs.tracking import RunStore
from adaptml.tasks import ABSTAIN, PROBLEM_TYPES, Task

# Of a run: the classes that it was made with. Of a registered end model: those that its task has now.
CLASSES_TAG = "adaptml.classes"
_MAX_CHARS = 2_000  # of 5,000 that MLflow takes


def classes_text(class_names: Sequence[str]) -> str:
    """A class list as JSON; a long one is cut and ends in a hash, so that equal texts are equal lists.

    >>> classes_text(["cat", "dog"])
    '["cat", "dog"]'
    """
    text = json.dumps(list(class_names), ensure_ascii=False)
    if len(text) <= _MAX_CHARS:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[:_MAX_CHARS]}… ({len(class_names)} classes, {digest})"


def tell_registry(runs: RunStore, task: Task) -> None:
    """Tell the registry which classes a task has now: by it, the service marks models, which knows no tasks.

    Args:
        runs: the registry.
        task: its end models are told, of both problem types.

    Raises:
        TrackingError: the registry cannot be used.
    """
    try:
        for setting in PROBLEM_TYPES:
            name = f"{setting}_{task.name}"
            if runs.client.search_registered_models(f"name = '{name}'"):
                runs.client.set_registered_model_tag(name, CLASSES_TAG, classes_text(task.class_names))
    except store_errors() as error:
        raise TrackingError(
            f"MLflow at {runs.uri} cannot be told the classes of task {task.name!r}: {one_line(error)}; see "
            "that it runs and try again"
        ) from error


def classes_now(task: Task, classes: Sequence[str]) -> npt.NDArray[np.float64]:
    """What each of j classes of any time is now: float64 (j, k), 1 where it is surely one of the k, else 0.

    Of a class that was split or dropped, and of a name that the task never had, the row is 0. Probabilities
    (n, j) times this, at most 1, are probabilities (n, k).

    >>> was = {"date": "2026-11-26", "before": ["cat", "dog", "wolf"], "becomes": {"wolf": ["dog"]}}
    >>> classes_now(Task(classes=["cat", "dog"], class_changes=[was]), ["wolf", "cat"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    found = np.zeros((len(classes), len(task.class_names)))
    for place, name in enumerate(classes):
        possible = task.meanings.get(name, frozenset())
        for label in possible if len(possible) == 1 else ():
            if label is not None:
                found[place, task.class_names.index(label)] = 1.0
    return found


def votes_now(task: Task, classes: Sequence[str], votes: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Votes of a run of any time, such that two are equal where they are for the same class now.

    Args:
        task: the classes, and what became of those of before.
        classes: the j classes that the votes are of.
        votes: int8 (n, m), values in {-1, 0 … j-1}, or higher for sets of classes.

    Returns:
        int16 (n, m): -1 where a labelling function abstains, or votes for a class that was dropped.
    """
    codes: dict[object, int] = {frozenset([None]): ABSTAIN}
    lookup = np.arange(128, dtype=np.int16) + 128  # sets of classes stay apart
    for place, name in enumerate(classes):
        lookup[place] = codes.setdefault(task.meanings.get(name, name), len(codes) - 1)
    return np.where(votes == ABSTAIN, np.int16(ABSTAIN), lookup[votes])


def same_classes(task: Task, classes: Sequence[str]) -> dict[str, str] | None:
    """Present name → name of before, where each class of before is one class of now and the other way round.

    None where a class was merged, split, dropped or added since.

    >>> was = {"date": "2026-11-26", "before": ["cat", "hound"], "becomes": {"hound": ["dog"]}}
    >>> same_classes(Task(classes=["dog", "cat"], class_changes=[was]), ["cat", "hound"])
    {'dog': 'hound', 'cat': 'cat'}
    """
    matrix = classes_now(task, classes)
    if not ((matrix.sum(axis=0) == 1).all() and (matrix.sum(axis=1) == 1).all()):
        return None
    return {
        name: classes[int(column.argmax())] for name, column in zip(task.class_names, matrix.T, strict=True)
    }
