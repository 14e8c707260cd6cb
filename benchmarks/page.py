"""Runs the benchmarks and writes `docs/benchmarks.md`, its pictures, and the figures of README.

    python -m benchmarks.page all                 # all, with the rows of BENCHMARKS: half an hour
    python -m benchmarks.page all --rows 10000000
    python -m benchmarks.page reading serving     # these alone; the others' figures stay
    python -m benchmarks.page                     # nothing is run: the page from what was measured before

Each runs in a process of its own and leaves its figures in `docs/benchmarks/NAME.json`, from which all is
written. One that fails is named at the end, with exit code 1; where an earlier run of it ended well, its
figures stay.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from adaptml.files import write_text
from benchmarks.form import Measured, Report, digits, duration, memory, read_report, sized
from benchmarks.picture import alternative, draw, drawn

REPOSITORY = Path(__file__).resolve().parents[1]
# In the order of the page; the rows of `make benchmarks`, None for those that have what they need.
BENCHMARKS: dict[str, int | None] = {
    "labelling": 1_000_000,
    "incremental": 200_000,
    "label_model": None,
    "importing": 200_000,
    "encoding": None,
    "reading": 100_000,
    "training": 50_000,
    "scale": 100_000,
    "serving": 20_000,
    "workbench": None,
    "startup": None,
}
LIMIT_S = 1_800  # of one benchmark: what hangs does not keep the others from being written
PLACE = re.compile(r"(<!-- benchmarks: .* -->\n).*(<!-- end of benchmarks -->)", re.DOTALL)
README_HEAD = ("what", "this project", "beside it", "times as fast", "command")
INTRODUCTION = """\
# Benchmarks

What work takes, beside what else one would take for it, both from one run on one machine: `make benchmarks`
writes this page. CPU is seconds of processor time, user and system, of the process and of those that it
started; memory is the most that was resident, of the process or of the largest that it started, in millions
of bytes. Linear algebra has one thread. Where a reference is slow it gets fewer rows, and the last column
compares by row: above 1, this project is faster. In pictures, lines are this project and dashed lines with
open marks the reference, in the colour of the same work; thin lines say what a reference would take that goes
on by row. Where a line rises by as many powers of ten as rows do, work is linear.
"""


def run(name: str, rows: int | None, to: Path) -> str:
    """Run a benchmark as its command; its figures take the place of earlier ones.

    Returns:
        Why it failed, or nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{name}.json"
        words = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(made)]
        words += [] if rows is None else ["--rows", str(rows)]
        print(f"\n{name}: {' '.join(words[1:3])}", flush=True)
        with subprocess.Popen(words, cwd=REPOSITORY, start_new_session=True) as process:
            try:
                code = process.wait(LIMIT_S)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if made.is_file():
            keep(read_report(made), to)
    return f"exit code {code}" if code else ""


def keep(found: Report, to: Path) -> None:
    """Write a run's figures, unless it failed and an earlier one did not."""
    if found.failed and (not found.lines or (to.is_file() and not read_report(to).failed)):
        return
    found.write(to)


def section(report: Report, picture: str | None) -> str:
    """A benchmark's chapter."""
    titles = report.titles()
    lines = [f"## {title(report)}", "", report.about, ""]
    if picture:
        lines += [f"![{alternative(report)}]({picture})", ""]
    lines += [
        row(titles),
        row([":---" if heading in ("what", "reference") else "---:" for heading in titles]),
    ]
    lines += [row(line.cells()) for line in report.lines]
    if report.failed:
        lines += ["", f"It ended early: {report.failed}"]
    lines += ["", *(f"- {note}" for note in report.notes())]
    return "\n".join([*lines, "", f"`{report.command}`, {report.conditions()}"]) + "\n"


def title(report: Report) -> str:
    """A benchmark's name in words."""
    return report.name.replace("_", " ").capitalize()


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def readme_table(reports: Sequence[Report]) -> str:
    """README's lines: of each work that it shows, the largest size."""
    lines = [row(README_HEAD), row(["---", "---", "---", "---:", "---"])]
    for report in reports:
        largest: dict[tuple[str, str], Measured] = {}
        for line in report.lines:
            known = largest.get((line.what, line.reference), line)
            if line.readme and line.size >= known.size:
                largest[line.what, line.reference] = line
        lines += [row(readme_cells(report, line)) for line in largest.values()]
    return "\n".join(lines)


def readme_cells(report: Report, line: Measured) -> list[str]:
    """The texts of README_HEAD."""
    what = ", ".join(filter(None, [f"{title(report).lower()}: {line.what}", sized(line.size, report.unit)]))
    ours = ", ".join(filter(None, [duration(line.ours.seconds), memory(line.ours.peak_mb)]))
    beside = ""
    if line.theirs is not None:
        fewer = sized(line.their_size, report.unit) if line.their_size not in (None, line.size) else ""
        cost = [duration(line.theirs.seconds), memory(line.theirs.peak_mb)]
        beside = f"{', '.join(filter(None, [line.reference, fewer]))}: {', '.join(filter(None, cost))}"
    times = "" if line.faster is None else digits(line.faster)
    return [what, ours, beside, times, f"`python -m benchmarks.{report.name}`"]


def write(docs: Path, readme: Path) -> None:
    """Write page, pictures and README's table from `docs/benchmarks/*.json`."""
    kept = docs / "benchmarks"
    reports = [read_report(kept / f"{name}.json") for name in BENCHMARKS if (kept / f"{name}.json").is_file()]
    sections = []
    for report in reports:
        picture = f"{report.name}.png" if drawn(report) else None
        if picture:
            draw(report, kept / picture)
        sections.append(section(report, picture and f"benchmarks/{picture}"))
    write_text("\n".join([INTRODUCTION, *sections]), docs / "benchmarks.md")
    text = readme.read_text(encoding="utf-8")
    if not PLACE.search(text):
        raise SystemExit(f"{readme} has no place for figures; expected <!-- benchmarks: … --> and its end")
    write_text(PLACE.sub(lambda found: f"{found[1]}\n{readme_table(reports)}\n\n{found[2]}", text), readme)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="What to run: names, or all.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of those that grow with them.")] = None,
) -> None:
    """Run benchmarks, and write what was measured."""
    chosen = list(BENCHMARKS) if names == ["all"] else names or []
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        raise SystemExit(
            f"no benchmark of that name: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    docs = REPOSITORY / "docs"
    failed = {}
    for name in chosen:
        usual = BENCHMARKS[name]
        try:
            why = run(name, usual and (rows or usual), docs / "benchmarks" / f"{name}.json")
        except subprocess.TimeoutExpired:
            why = f"it took more than {LIMIT_S} s"
        if why:
            failed[name] = why
        write(docs, REPOSITORY / "README.md")
    if not chosen:
        write(docs, REPOSITORY / "README.md")
    for name, why in failed.items():
        print(f"{name} failed: {why}")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
