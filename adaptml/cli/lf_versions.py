"""How `adaptml lfs --history` and `--diff` print what they found."""

from math import isnan

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adaptml.frames import KEYS
from dataprogramming.lf_diff import LFDiff
from dataprogramming.lf_history import LFHistory
from dataprogramming.lf_versions import LFChange

MOST_CHARS = 300  # of a text
_DASH = "–"
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_NUMBERS = ["coverage", "conflicts", "accuracy"]


def print_history(console: Console, found: LFHistory) -> None:
    """A row per run, the newest first."""
    if found.table.empty:
        console.print(
            f"no label run of task {found.task} yet; make one: `adaptml label {found.task} --data DATA`"
        )
        return
    metrics = found.table["metric"].unique().tolist()
    metric = metrics[0] if len(metrics) == 1 and metrics[0] else "on gold"  # runs of both settings
    table = Table(box=None, pad_edge=False)
    table.add_column("started", no_wrap=True)
    table.add_column("data")
    for heading in ("LFs", "coverage", metric):
        table.add_column(heading, justify="right")
    table.add_column("against the run before")
    table.add_column("run", no_wrap=True)
    for row in found.table.to_dict("records"):
        started = row["started"].to_pydatetime().astimezone()  # in the reader's time zone
        changes = _DASH if pd.isna(row["changes"]) else row["changes"]
        numbers = [_number(row["lfs"], "{:.0f}"), _number(row["coverage"], "{:.1%}")]
        texts = [f"{started:%Y-%m-%d %H:%M}", row["data"], *numbers, _number(row["on_gold"], "{:.3f}")]
        table.add_row(*map(Text, [*texts, changes]), Text(row["run_id"]))
    console.print(table)
    console.print(
        "+ added, − removed, ~ changed, = renamed. See how two runs differ with "
        f"`adaptml lfs {found.task} --diff RUN RUN`."
    )


def print_diff(console: Console, found: LFDiff) -> None:
    """The numbers of the rules, the differences in their sources, the points with another label."""
    console.print(f"before {found.before}\nafter  {found.after}\n")
    _print_rules(console, found)
    if not found.sources_known:
        console.print("one of the runs does not say which versions it used: only names are compared")
    for change in found.changes:
        _print_change(console, found, change)
    for line in found.lines():
        console.print(f"\n{line}", style="bold")
    for row in found.moved.to_dict("records"):
        console.print(_point({str(name): value for name, value in row.items()}))
    n_all = found.n_moved + found.n_gained + found.n_lost
    if n_all > len(found.moved):
        console.print(f"{len(found.moved)} of {n_all} points; see more with --n")


def _print_rules(console: Console, found: LFDiff) -> None:
    """Rules of which something differs, and how many others there are."""
    table = Table(box=None, pad_edge=False)
    for heading in ("LF", "change"):
        table.add_column(heading)
    for heading in _NUMBERS:
        table.add_column(heading, justify="right", no_wrap=True)
    as_before = 0
    for row in found.table.to_dict("records"):
        pairs = [
            [_number(row[f"{name}_{when}"], "{:.1%}") for when in ("before", "after")] for name in _NUMBERS
        ]
        if not row["change"] and all(old == new for old, new in pairs):
            as_before += 1
            continue
        shown = [old if old == new else f"{old} → {new}" for old, new in pairs]
        table.add_row(*map(Text, (row["lf"], row["change"], *shown)))
    if table.row_count:
        console.print(table)
    console.print(f"as before: {as_before} of {len(found.table)}")


def _print_change(console: Console, found: LFDiff, change: LFChange) -> None:
    version = change.after or change.before
    place = f" ({version.file}, line {version.line})" if version and version.file else ""
    console.print(f"\n{change.name}: {change.kind}{place}", style="bold")
    lines = found.source_diff(change)[2:]  # the first two name the runs once more
    for line in lines:
        console.print(Text(line, style=_COLOURS.get(line[:1], "")))
    if not lines and change.kind == "changed":
        console.print(
            "its code is as before; a library's or Python's version is another, or a value that is no text"
        )


def _point(row: dict[str, object]) -> Text:
    shown = Text(f"{row[KEYS[0]]}/{row[KEYS[1]]}: ", style="bold")
    shown.append(f"{_label(row['label_before'])} → {_label(row['label_after'])}", style="yellow")
    for name, value in row.items():
        if name not in (*KEYS, "label_before", "label_after") and isinstance(value, str):
            cut = value if len(value) <= MOST_CHARS else value[: MOST_CHARS - 1] + "…"
            shown.append(f"\n  {name}: {cut}", style="not bold")
    return shown


def _label(names: object) -> str:
    if not isinstance(names, list):
        return "no label"
    return ", ".join(names) or "none of the classes"


def _number(value: float, form: str) -> str:
    return _DASH if isnan(value) else form.format(value)
