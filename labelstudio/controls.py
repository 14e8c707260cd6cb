"""Which control of the labelling page holds the task's classes, and what was chosen in it.

A name that a class had before counts as a class.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from adaptml.errors import AnnotationError, listed
from adaptml.tasks import Task
from labelstudio.export import Annotation
from labelstudio.feedback import is_feedback

NONE_CHOICES = {"none", "n/a"}  # compared without regard to case

# What one annotation chose: by control, the names in each of its results.
Chosen = dict[str, list[list[str]]]


def chosen_names(annotation: Annotation, classes: Collection[str]) -> Chosen:
    """The names that one annotation chose, by control and result."""
    found: Chosen = {}
    for result in annotation.result:
        if (paths := result.chosen) is not None and not is_feedback(result):
            found.setdefault(result.from_name, []).append(_names(paths, classes))
    return found


def _names(paths: Sequence[tuple[str, ...]], classes: Collection[str]) -> list[str]:
    """The class that each path of a tree stands for: one called like the whole path (a/b), else the deepest.

    A branch that is chosen together with something below it, as Taxonomy exports it, stands for nothing more.

    >>> _names([("animal",), ("animal", "cat"), ("dog",)], {"cat", "dog"})
    ['cat', 'dog']
    """
    names = []
    for path in paths:
        whole = "/".join(path)
        found = [name for name in (whole, *reversed(path)) if name in classes]
        if found:
            names.append(found[0])
        elif not any(len(other) > len(path) and other[: len(path)] == path for other in paths):
            names.append(whole)
    return names


def control_of_classes(chosen: Iterable[Chosen], task: Task, source: str) -> str:
    """The name of the control that holds the task's classes; "" where nothing was chosen.

    A labelling page may ask other things too (how sure are you?); what they hold is told apart by the names.

    Raises:
        AnnotationError: unknown names, or several controls that hold classes.
    """
    met: dict[str, Counter[str]] = {}
    for names_by_control in chosen:
        for control, results in names_by_control.items():
            met.setdefault(control, Counter()).update(name for names in results for name in names)
    classes = task.meanings
    with_classes = [name for name, found in met.items() if classes.keys() & set(found)]
    with_none = [name for name, found in met.items() if any(_is_none(n) for n in found)]
    ours = with_classes or with_none or list(met)
    if len(ours) > 1:
        said = [f"{name!r} ({_times(sorted(met[name].items())[:3])})" for name in ours]
        raise AnnotationError(
            f"{source} holds choices of {len(ours)} controls that could be this task's: "
            f"{listed(sorted(said))}; keep the task's classes in one control of the labelling page"
        )
    if not ours:
        return ""
    found = met[ours[0]]
    unknown = sorted((name, n) for name, n in found.items() if name not in classes and not _is_none(name))
    if unknown:
        raise AnnotationError(
            f"{source} holds {len(unknown)} names in control {ours[0]!r} that are not classes of task "
            f"{task.name!r}: {_times(unknown)}; its classes are {listed(task.class_names, 20)}: "
            "fix the labelling page or the task file. A name that once was a class is told what it is now by "
            f"`adaptml task classes {task.name} --add NAME`, and then --merge, --split or --drop"
        )
    return ours[0]


def _times(counted: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name!r} ({n} times)" for name, n in counted)


def _is_none(name: str) -> bool:
    return name.strip().casefold() in NONE_CHOICES


def elsewhere(annotation: Annotation, classes: Collection[str]) -> set[str]:
    """Classes in controls that hold none, such as a text field: each with the control's name and type."""
    return {
        f"{item!r} in {result.from_name!r} ({result.type or 'no type'})"
        for result in annotation.result
        if not is_feedback(result)
        for values in result.value.values()
        for item in (values if isinstance(values, list) else [values])
        if isinstance(item, str) and item in classes
    }
