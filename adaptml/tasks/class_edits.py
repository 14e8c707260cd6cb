"""What somebody wants of a task's classes: renamed, merged, split, added, dropped, all at once."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from pydantic import ValidationError

from adaptml.errors import TaskError, listed
from adaptml.tasks.class_changes import ClassChange, in_words
from adaptml.tasks.schema import Task, problems


@dataclass(frozen=True)
class ClassEdits:
    """Changes of classes, all of them said in the names of now.

    Attributes:
        rename: name → new name.
        merge: name of what they become → two or more classes; it may be one of these or another class.
        split: name → two or more names of what it becomes.
        add: new classes.
        drop: classes that are to be no more.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    merge: Mapping[str, Sequence[str]] = field(default_factory=dict)
    split: Mapping[str, Sequence[str]] = field(default_factory=dict)
    add: Sequence[str] = ()
    drop: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any((self.rename, self.merge, self.split, self.add, self.drop))

    def becomes(self) -> dict[str, tuple[str, ...]]:
        """Old name → what it becomes."""
        found: dict[str, tuple[str, ...]] = {name: (new,) for name, new in self.rename.items()}
        found |= {name: (new,) for new, names in self.merge.items() for name in names}
        found |= {name: tuple(dict.fromkeys(parts)) for name, parts in self.split.items()}
        return found | dict.fromkeys(self.drop, ())


@dataclass(frozen=True)
class PlannedClass:
    """A class of the new list.

    Attributes:
        name: its name.
        written_as: the class whose place and text in the task file it takes; None for a new one.
    """

    name: str
    written_as: str | None


@dataclass(frozen=True)
class Plan:
    """What becomes of a task's classes.

    Attributes:
        classes: the new list, in its order.
        change: what the task file will say of it.
        positive: the positive class, where there still is one.
    """

    classes: tuple[PlannedClass, ...]
    change: ClassChange
    positive: str | None

    @property
    def names(self) -> list[str]:
        """The new class names."""
        return [planned.name for planned in self.classes]


def plan_classes(task: Task, edits: ClassEdits, date: datetime.date) -> Plan:
    """The class list that edits lead to, checked.

    Classes keep their places: a renamed one, what was merged where the first of them was, the parts of one
    that was split; new classes come last.

    Args:
        task: as it is.
        edits: what is wanted.
        date: of the change.

    Raises:
        TaskError: names that are no classes, that are used twice, or that would mean two things.

    >>> edits, day = ClassEdits(rename={"dog": "hound"}, drop=["fish"]), datetime.date(2026, 11, 26)
    >>> plan_classes(Task(classes=["cat", "dog", "fish"]), edits, day).names
    ['cat', 'hound']
    """
    _check(task, edits)
    becomes = edits.becomes()
    stay = [name for name in task.class_names if name not in becomes]
    kept = {*stay, *(new for new in edits.merge if new in edits.merge[new])}
    planned: dict[str, PlannedClass] = {}
    for name in task.class_names:
        for place, new in enumerate(becomes.get(name, (name,))):
            written_as = new if new in kept else name if place == 0 else None
            planned.setdefault(new, PlannedClass(new, written_as))
    planned |= {name: PlannedClass(name, None) for name in edits.add}
    before = [*task.class_names]
    change = ClassChange(
        date=date, before=tuple(before), becomes={n: becomes[n] for n in before if n in becomes}
    )
    in_order = _in_order(planned, before)
    positive = becomes.get(task.positive, (task.positive,)) if task.positive is not None else ()
    stays = len(positive) == 1 and len(in_order) == 2  # of more than two, none is
    plan = Plan(in_order, change, positive[0] if stays else None)
    _validate(task, plan)
    return plan


def _in_order(planned: Mapping[str, PlannedClass], before: Sequence[str]) -> tuple[PlannedClass, ...]:
    """Classes that keep their text in the order of the texts, each followed by the new ones behind it."""
    found: list[list[PlannedClass]] = [[]]
    for one in planned.values():
        if one.written_as is not None:
            found.append([])
        found[-1].append(one)
    head, *groups = found
    groups.sort(key=lambda group: before.index(str(group[0].written_as)))
    return tuple(one for group in [head, *groups] for one in group)


def _check(task: Task, edits: ClassEdits) -> None:
    named = [*edits.rename, *(n for names in edits.merge.values() for n in names), *edits.split, *edits.drop]
    for name in named:
        if name not in task.class_names:
            now = f"is now {in_words(task.meanings[name])}" if name in task.meanings else "never was"
            raise TaskError(
                f"{name!r} is no class of task {task.name!r} and {now}; its classes are "
                f"{listed(task.class_names, 20)}: name one of these"
            )
    twice = sorted(name for name, n in Counter(named).items() if n > 1)
    if twice:
        raise TaskError(f"{listed(twice)} would become two things at once; name each class once")
    _check_new_names({*task.class_names}, edits)


def _check_new_names(there: AbstractSet[str], edits: ClassEdits) -> None:
    for name, new in edits.rename.items():
        if new in there:
            raise TaskError(
                f"{name!r} cannot be renamed to {new!r}, which is a class already; if the two are to be one: "
                f"--merge {name},{new}={new}"
            )
    for new, names in edits.merge.items():
        if len({*names, *(there & {new})}) < 2:
            raise TaskError(f"{listed(names)} alone is no merge; to rename it: --rename {names[0]}={new}")
    for name, parts in edits.split.items():
        if len({*parts}) < 2:
            raise TaskError(f"{name!r} split into {listed(parts)} is no split; expected two names or more")
    made = [*edits.rename.values(), *edits.merge, *(n for parts in edits.split.values() for n in {*parts})]
    again = sorted(
        n for n, times in Counter([*made, *edits.add, *(there & {*edits.add})]).items() if times > 1
    )
    if again:
        raise TaskError(
            f"{listed(again)} is a class already or would be made twice; give each new class its own name"
        )


def _validate(task: Task, plan: Plan) -> None:
    """Everything that a task file checks: names, their number, and that each name keeps one meaning."""
    try:
        Task.model_validate(
            {
                "setting": task.setting,
                "classes": plan.names,
                "class_changes": (*task.class_changes, plan.change),
                "positive": plan.positive,
            }
        )
    except ValidationError as error:
        raise TaskError(
            f"the classes of task {task.name!r} cannot be changed so: {problems(error)}"
        ) from error
