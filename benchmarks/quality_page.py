"""The page of figures, `docs/quality.md`, and its picture."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from adaptml.files import write_text
from benchmarks.quality_figures import Figures, clearly_below
from benchmarks.quality_methods import BOTH

MEASURED_WITH = ("adaptml", "scikit-learn", "snorkel", "torch", "numpy", "onnxruntime")
INK, ACCENT, LINE = "#1d2b36", "#0f6b75", "#8fa3b0"
COLUMNS = 2  # of the picture
INTRODUCTION = """\
# Quality

What comes out at the end: label models and end models beside what else a person could do with the same
rules and the same gold. Each figure is of rows that chose nothing: gold chose the label model, the strategy
and everything else. An end model that is worse here than a simpler row is a fault; the line below each
table says where that is so.

The rows of a table:

- **most frequent class**: the same answer for every row; the share of the classes in gold as probabilities
- **majority vote**: what most rules say; in tasks with several classes a row, all that any rule says
- **Snorkel's LabelModel**: Snorkel's own class with 1000 epochs and the class balance of gold
- **label model**: the one that `adaptml label` chooses on gold, asked about the votes of the rows that
  judge
- **majority vote → logistic regression on tf-idf**: scikit-learn trained on what most rules say of the
  training rows
- **gold alone**, **weak**, **both**: end models of `adaptml train`, by the strategies `gold`, `weak` and
  `auto`; they answer through `adaptml deploy` and `adaptml predict`

Macro F1 is the mean over the classes of their F1; F1 over samples, in tasks with several classes a row, is
the mean over the rows of the F1 of their label sets. Log loss is the mean of -log of the probability of the
truth, and the Brier score the squared distance of the probabilities from the truth, summed over the
classes: both are better when lower. In brackets stands the 95 % interval: of accuracy Wilson's, of the
others that of the bootstrap over the rows that judge. Seconds are those of the row's own steps; `label` is
counted at the label model only.
"""


@dataclass(frozen=True)
class Row:
    """A line of a table: method, figures, seconds, what was chosen."""

    method: str
    figures: Figures
    seconds: float
    remark: str = ""


@dataclass
class Table:
    """The figures of one data set.

    Attributes:
        name: of the set.
        about: what it holds, in one sentence.
        titles: what its metrics are called.
        rows: one a method.
        notes: sentences below the table.
    """

    name: str
    about: str
    titles: Sequence[str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def heads(self) -> list[str]:
        """Names of the columns."""
        return ["method", *self.titles, "log loss", "Brier score", "seconds", "chosen"]

    def cells(self, row: Row) -> list[str]:
        """A row's texts, one for each of the heads."""
        found = row.figures
        numbers = [f"{found.log_loss:.3f}", f"{found.brier:.3f}", f"{row.seconds:.1f}"]
        return [row.method, *map(str, found.by_title.values()), *numbers, row.remark]

    def verdict(self) -> list[str]:
        """Where `both` is clearly below another row; that it is nowhere; or nothing without that row."""
        known = {row.method: row.figures for row in self.rows}
        if BOTH not in known:
            return []
        return clearly_below(BOTH, known) or [
            f"{BOTH} is below no other row by more than the paired 95 % interval of the difference"
        ]

    def markdown(self) -> str:
        """The set as a chapter."""
        heads = self.heads()
        lines = [
            f"## {self.name}",
            "",
            self.about,
            "",
            _line(heads),
            _line(["---", *["---:"] * (len(heads) - 1)]),
        ]
        lines += [_line(self.cells(row)) for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in [*self.verdict(), *self.notes])]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def versions() -> Mapping[str, str]:
    """What the figures were made with, by name; what is not installed is left out."""
    found = {"Python": platform.python_version()}
    for name in MEASURED_WITH:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def load() -> str:
    """How busy the machine is: what seconds are to be read with."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def page(tables: Sequence[Table], command: str, settings: str, picture: str) -> str:
    """The whole page.

    Args:
        tables: one a set.
        command: what made it.
        settings: encoder, seed and the like, in words.
        picture: the picture's file name.
    """
    made_with = ", ".join(f"{name} {number}" for name, number in versions().items())
    made = (
        f"Made on {datetime.now(UTC).date()} by\n\n```sh\n{command}\n```\n\n{settings}; {made_with}; "
        f"{load()} at the end. Of the sets, this repository holds the example alone; those named `packages`, "
        "`mails`, `moods`, `kinds` and `letters` are written by `benchmarks/packages.py`, `mails.py`, "
        "`snippets.py` and `tables.py` (of KEEL's table `letter`). Other draws of packages, mails and moods, "
        "and this one of moods, are among the sets that chose which ways to train are tried, how models that "
        "answer together are weighed, and when the label model answers alone; kinds and letters chose "
        "nothing.\n"
    )
    shown = f"![Accuracy of each method on each set, with its 95 % interval]({picture})\n"
    return "\n".join([INTRODUCTION, made, shown, *(table.markdown() for table in tables)])


def draw(tables: Sequence[Table], path: Path) -> None:
    """A panel a set: each method's accuracy, F1 over samples in multilabel, with its interval."""
    from matplotlib.figure import Figure

    methods = list(dict.fromkeys(row.method for table in tables for row in table.rows))
    n_rows = math.ceil(len(tables) / COLUMNS)
    size = (9.0, n_rows * (0.5 + 0.19 * len(methods)))
    drawn = Figure(figsize=size, dpi=120, layout="constrained")
    grid = drawn.subplots(n_rows, COLUMNS, squeeze=False, sharey=True)
    for axes in grid.flat[len(tables) :]:
        axes.remove()
    for table, axes in zip(tables, grid.flat[: len(tables)], strict=True):
        for row in table.rows:
            found, place = row.figures.main, methods.index(row.method)
            low, high = found.ends
            line, colour = (ACCENT, ACCENT) if row.method == BOTH else (LINE, INK)
            axes.plot([low, high], [place, place], color=line, linewidth=3)
            axes.plot([found.value], [place], "o", color=colour, markersize=5, clip_on=False, zorder=3)
        axes.set_xlim(0, 1)
        axes.tick_params(labelsize=8, colors=INK)
        axes.grid(axis="x", color="#dfe6ea")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_title(f"{table.name}: {table.titles[0]}", fontsize=9, color=INK, loc="left")
    grid[0, 0].set_yticks(range(len(methods)), methods)
    grid[0, 0].invert_yaxis()  # all share it
    drawn.savefig(path)


def write(tables: Sequence[Table], to: Path, command: str, settings: str) -> None:
    """Write the page and its picture beside it, under the same name."""
    picture = to.with_suffix(".png")
    draw(tables, picture)
    write_text(page(tables, command, settings, picture.name), to)
