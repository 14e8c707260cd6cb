"""The form of all benchmarks: what a line says, how it is measured, printed and kept.

A benchmark is a command, `python -m benchmarks.NAME [--rows N] [--json FILE]`, and looks like this:

    def main(rows: Rows = 1_000_000, json: Json = None) -> None:
        with report("reading", "Vectors read by key from SQLite.", json, rows) as found:
            for size in sizes(rows):
                matrix, ours = measure(by_key, size, prepare=make_table)
                other, theirs = measure(with_pandas, size, prepare=make_table)
                found.check(np.array_equal(matrix, other), "the two matrices differ")
                found.add(Measured("384 numbers", size, ours, "pandas, the whole table", theirs))

`benchmarks.measuring` has `measure`, and `command` for what is measured from the command line.
"""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.measuring import Cost

Rows = Annotated[int, typer.Option(min=1, help="Rows of the largest table.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures here too.")]
VERSIONS = ("adaptml", "numpy", "pandas", "scikit-learn", "snorkel", "sqlalchemy", "torch")
TITLES = (
    "what",
    "{unit}",
    "{seconds}",
    "memory",
    "reference",
    "its {unit}",
    "its {seconds}",
    "its memory",
    "times as fast",
)


@dataclass(frozen=True)
class Measured:
    """One line: this project beside a reference, in one run.

    Attributes:
        what: the work; lines of the same work and another size are one line of the picture.
        size: how many rows, or what else the report counts; 0 where there are none.
        ours: what this project took.
        reference: what it is compared with; empty where there is nothing.
        theirs: what the reference took.
        their_size: its size, where it had fewer, or 0 where it had none.
        note: what else was seen, in a few words; stands below the table.
        readme: whether README shows it.
    """

    what: str
    size: int
    ours: Cost
    reference: str = ""
    theirs: Cost | None = None
    their_size: int | None = None
    note: str = ""
    readme: bool = False

    @property
    def faster(self) -> float | None:
        """How many times the reference's CPU seconds, by size, are ours."""
        if self.theirs is None or self.ours.seconds <= 0:
            return None
        size = self.size or 1
        return self.theirs.seconds / (self.their_size or size) * size / self.ours.seconds

    def cells(self) -> list[str]:
        """The texts of TITLES."""
        own = [self.what, count(self.size), duration(self.ours.seconds), memory(self.ours.peak_mb)]
        if self.theirs is None:
            return [*own, self.reference, "", "", "", ""]
        theirs = [duration(self.theirs.seconds), memory(self.theirs.peak_mb)]
        times = "" if self.faster is None else digits(self.faster)
        size = self.size if self.their_size is None else self.their_size
        return [*own, self.reference, count(size), *theirs, times]


def sized(size: int | None, unit: str) -> str:
    """A size and what it counts, as 5,000 rows and 1 row; or nothing."""
    return f"{size:,} {unit.removesuffix('s') if size == 1 else unit}" if size else ""


def count(size: int) -> str:
    """A size, or nothing."""
    return f"{size:,}" if size else ""


def digits(value: float) -> str:
    """Two or three digits, as 0.0063, 0.72, 10.8 and 2,331."""
    size = abs(value)
    return f"{value:,.{4 if 0 < size < 0.01 else 2 if size < 10 else 1 if size < 100 else 0}f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    scale, unit = next(
        (s, u) for s, u in ((1, "s"), (1e3, "ms"), (1e6, "µs")) if seconds * s >= 1 or u == "µs"
    )
    return f"{digits(seconds * scale)} {unit}"


def memory(mb: float | None) -> str:
    """MB, or nothing."""
    return "" if mb is None else f"{mb:,.0f} MB"


def heading() -> dict[str, str]:
    """What figures depend on: the machine, and versions of what is installed."""
    found = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "Python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass
class Report:
    """One run of a benchmark.

    Attributes:
        name: of its module.
        about: what it measures, in a sentence or two.
        rows: of its largest table, where it was asked for one.
        unit: what sizes count.
        lines: in order.
        heading: see `heading`.
        date: when it began, as 2026-11-26 (UTC).
        load: the machine's mean number of runnable processes over a minute, before and after.
        failed: why it ended early; the lines until then are there.
        seconds: what seconds are of: CPU, or time by the clock.
    """

    name: str
    about: str
    rows: int | None = None
    unit: str = "rows"
    lines: list[Measured] = field(default_factory=list)
    heading: dict[str, str] = field(default_factory=heading)
    date: str = field(default_factory=lambda: f"{datetime.now(UTC).date()}")
    load: list[float] = field(default_factory=lambda: [os.getloadavg()[0]])
    failed: str = ""
    seconds: str = "CPU"

    @property
    def command(self) -> str:
        """What makes it."""
        return f"python -m benchmarks.{self.name}" + (f" --rows {self.rows}" if self.rows else "")

    def titles(self) -> list[str]:
        """Of the columns."""
        return [title.format(unit=self.unit, seconds=self.seconds) for title in TITLES]

    def add(self, line: Measured) -> None:
        """One more line; said at once, for the table comes at the end."""
        self.lines.append(line)
        print("  ".join(filter(None, line.cells())), file=sys.stderr, flush=True)

    def check(self, same: bool, otherwise: str) -> None:
        """End the run where both do not give the same.

        Raises:
            SystemExit: not the same; exit code 1, with these words.
        """
        if not same:
            raise SystemExit(otherwise)

    def notes(self) -> list[str]:
        """What is said below the table."""
        found = [(line.what, sized(line.size, self.unit), line.note) for line in self.lines if line.note]
        return [f"{', '.join(filter(None, [what, size]))}: {note}" for what, size, note in found]

    def conditions(self) -> str:
        """When, and on what."""
        said = ", ".join(
            text if name == "machine" else f"{name} {text}" for name, text in self.heading.items()
        )
        return f"{self.date}; {said}; load {' before, '.join(f'{load:.1f}' for load in self.load)} after"

    def show(self) -> None:
        """Print the table."""
        from rich.console import Console
        from rich.table import Table

        table = Table(
            title=self.about, title_justify="left", caption=self.conditions(), caption_justify="left"
        )
        for i, title in enumerate(self.titles()):
            table.add_column(title, justify="left" if i in (0, 4) else "right", no_wrap=i not in (0, 4))
        for line in self.lines:
            table.add_row(*line.cells())
        console = Console(width=max(Console().width, 130), highlight=False)
        console.print(table)
        for note in self.notes():
            console.print(f"- {note}")

    def write(self, path: Path) -> None:
        """Write it as JSON, for `read_report`."""
        from adaptml.files import write_text

        write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", path)


def read_report(path: Path) -> Report:
    """What `report` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for line in found["lines"]:
        line["ours"] = Cost(**line["ours"])
        line["theirs"] = line["theirs"] and Cost(**line["theirs"])
    return Report(**found | {"lines": [Measured(**line) for line in found["lines"]]})


@contextmanager
def report(
    name: str, about: str, to: Path | None, rows: int | None = None, unit: str = "rows", seconds: str = "CPU"
) -> Iterator[Report]:
    """A run of a benchmark: its lines are printed, and written, when it ends, however it ends."""
    found = Report(name, about, rows, unit, seconds=seconds)
    try:
        yield found
    except BaseException as error:
        found.failed = f"{error}" or type(error).__name__
        raise
    finally:
        found.load.append(os.getloadavg()[0])
        if to is not None:
            found.write(to)
        found.show()


def sizes(rows: int) -> list[int]:
    """A hundredth, a tenth, and all: what a picture needs."""
    return sorted({max(1, rows // part) for part in (100, 10, 1)})
