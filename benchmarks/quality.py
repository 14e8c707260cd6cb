"""What a user gets at the end, on any data set in WRENCH's format and on the example: `docs/quality.md`.

    python -m benchmarks.quality FOLDER… [--youtube-spam FOLDER] [--example] [--to docs/quality.md]

FOLDER holds label.json (class number → name) and train.json, valid.json and test.json (key → data.text or
data.feature, label, weak_labels: one vote per labelling function, -1 for none), as the WRENCH benchmark
(arXiv 2109.11377) has them. Everything goes the user's way, through tables: `import`, `featurize`, `label`,
`train`, `deploy`, `predict`, `compare`. Of a text with two entities, what stands between them is a text too;
numbers are standardised. The gold is `valid`; `test` judges and does nothing else; the labels of `train` are
not read.
"""

import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from adaptml.cli.support import output, run_command
from adaptml.labelled import GOLD_LABEL
from adaptml.tasks import PROBLEM_TYPES, indicator
from adaptml.tasks.metrics import Metric, Outcome
from benchmarks.quality_figures import Figures, figures, mean, metrics
from benchmarks.quality_methods import METHODS, Methods
from benchmarks.quality_page import Row, Table, load, write
from benchmarks.quality_sets import DataSet, example_set, in_parts, wrench_set, youtube_spam_set
from benchmarks.wrench_format import TEST, VALID

ENCODER = "hybrid"
PARTS = 5
Say = Callable[[str], None]


def judge_set(data: DataSet, seed: int, say: Say, positive: str | None = None) -> Table:
    """All methods on one set; each line is said as soon as it is there.

    Args:
        data: the set.
        seed: of all random choices, the bootstrap's too.
        say: gets what a person should see.
        positive: a class whose F1 is wanted, where the set has it.
    """
    columns, Y = columns_of(data, positive), truth(data)
    table = Table(data.name, about(data), [one.title for one in columns])
    methods = Methods(data, seed)
    begin(table, say)
    for line in methods.lines():
        found = figures(columns, Y, line.said, seed)
        table.rows.append(Row(line.method, found, line.seconds, line.remark))
        say("  ".join(table.cells(table.rows[-1])))
    table.notes += [f"{name} is left out: {why}" for name, why in methods.skipped.items()]
    table.notes.append(said_before(methods))
    end(table, say)
    return table


def columns_of(data: DataSet, positive: str | None) -> list[Metric]:
    """The metrics of a set's table."""
    names = data.task.class_names
    if positive not in names:
        return metrics(data.task.problem)
    return metrics(data.task.problem, names.index(positive), positive)


def truth(data: DataSet) -> npt.NDArray[np.int8]:
    """The classes of the rows that judge, int8 (n, k)."""
    return indicator([*data.judged[GOLD_LABEL]], data.task.class_names)


def begin(table: Table, say: Say) -> None:
    """Say which set comes, and the columns."""
    say(f"\n{table.name}: {table.about} ({load()})")
    say("  ".join(table.heads()))


def end(table: Table, say: Say) -> None:
    """Say what the table means."""
    for note in [*table.verdict(), *table.notes]:
        say(f"- {note}")


def about(data: DataSet) -> str:
    """What a set holds."""
    votes = data.project.apply_lfs(data.task, data.train, gold=None).L
    covered = float((votes != -1).any(axis=1).mean())
    return (
        f"{len(data.task.classes)} classes, {votes.shape[1]} labelling functions, {len(votes)} training rows "
        f"of which {covered:.0%} have votes, {len(data.gold)} gold rows, {len(data.judged)} rows that judge."
    )


def said_before(methods: Methods) -> str:
    """What `compare` says of the same set, on gold and without the rows that judge."""
    data = methods.data
    found = data.project.compare(data.task, methods.run_id, data.gold, seed=methods.seed)
    rows = zip(found.frame["strategy"], found.frame[found.measure], strict=True)
    values = ", ".join(f"{name} {value:.3f}" for name, value in rows)
    return f"`compare` said on gold, in {found.measure}: {values}"


def judge_in_parts(data: DataSet, seeds: Sequence[int], say: Say) -> Table:
    """A set without rows to spare: gold in parts, each judged by what the other parts chose; then the mean.

    Args:
        data: the set; all its gold judges.
        seeds: a division into PARTS parts and a choice of everything for each.
        say: gets what a person should see.
    """
    columns, Y = columns_of(data, None), truth(data)
    table = Table(data.name, about(data), [one.title for one in columns])
    begin(table, say)
    found: dict[str, list[Figures]] = {}
    seconds: dict[str, float] = {}
    skipped: dict[str, str] = {}
    chosen: dict[str, Counter[str]] = {}
    Methods(data, seed=0).store_votes()
    for seed in seeds:
        said: dict[str, Outcome] = {}
        for inside, part in in_parts(data, PARTS, seed):
            methods = Methods(part, seed, stored=True)
            for line in methods.lines():
                whole = said.setdefault(line.method, Outcome(np.zeros(Y.shape), np.zeros(Y.shape, np.int8)))
                whole.probs[inside], whole.predicted[inside] = line.said.probs, line.said.predicted
                seconds[line.method] = seconds.get(line.method, 0.0) + line.seconds
                chosen.setdefault(line.method, Counter())[line.remark.partition(" (")[0]] += 1
            skipped |= methods.skipped
        for method, whole in said.items():
            found.setdefault(method, []).append(figures(columns, Y, whole, seed=0))
        say(f"seed {seed}: " + ", ".join(f"{name} {of[-1].main.value:.3f}" for name, of in found.items()))
    for method in (method for method in METHODS if method in found and method not in skipped):
        each, runs = seconds[method] / len(seeds) / PARTS, chosen[method].total()
        most, times = chosen[method].most_common(1)[0]
        table.rows.append(Row(method, mean(found[method]), each, f"{most}: {times} of {runs}"))
        say("  ".join(table.cells(table.rows[-1])))
    table.notes += [f"{name} is left out: {why}" for name, why in skipped.items()]
    table.notes.append(
        f"the mean over the seeds {', '.join(map(str, seeds))}; {PARTS} parts of gold, "
        "each judged by what the others chose"
    )
    end(table, say)
    return table


def command(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Data sets in WRENCH's format.", show_default=False)
    ] = None,
    youtube_spam: Annotated[
        Path | None,
        typer.Option(help="The comments in WRENCH's format, to judge tasks/youtube_spam with its own rules."),
    ] = None,
    example: Annotated[bool, typer.Option(help="Judge the example, in both settings.")] = False,
    judge: Annotated[
        str, typer.Option(help="What judges: test, or a half of valid, and test stays closed.")
    ] = TEST,
    positive: Annotated[
        str | None, typer.Option(help="A class whose F1 is shown too; of two classes, the one looked for.")
    ] = None,
    encoder: Annotated[str, typer.Option(help="Encoder of the texts.")] = ENCODER,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds the example's figures are the mean of.")
    ] = 5,
    to: Annotated[Path | None, typer.Option(help="Write the page here, and its picture beside it.")] = None,
) -> None:
    """Judge every method on data sets in WRENCH's format and on the example, through tables."""
    if judge not in (TEST, VALID):
        raise typer.BadParameter(f"{judge!r} is no split that can judge; expected {TEST} or {VALID}")
    sets: list[partial[DataSet]] = [
        *(
            partial(wrench_set, folder, judge=judge, encoder=encoder, positive=positive)
            for folder in folders or []
        ),
        *([partial(youtube_spam_set, youtube_spam, judge=judge)] if youtube_spam else []),
        *(partial(example_set, setting=setting) for setting in (PROBLEM_TYPES if example else ())),
    ]
    if not sets:
        raise typer.BadParameter("nothing to judge; name folders, --youtube-spam or --example")
    console, tables, start = output(), [], time.perf_counter()
    judges = judge if judge == TEST else "a half of valid"
    typed = shlex.join(["python", "-m", "benchmarks.quality", *sys.argv[1:]])
    for make in sets:
        with tempfile.TemporaryDirectory() as folder:
            data = make(home=Path(folder) / "project")
            with data.project:
                tables.append(
                    judge_in_parts(data, range(seeds), console.print)
                    if data.judged is data.gold
                    else judge_set(data, seed, console.print, positive)
                )
        took = time.perf_counter() - start
        said = f"encoder {encoder}, seed {seed}, {judges} judges, {took:.0f} s"
        if to is not None:  # what is there, should a later set fail
            write(tables, to, typed, said)
    console.print(f"\n{said}, {load()}" + (f"\n{to}" if to else ""))


if __name__ == "__main__":
    run_command(command)
