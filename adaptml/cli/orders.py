"""Orders of before: how a command was typed once, and how it is typed now."""

import shlex
from collections.abc import Callable, Mapping, Sequence

Option = tuple[str, str | None]  # its name, and its value if it has one
# Options of before that take no value; every other one takes the next word.
_FLAGS = {"--all", "--write", "--per-class", "--fault-tolerant", "--soft-labels", "--hard-labels"}
_GOLD_OF_BEFORE = {None: "task", "1": "task", "0": "none"}


def order_of_now(step: str, words: Sequence[str]) -> str | None:
    """The order of now for one of before; None where the words are none of before.

    Args:
        step: the command's name.
        words: what follows it.

    >>> order_of_now("sample-tasks", ["posts", "txt", "30", "topic", "--seed", "3"])
    'adaptml sample-tasks topic --data posts --n 30 --seed 3'
    """
    change = _CHANGES.get(step)
    if change is None or "--help" in words:
        return None
    new = change(*_parted(words))
    return None if new is None else shlex.join(["adaptml", step, *new])


def _parted(words: Sequence[str]) -> tuple[list[str], list[Option]]:
    """Words without an option, and options with their values."""
    names: list[str] = []
    options: list[Option] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            names.append(word)
        elif equals:
            options.append((name, value))
        else:
            alone = word in _FLAGS or not rest or rest[0].startswith("--")
            options.append((word, None if alone else rest.pop(0)))
    return names, options


def _joined(options: Sequence[Option], renamed: Mapping[str, str] | None = None) -> list[str]:
    """Options as words again, under their names of now."""
    named = [(renamed.get(name, name) if renamed else name, value) for name, value in options]
    return [word for option in named for word in option if word is not None]


def _sample_tasks(names: list[str], options: list[Option]) -> list[str] | None:
    if len(names) < 4:
        return None
    table, *_, n, task = names
    return [task, "--data", table, "--n", n, *_joined(options, {"--filename": "--to"})]


def _sample_points(names: list[str], options: list[Option]) -> list[str] | None:
    if len(names) != 3:
        return None
    table, n, task = names
    return [task, "--data", table, "--n", n, *_joined(options, {"--filename": "--to"})]


def _featurize(names: list[str], options: list[Option]) -> list[str] | None:
    if len(names) != 2:
        return None
    table, task = names
    return [task, "--data", table, *_joined(options)]


def _process_annotations(names: list[str], options: list[Option]) -> list[str] | None:
    if len(names) != 3:
        return None
    file, task, choice = names
    return [task, file, "--choice", choice, *_joined(options)]


def _annotate(names: list[str], options: list[Option]) -> list[str] | None:
    if names[:1] == ["push"] and len(names) == 3:
        return ["push", names[1], "--data", names[2], *_joined(options)]
    if names[:1] == ["pull"] and "--gold" in dict(options):
        return [*names, *_joined(options, {"--gold": "--choice"})]
    return None


def _label(names: list[str], options: list[Option]) -> list[str] | None:
    """`--gold` alone meant the task's gold, which is a value now."""
    of_before = {"--train-data": "--data", "--dev-data": "--gold", "--multilabel": "--label-model"}
    if (
        not {"--train-data", "--dev-data", "--multilabel"} & set(dict(options))
        and ("--gold", None) not in options
    ):
        return None
    gold = {"--gold", "--dev-data"}
    valued = [(n, _GOLD_OF_BEFORE.get(v, v) if n in gold else v) for n, v in options]
    return [*names, *_joined(valued, of_before)]


_CHANGES: dict[str, Callable[[list[str], list[Option]], list[str] | None]] = {
    "featurize": _featurize,
    "sample-tasks": _sample_tasks,
    "sample-points": _sample_points,
    "process-annotations": _process_annotations,
    "annotate": _annotate,
    "label": _label,
}
