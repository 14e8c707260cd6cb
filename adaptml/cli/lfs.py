"""`adaptml lfs TASK`: try labelling functions on a sample and look at the rows."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from adaptml.cli import options
from adaptml.cli.support import extra_options, output, project_here
from adaptml.errors import LabellingError, listed

if TYPE_CHECKING:
    import pandas as pd

    from adaptml.rules.core import KeywordRule
    from dataprogramming.lfs_report import Look

COMMAND_OPTIONS = options.TAKES_MORE  # what the task's get_lfs declares
MOST_ROWS = 20
MOST_CHARS = 300
MOST_KEYWORDS = 20  # of a labelling function
_WIDEST = 10_000
_LF = typer.Option(metavar="LF", help="Show rows on which this labelling function votes.", show_default=False)
_WRONG = typer.Option("--wrong", help="Of these, the gold points on which it is wrong.")
_CONFLICTS = typer.Option("--conflicts", help="Of these, the rows with votes for different classes.")
_UNCOVERED = typer.Option("--uncovered", help="Show rows without a vote.")
_DISAGREEMENT = typer.Option("--disagreement", help="Show rows with votes for different classes.")
_HISTORY = typer.Option("--history", help="Show the task's label runs and what changed from run to run.")
_HINTS = typer.Option("--hints", help="Show the words that annotators marked or wrote, by class.")
_DIFF = typer.Option(metavar="RUN RUN", help="Show how two label runs differ.", show_default=False)


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: options.DataOrNone = None,
    n: options.Number = 2000,
    where: options.Where = None,
    gold: options.Gold = "task",
    show: Annotated[str | None, _LF] = None,
    wrong: Annotated[bool, _WRONG] = False,
    conflicts: Annotated[bool, _CONFLICTS] = False,
    uncovered: Annotated[bool, _UNCOVERED] = False,
    disagreement: Annotated[bool, _DISAGREEMENT] = False,
    history: Annotated[bool, _HISTORY] = False,
    diff: Annotated[tuple[str, str] | None, _DIFF] = None,
    hints: Annotated[bool, _HINTS] = False,
    setting: options.SettingName = "",
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    fault_tolerant: options.FaultTolerant = False,
    fresh: options.Fresh = False,
) -> None:
    """Try labelling functions on a sample: what each hits, and how often it is right on gold.

    Nothing is logged or registered; the table says what has changed since the last look at the same data.
    --history and --diff look at runs of `label` instead: which versions of the rules each used. --hints
    lists what annotators said decided about each class, as words to make rules of.

    Example: `adaptml lfs example --data example_data --show cat_purr --wrong`
    """
    if history or diff is not None or hints:
        _show_something_else(ctx, task, n, diff, hints)
        return
    from dataprogramming.lfs_report import look

    shows_rows = show is not None or uncovered or disagreement
    if (wrong or conflicts) and show is None:
        raise LabellingError("--wrong and --conflicts are about one labelling function; name it with --show")
    with project_here() as project:
        found = look(
            project,
            project.task(task, setting),
            data,
            n=n,
            seed=seed,
            where=where,
            gold=gold if _was_typed(ctx, "gold") else "task, if any",
            lf_parameters=extra_options(ctx.args, "get_lfs"),
            workers=workers,
            scheduler=scheduler,
            fault_tolerant=fault_tolerant,
            fresh=fresh,
            remember=not shows_rows,
        )
        console = output()
        if shows_rows:
            _print_rows(console, found, show, wrong, conflicts, uncovered)
        else:
            _print_table(console, found)


def _show_something_else(
    ctx: typer.Context, task: str, n: int, diff: tuple[str, str] | None, hints: bool
) -> None:
    """What --history, --diff and --hints show; of the other options only --n goes with them."""
    from adaptml.cli.lf_hints import MOST_WORDS, print_hints
    from adaptml.cli.lf_versions import print_diff, print_history
    from dataprogramming.lf_diff import POINTS, lf_diff
    from dataprogramming.lf_hints import lf_hints
    from dataprogramming.lf_history import RUNS, lf_history

    typed = [name for name in ctx.params if name not in ("task", "n") and _was_typed(ctx, name)]
    if len(typed) > 1 or ctx.args:
        given = listed([*(f"--{name.replace('_', '-')}" for name in typed), *ctx.args])
        raise LabellingError(
            f"given {given}; expected --history, --diff RUN RUN or --hints alone, or with --n"
        )
    if n < 1:
        raise LabellingError(f"n is {n}; expected at least 1")
    with project_here() as project:
        if hints:
            found_hints = lf_hints(project, task)
            print_hints(output(), project.task(task), found_hints, n if _was_typed(ctx, "n") else MOST_WORDS)
        elif diff is None:
            runs = lf_history(project, task, n=n if _was_typed(ctx, "n") else RUNS)
            print_history(output(), runs)
        else:
            found = lf_diff(project, task, *diff, n=n if _was_typed(ctx, "n") else POINTS)
            print_diff(output(), found)


def print_lf_table(console: Console, frame: "pd.DataFrame") -> None:
    """The table of labelling functions; where a pipe reads it, as wide as it is."""
    from dataprogramming.lf_table import as_rich_table

    table = as_rich_table(frame)
    if not console.is_terminal:
        console.width = Measurement.get(console, console.options.update(width=_WIDEST), table).maximum
    console.print(table)


def _was_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _print_table(console: Console, found: "Look") -> None:
    from dataprogramming.keyword_counts import silent_sentence

    votes = found.votes
    print_lf_table(console, found.table)
    gold = "no gold"
    if votes.gold is not None:
        aside = votes.gold.set_aside
        gold = f"{len(votes.gold)} gold points" + (f" to tune on, {aside} more judge only" if aside else "")
    console.print(
        f"{len(votes)} of {found.n_points} points; {found.n_uncovered} without a vote, "
        f"{found.n_disagreements} with votes for different classes; {gold}"
    )
    for line in votes.reuse.lines() if votes.reuse else []:
        console.print(f"votes: {line}")
    for name, count in votes.failures.items():
        console.print(f"{name} failed on {count} points and abstained there")
    for name in found.removed:
        console.print(f"{name} is no longer there")
    for name, hits in found.keyword_hits.items():
        if len(hits) > 1:  # one keyword's hits are the LF's votes
            shown = [f"{word} {count}" for word, count in hits.items() if count]
            console.print(f"{name}: {listed(shown, MOST_KEYWORDS) or 'no keyword in any row'}")
    silent = silent_sentence(found.keyword_hits, len(votes))
    if silent:
        console.print(silent)
    console.print("See rows with --show LF [--wrong|--conflicts], --uncovered or --disagreement.")


def _print_rows(
    console: Console, found: "Look", lf: str | None, wrong: bool, conflicts: bool, uncovered: bool
) -> None:
    votes = found.votes
    if lf is not None:
        rows = votes.rows(lf, wrong=wrong, conflicts=conflicts)
    else:
        rows = votes.uncovered() if uncovered else votes.disagreements()
    keyword_lf = None if lf is None else found.keyword_lfs.get(lf)
    rule = None if keyword_lf is None else keyword_lf.rule
    for row in rows.head(MOST_ROWS).to_dict("records"):
        console.print(_row(row, votes.lf_names, rule, marked=console.is_terminal))
    console.print(f"{min(MOST_ROWS, len(rows))} of {len(rows)} rows")


def _row(
    row: Mapping[Hashable, Any], lf_names: tuple[str, ...], rule: "KeywordRule | None", *, marked: bool
) -> Text:
    """A data point: its key, its texts with matched words marked, its gold label and its votes."""
    from adaptml.frames import KEYS

    shown = Text(f"{row[KEYS[0]]}/{row[KEYS[1]]}", style="bold")
    for name, value in row.items():
        if name in KEYS or name in lf_names:
            continue
        if name == "gold_label":
            shown.append(f"\n  gold: {', '.join(value) or 'none'}", style="green")
        elif value is not None:
            shown.append(f"\n  {name}: ").append_text(_marked(str(value), rule, marked))
    cast = [f"{name} → {row[name]}" for name in lf_names if row[name] is not None]
    return shown.append(f"\n  votes: {', '.join(cast) or 'none'}", style="dim")


def _marked(text: str, rule: "KeywordRule | None", coloured: bool) -> Text:
    """A text with the keywords in it marked: by colour on a terminal, else by » and «."""
    from adaptml.features.words import normalized
    from dataprogramming.marking import matches

    clean = normalized(text)
    cut = clean if len(clean) <= MOST_CHARS else clean[: MOST_CHARS - 1] + "…"
    made, end = Text(), 0
    for start, stop in matches(cut, rule) if rule else []:
        made.append(cut[end:start])
        word = cut[start:stop]
        made.append(word if coloured else f"»{word}«", style="reverse bold")
        end = stop
    return made.append(cut[end:])
