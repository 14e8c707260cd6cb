"""What a change of classes does, or did, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adaptml.changing_classes.gold import GoldCounts
from adaptml.changing_classes.tables import sources
from adaptml.errors import listed
from adaptml.tasks import ClassChange

SHOWN = 20  # classes named in one line, at most


@dataclass(frozen=True)
class RunsBefore:
    """Runs and models with the classes of before.

    Attributes:
        steps: step → how many runs are complete.
        champions: registered end models with a champion, as `name version 3`.
        problem: why nobody knows; empty where they were counted.
    """

    steps: Mapping[str, int] = field(default_factory=dict)
    champions: Sequence[str] = ()
    problem: str = ""

    def lines(self) -> list[str]:
        """All that, a line each."""
        if self.problem:
            return [f"runs were not counted: {self.problem}"]
        counts = ", ".join(f"{n} of {step}" for step, n in self.steps.items())
        lines = [f"runs with the classes of before, which can still be read: {counts}"] * bool(counts)
        return lines + [
            f"{name} has the classes of before and is served on until another version is deployed"
            for name in self.champions
        ]


@dataclass(frozen=True)
class ClassesChanged:
    """What `change_classes` did, or with `preview` would do.

    Attributes:
        task: name of the task.
        before, after: its class names.
        change: what the task file says of it, or said where it is taken back; None where nothing changed.
        done: whether it was done.
        undo: whether it takes `change` back.
        gold: what becomes of gold points.
        lost: gold labels made since that name what was no one class before; they are taken out of gold.
        mapped: gold labels made since that get the names of before.
        tables: table that results were written back to → its rows.
        runs: what was made with the classes of before.
        mentions: lines of the task's code that name a class of before, and what it is now.

    Example:
        >>> print(project.change_classes("spam", rename={"ham": "fine"}, preview=True))
        classes of task spam: ham, spam
                    will be: fine, spam
        ...
    """

    task: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    change: ClassChange | None
    done: bool
    undo: bool = False
    gold: GoldCounts = field(default_factory=GoldCounts)
    lost: int = 0
    mapped: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)
    runs: RunsBefore = field(default_factory=RunsBefore)
    mentions: Sequence[str] = ()

    @property
    def added(self) -> list[str]:
        """Classes of now that nothing became."""
        if self.change is None or self.undo:
            return []
        made = {target for name in self.before for target in self.change.targets(name)}
        return [name for name in self.after if name not in made]

    def lines(self) -> list[str]:
        """What it does, a line each."""
        head = f"classes of task {self.task}: "
        if self.change is None:
            return [head + listed(self.before, SHOWN)]
        verb = "are now" if self.done else "will be"
        lines = [head + listed(self.before, SHOWN), f"{verb:>{len(head) - 2}}: {listed(self.after, SHOWN)}"]
        lines += (
            self._became(self.change)
            + self._guide()
            + (self._gold_back() if self.undo else self._gold_lines())
        )
        lines += [f"{table}: {n:,} rows, whose names follow" for table, n in self.tables.items()]
        return [*lines, *([] if self.undo else self.runs.lines()), *self._code_lines()]

    def _became(self, change: ClassChange) -> list[str]:
        if self.undo:
            return [f"  the change of {change.date} is taken back"]
        lines = []
        for new, names in sources(change).items():
            if names != [new]:
                lines.append(f"  {listed(names, SHOWN)} {'become' if len(names) > 1 else 'becomes'} {new}")
        for name, parts in change.becomes.items():
            if len(parts) != 1:
                lines.append(f"  {name} is {f'split into {listed(parts, SHOWN)}' if parts else 'dropped'}")
        return lines + [f"  {name} is new" for name in self.added]

    def _guide(self) -> list[str]:
        """Classes of now whose description is that of another one, or of none."""
        if self.change is None or self.undo:
            return []
        as_before = {names[0] for names in sources(self.change).values() if len(names) == 1}
        renamed = {new for new, names in sources(self.change).items() if names[0] in as_before}
        others = [name for name in self.after if name not in renamed]
        return [f"  say in the task file when to choose {listed(others, SHOWN)}"] * bool(others)

    def _gold_lines(self) -> list[str]:
        gold = self.gold
        if not gold.points:
            return ["gold: none yet"]
        counts = {
            "renamed": gold.renamed,
            "merged": gold.merged,
            "without a class that is dropped": gold.dropped,
        }
        said = [f"{n} {what}" for what, n in counts.items() if n]
        said += [f"{gold.undecided} to be labelled anew, left out until then"] * bool(gold.undecided)
        lines = [f"gold: {gold.points} points, of them {', '.join(said) or 'none with another name'}"]
        if gold.undecided:
            lines.append(
                f"  to label them anew: adaptml annotate push {self.task} --data TABLE --sampling changed, "
                f"or adaptml gold {self.task} --changed"
            )
        if self.added:
            lines.append(
                f"  nobody was asked about {listed(self.added)} yet: all {gold.points} count as not so; to "
                f"ask again: adaptml gold {self.task} --export FILE.csv, then "
                f"adaptml annotate push {self.task} --data FILE.csv"
            )
        return lines

    def _gold_back(self) -> list[str]:
        lines = [f"gold: {self.gold.points} points, with the names of before"] * bool(self.gold.points)
        lines += [f"  {self.mapped} labels made since get the names of before"] * bool(self.mapped)
        lost = f"  {self.lost} labels made since are of no one class of before and are taken out of gold"
        return lines + [lost] * bool(self.lost)

    def _code_lines(self) -> list[str]:
        if not self.mentions:
            return []
        says = (
            "names of classes of before in the task's code, which is yours to change; one that stands for a"
        )
        return [f"{says} single class goes on voting for it:", *(f"  {line}" for line in self.mentions)]

    def __str__(self) -> str:
        return "\n".join(self.lines())
