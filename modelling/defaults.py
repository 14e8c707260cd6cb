"""What `train` and `compare` work with: what a call says, else what the task file keeps, else built in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptml.errors import ModelError
from adaptml.tasks import Task
from adaptml.tasks.defaults import DEFAULT_ALGORITHM, Chosen, came_from, choose, in_task_file, named
from modelling.algorithms import (
    Algorithm,
    Classifier,
    algorithm_name,
    check_savable,
    classifier,
    takes_weights,
)
from modelling.algorithms.registry import algorithms
from modelling.strategies import AUTO, check_strategy

BUILT_IN = {"algorithm": DEFAULT_ALGORITHM, "strategy": AUTO, "features": (), "soft_labels": None, "seed": 0}


@dataclass(frozen=True)
class TrainSettings:
    """The values that `train` works with.

    Attributes:
        classifier: unfitted, with its parameters.
        chosen: algorithm (its name), strategy, features, soft_labels and seed; features are empty for the
            task's.
        params: parameters of the algorithm, as far as they were given or kept.
    """

    classifier: Classifier
    chosen: Chosen
    params: Chosen

    @property
    def strategy(self) -> str:
        """How gold and weak labels are combined."""
        return str(self.chosen.used["strategy"])

    @property
    def features(self) -> Sequence[str]:
        """Names of columns and features; empty for the task's `features`."""
        return tuple(self.chosen.used["features"])

    @property
    def soft_labels(self) -> bool | None:
        """Train on probabilities; None: whichever is better on gold."""
        said = self.chosen.used["soft_labels"]
        return None if said is None else bool(said)

    @property
    def seed(self) -> int:
        """Of all random choices."""
        return int(self.chosen.used["seed"])

    @property
    def came_from(self) -> str:
        """Which values came from where."""
        return came_from(self.chosen, self.params)


def train_settings(
    task: Task,
    algorithm: str | Classifier | None,
    params: Mapping[str, Any] | None,
    **given: Any,
) -> TrainSettings:
    """What a call's arguments, the task and what is built in come to together.

    Parameters that the task keeps are of the algorithm that it keeps; another one does not take them.

    Args:
        task: the task.
        algorithm: its name or a classifier; None: not given.
        params: its parameters, as values or text.
        given: strategy, features, soft_labels, seed; None: not given.

    Raises:
        TaskError: what the task file keeps cannot be used.
        ModelError: what was given cannot be used: an algorithm, its parameters, a strategy that there is not.
    """
    check_train_defaults(task)
    kept = task.train
    taken = {name: getattr(kept, name) for name in BUILT_IN if name in given}
    asked = (kept.algorithm or DEFAULT_ALGORITHM) if algorithm is None else algorithm
    name = algorithm_name(asked)
    chosen = choose(
        named(algorithm=None if algorithm is None else name, **given),
        named(algorithm=kept.algorithm, **taken),
        BUILT_IN,
    )
    check_strategy(chosen.used["strategy"])
    same = isinstance(asked, str) and asked == (kept.algorithm or DEFAULT_ALGORITHM)
    settled = choose(params or {}, kept.params if same else {}, {})
    made = classifier(asked, settled.used)
    check_savable(made)
    if chosen.used["soft_labels"] and not takes_weights(made):
        raise ModelError(
            f"{name} takes no sample weights, which soft labels need; train it on hard labels (--hard-labels)"
        )
    return TrainSettings(made, chosen, settled)


def check_train_defaults(task: Task) -> None:
    """Look at what a task keeps for `train`.

    Raises:
        TaskError: an unknown algorithm, or parameters that the algorithm cannot use.
    """
    kept = task.train
    name = kept.algorithm or DEFAULT_ALGORITHM
    try:
        classifier(name, kept.params)
    except ModelError as error:
        place = "train.params" if name in algorithms() else "train.algorithm"
        raise in_task_file(task, place, error) from error


def check_kept_by_name(made: Classifier) -> None:
    """Refuse what no task file can name.

    Raises:
        ModelError: a classifier of somebody else's.
    """
    if not isinstance(made, Algorithm):
        raise ModelError(
            f"{algorithm_name(made)} cannot be kept in a task file; expected one of "
            f"{', '.join(algorithms())}: leave keep out, or name one of these"
        )


def to_keep(task: Task, settings: TrainSettings, made: Classifier) -> dict[str, Any]:
    """The section `train` of the task file: what was used and is not built in; empty for what has no name.

    Args:
        task: the task.
        settings: what was used.
        made: the classifier in the end: a search changes its parameters.
    """
    if not isinstance(made, Algorithm):
        return {}
    built_in = type(made)().get_params()
    params = {name: _plain(value) for name, value in made.get_params().items() if value != built_in[name]}
    used = {name: _plain(settings.chosen.used[name]) for name in BUILT_IN}
    section = {name: value for name, value in used.items() if value != _plain(BUILT_IN[name])}
    if section.get("features") == list(task.features):
        del section["features"]
    return {**section, **({"params": params} if params else {})}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
