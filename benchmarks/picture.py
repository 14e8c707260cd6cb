"""A benchmark's picture: CPU seconds and memory against rows, both on logarithmic axes.

All work is in one panel of each; where that would be too many lines, each work has panels of its own.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptml.plots import QUIET, TEXT, write_plot
from benchmarks.form import Measured, Report, count, duration, memory
from benchmarks.measuring import Cost

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind eyes tell apart; a mark of its own each, for print in grey.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
MARKS = "os^Dvph"
STYLES = ["--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 3))]
SIZE_INCH = (9.6, 4.6)
LEGEND_CHARS = 110  # in a line
MOST_TICKS = 4
MOST_LINES = 12  # in a panel
SMALL_INCH = (2.2, 2.2)  # of a panel of one work

Take = Callable[[Cost], float | None]
Points = list[tuple[int, float]]
Panels = Sequence[tuple[str, Take, Any]]  # title, what is drawn, and how its values are said


def seconds(cost: Cost) -> float:
    """Of CPU."""
    return cost.seconds


def megabytes(cost: Cost) -> float | None:
    """Of memory."""
    return cost.peak_mb


def drawn(report: Report) -> list[str]:
    """The work that was done at several sizes: what the picture shows."""
    found: dict[str, set[int]] = {}
    for line in report.lines:
        found.setdefault(line.what, set()).add(line.size)
    return [what for what, sizes in found.items() if len(sizes - {0}) > 1]


def references(report: Report) -> list[str]:
    """The names of what it is drawn beside, in order."""
    shown = drawn(report)
    return list(dict.fromkeys(x.reference for x in report.lines if x.theirs is not None and x.what in shown))


def alternative(report: Report) -> str:
    """The picture in words."""
    beside = f"; beside them {', '.join(references(report))}" if references(report) else ""
    what = f"{report.seconds} and memory" if _has_memory(report) else report.seconds
    return f"{what} against {report.unit}, logarithmic: {', '.join(drawn(report))}{beside}"


def _has_memory(report: Report) -> bool:
    return any(len(_points(report.lines, what, megabytes)) > 1 for what in drawn(report))


def draw(report: Report, path: Path) -> None:
    """Draw it; memory only where it was measured."""
    shown, beside = drawn(report), references(report)
    lines = [line for line in report.lines if line.what in shown]
    panels: list[tuple[str, Take, Any]] = [(report.seconds, seconds, duration)]
    if _has_memory(report):
        panels.append(("memory", megabytes, memory))
    n_lines = len(shown) + len({(line.what, line.reference) for line in lines if line.theirs is not None})
    if n_lines > MOST_LINES:
        figure = _apart(lines, shown, beside, panels, report.unit)
        handles = [_handle(COLOURS[0], "-", MARKS[0], "this project")]
    else:
        figure = _together(lines, shown, beside, panels, report.unit)
        handles = [_handle(COLOURS[i % 7], "-", MARKS[i % 7], what) for i, what in enumerate(shown)]
    handles += [
        _handle(QUIET, STYLES[i % 5], "o", name, markerfacecolor="white") for i, name in enumerate(beside)
    ]
    longest = max(len(str(handle.get_label())) for handle in handles) + 8
    columns = max(1, min(len(handles), (LEGEND_CHARS * len(panels) // 2) // longest))
    options: dict[str, Any] = {"frameon": False, "fontsize": 10, "labelcolor": TEXT, "handlelength": 3.5}
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **options)
    write_plot(figure, path)


def _together(
    lines: Sequence[Measured], shown: list[str], beside: list[str], panels: Panels, unit: str
) -> "Figure":
    """A panel for CPU and one for memory, of all work."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE_INCH[0] * (0.4 + 0.3 * len(panels)), SIZE_INCH[1]), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, take, said) in zip(row, panels, strict=True):
        _panel(axes, lines, shown, beside, take)
        axes.set_yscale("log")
        _widen(axes)
        _frame(axes, lines, title, said)
        axes.set_xlabel(unit, color=TEXT)
    return figure


def _apart(
    lines: Sequence[Measured], shown: list[str], beside: list[str], panels: Panels, unit: str
) -> "Figure":
    """A column for each work: CPU above, memory below; those of a row have one scale."""
    from matplotlib.figure import Figure

    size = (SMALL_INCH[0] * len(shown), SMALL_INCH[1] * len(panels) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(panels), len(shown), squeeze=False, sharex="col", sharey="row")
    for row, (title, take, said) in zip(grid, panels, strict=True):
        works = [[line for line in lines if line.what == what] for what in shown]
        for axes, what, of_work in zip(row, shown, works, strict=True):
            _panel(axes, of_work, [what], beside, take)
            axes.set_yscale("log")
        _widen(row[0])
        for axes, of_work in zip(row, works, strict=True):
            _frame(axes, of_work, "", said)
            axes.tick_params(labelsize=9)
        row[0].set_ylabel(title, fontsize=11, color=TEXT)
    for what, top, bottom in zip(shown, grid[0], grid[-1], strict=True):
        top.set_title(what, fontsize=10, color=TEXT, loc="left")
        bottom.set_xlabel(unit, color=TEXT)
    return figure


def _panel(axes: "Axes", lines: Sequence[Measured], shown: list[str], beside: list[str], take: Take) -> None:
    most = max(line.size for line in lines)
    for i, what in enumerate(shown):
        style: dict[str, Any] = {"color": COLOURS[i % 7], "marker": MARKS[i % 7]}
        for j, reference in enumerate(beside):
            theirs = _points(lines, what, take, reference)
            if theirs:
                _line(
                    axes, theirs, STYLES[j % 5], markersize=5, markerfacecolor="white", linewidth=1.4, **style
                )
            if theirs and take is seconds and theirs[-1][0] < most:
                size, value = theirs[-1]
                further = [(size, value), (most, value * most / size)]
                _line(axes, further, STYLES[j % 5], linewidth=0.7, color=style["color"])
        _line(axes, _points(lines, what, take), "-", markersize=6, linewidth=2.2, **style)


def _line(axes: "Axes", points: Points, style: Any, **options: Any) -> None:
    axes.plot([size for size, _ in points], [value for _, value in points], linestyle=style, **options)


def _points(lines: Sequence[Measured], what: str, take: Take, reference: str | None = None) -> Points:
    """Sizes and values of this project, or of a reference."""
    found = {}
    for line in lines:
        cost = line.ours if reference is None else line.theirs
        if line.what != what or cost is None or (reference is not None and line.reference != reference):
            continue
        value = take(cost)
        size = line.size if reference is None else line.their_size or line.size
        if value is not None and value > 0 and size:
            found[size] = value
    return sorted(found.items())


def _widen(axes: "Axes") -> None:
    """Leave some room above and below."""
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.2, high * 1.2)


def _frame(axes: "Axes", lines: Sequence[Measured], title: str, said: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_ylim()
    few = high / low < 100  # less than two decades: their parts are named too
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: said(value).replace(".00", "").replace(".0 ", " "))
    )
    measured = sorted({line.size for line in lines} - {0})
    if len(measured) <= MOST_TICKS:
        axes.set_xticks(measured)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.set_title(title, fontsize=12, color=TEXT, loc="left")
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=10, labelcolor=TEXT)
    axes.grid(color="#e3e8ee", linewidth=0.8)
    axes.set_axisbelow(True)


def _handle(colour: str, style: Any, mark: str, label: str, **options: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, marker=mark, label=label, linewidth=2, **options)
