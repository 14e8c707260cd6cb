"""The agreement as tables to read."""

from io import StringIO

from rich.console import Console
from rich.table import Table

from labelstudio.ability import TELLING, TOO_FEW
from labelstudio.agreement import Agreement
from labelstudio.alpha import Alpha
from labelstudio.precision import precision_lines

WIDTH = 100
MAX_ROWS = 10
MEASURES = {
    "nominal": "nominal (label sets equal or not)",
    "masi": "MASI (label sets that share a class agree in part)",
}


def as_text(found: Agreement) -> str:
    """The report as plain text, `WIDTH` characters wide."""
    # In a notebook, rich would show the report there instead of writing it.
    console = Console(file=StringIO(), width=WIDTH, color_system=None, force_jupyter=False)
    show(found, console)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def show(found: Agreement, console: Console) -> None:
    """Print the report: the verdict first, then where annotators differ, worst first."""
    console.print(f"Agreement of annotators, task {found.task} ({found.setting})", style="bold", markup=False)
    console.print(f"Verdict: {found.verdict}. {found.reason}\n", markup=False)
    basis = f"{found.compared} of {found.points} labelled points have two or more annotators"
    console.print(
        f"{basis}; all metrics rest on them.\n"
        f"95 % interval: percentile bootstrap over points, {found.resamples} resamples, seed {found.seed}.\n",
        markup=False,
    )
    if found.sample_warning:
        console.print(f"Warning: {found.sample_warning}.\n", markup=False)
    for line in precision_lines(found.precision):
        console.print(f"{line}\n", markup=False)
    for table in (_overall(found), _classes(found), _pairs(found), _annotators(found), _abilities(found)):
        console.print(table)
    if len(found.abilities) < TELLING:
        console.print(f"{TOO_FEW}\n", markup=False)
    for table in (_confusions(found), _points(found)):
        if table.row_count:
            console.print(table)


def _table(title: str, *columns: str, shown: int = 0, total: int = 0) -> Table:
    """A table whose first column is text and whose others are numbers."""
    caption = f"{total - shown} more in agreement.json" if total > shown else None
    width = len(title) + 2  # a title is never wrapped
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", min_width=width)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold")
    return table


def _overall(found: Agreement) -> Table:
    table = _table("Krippendorff's alpha", "distance", "alpha", "95 % interval")
    for name, alpha in found.alphas.items():
        table.add_row(MEASURES[name], _number(alpha.value), _interval(alpha))
    return table


def _classes(found: Agreement) -> Table:
    table = _table("Classes (chosen or not)", "class", "alpha", "95 % interval", "chosen on", "disputed on")
    for c in found.classes:
        cells = (_number(c.alpha.value), _interval(c.alpha), str(c.chosen), str(c.disputed))
        table.add_row(_safe(c.name), *cells)
    return table


def _pairs(found: Agreement) -> Table:
    pairs = found.pairs[:MAX_ROWS]
    table = _table(
        "Pairs", "annotators", "points", "same labels", "alpha", shown=len(pairs), total=len(found.pairs)
    )
    for p in pairs:
        table.add_row(
            _safe(" and ".join(p.annotators)), str(p.points), _percent(p.agreement), _number(p.alpha)
        )
    return table


def _annotators(found: Agreement) -> Table:
    title = "Each annotator against the rest"
    table = _table(title, "annotator", "points", "same labels", "alpha", "alpha without")
    for a in found.annotators:
        without = _number(a.alpha_without) if len(found.annotators) > 2 else "-"
        cells = (str(a.points), _percent(a.agreement), _number(a.alpha), without)
        table.add_row(_safe(a.name), *cells)
    return table


def _abilities(found: Agreement) -> Table:
    about = "" if found.measure == "nominal" else " about a class"
    title = f"How often each annotator is right{about} (estimated by Dawid and Skene's model)"
    table = _table(title, "annotator", "points", "right", "95 % interval")
    for a in found.abilities:
        table.add_row(_safe(a.name), str(a.points), f"{a.value:.1%}", f"{a.low:.1%} to {a.high:.1%}")
    return table


def _confusions(found: Agreement) -> Table:
    rows = found.confusions[:MAX_ROWS]
    title = "Labels that annotators exchange most"
    table = _table(title, "labels", "points", shown=len(rows), total=len(found.confusions))
    for c in rows:
        table.add_row(_safe(" | ".join(_label(label) for label in c.labels)), str(c.points))
    return table


def _points(found: Agreement) -> Table:
    rows = found.disputed[:MAX_ROWS]
    title = "Points to look at first"
    table = _table(title, "point", "distance", "labels", shown=len(rows), total=len(found.disputed))
    table.columns[2].justify = "left"
    for p in rows:
        said = "; ".join(f"{person}: {_label(label)}" for person, label in p.labels.items())
        table.add_row(_safe(f"{p.table_name}/{p.id}"), f"{p.distance:.2f}", _safe(said))
    return table


def _label(names: list[str]) -> str:
    return " + ".join(names) if names else "none"


def _safe(text: str) -> str:
    return text.replace("[", r"\[")  # a name is never read as rich's markup


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _interval(alpha: Alpha) -> str:
    return "-" if alpha.low is None or alpha.high is None else f"{alpha.low:.3f} to {alpha.high:.3f}"
