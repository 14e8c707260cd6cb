"""Words, rules and vectors in ten languages, on translated manual pages: the figures of `docs/languages.md`.

    python -m benchmarks.languages FOLDER [--only de,fr] [--to docs/languages.md]

FOLDER is `usr/share/man` of unpacked packages with translated manual pages; nothing is downloaded here. The
text is what a page says of itself in a line and its first paragraph, the class whether it is about a program,
a function or something else: its section knows. Of each language at most MOST pages are drawn; six tenths of
them are labelled by rules, two tenths are gold, two tenths judge.
"""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer

from adaptml.bootstrap import interval
from adaptml.cli.support import output, run_command
from adaptml.errors import FileError
from adaptml.files import write_text
from adaptml.labelled import GOLD_LABEL
from adaptml.tasks import Task, indicator
from benchmarks.language_rules import RULES, keywords
from benchmarks.man_pages import SECTIONS, read_pages, split
from benchmarks.quality_figures import Figures, figures, metrics
from benchmarks.quality_methods import BOTH, CONSTANT, GOLD_ALONE, LABEL_MODEL, STRATEGIES, WEAK, Methods
from benchmarks.quality_page import load
from benchmarks.quality_sets import DataSet, new_project
from benchmarks.wrench_format import TEXT
from dataprogramming.keyword_lfs import keyword_lf

MOST = 600  # pages a language, so that all ten take minutes
ENCODERS = ("hashing", "hybrid")
FIGURES = re.compile(r"(<!-- figures: .* -->\n).*(<!-- end of figures -->)", re.DOTALL)


@dataclass(frozen=True)
class Words:
    """How keywords are found.

    Attributes:
        covered: share of pages on which at least one rule votes.
        right: share of the rules' votes that are right.
    """

    covered: float
    right: float

    def __str__(self) -> str:
        return f"{self.covered:.0%}, {self.right:.0%}"


@dataclass(frozen=True)
class Language:
    """What was found in one language.

    Attributes:
        code: ISO code.
        sizes: pages to label, of gold, that judge.
        written: keywords looked for as they are written.
        lemmas: the same by their lemmas.
        found: method, and for end models its encoder → figures of the pages that judge.
    """

    code: str
    sizes: tuple[int, int, int]
    written: Words
    lemmas: Words
    found: Mapping[tuple[str, str], Figures]


def task_of(language: str, *, exact: bool = False) -> Task:
    """The task in one language: keyword rules over the text, vectors of both encoders."""
    made = [
        keyword_lf(name, words, label, TEXT, exact=exact)
        for name, (label, words) in keywords(language).items()
    ]
    return Task.model_validate(
        {
            "name": f"pages_{language}",
            "classes": [*SECTIONS],
            "language": language,
            "columns": [{"name": TEXT}],
            "lf_features": [TEXT],
            "features": [f"by_{ENCODERS[0]}"],
            "featurize": [{"text": TEXT, "vector": f"by_{name}", "encoder": name} for name in ENCODERS],
            "lfs": made,
        }
    )


def judge_language(folder: Path, language: str, home: Path, seed: int) -> Language:
    """All figures of one language.

    Args:
        folder: `usr/share/man`.
        language: one of RULES.
        home: an empty folder for the project.
        seed: of all random choices.
    """
    pages, task = drawn(read_pages(folder, language), seed), task_of(language)
    part = split(pages)
    with new_project(home) as project:
        for name, rows in pages.groupby(part):
            project.import_table(rows[["id", TEXT]], str(name))
            project.featurize(task, str(name))
        gold, judged = (_gold(pages[part == name], name) for name in ("gold", "test"))
        data = DataSet(language, project, task, "train", gold, judged)
        written = _words(replace(data, task=task_of(language, exact=True)), pages, part)
        lemmas = _words(data, pages, part)
        found = _figures(data, seed)
    sizes = tuple(int((part == name).sum()) for name in ("train", "gold", "test"))
    return Language(language, (sizes[0], sizes[1], sizes[2]), written, lemmas, found)


def drawn(pages: pd.DataFrame, seed: int) -> pd.DataFrame:
    """At most MOST of the pages, in their order."""
    return pages if len(pages) <= MOST else pages.sample(MOST, random_state=seed).sort_index()


def _gold(pages: pd.DataFrame, table: str) -> pd.DataFrame:
    labels = [[label] for label in pages["label"]]
    return pd.DataFrame({"table_name": table, "id": pages["id"].to_numpy(), GOLD_LABEL: labels})


def _words(data: DataSet, pages: pd.DataFrame, part: pd.Series) -> Words:
    """How the rules' keywords are found on the pages that are to be labelled."""
    votes = data.project.apply_lfs(data.task, data.train, gold=None)
    known = pages[part == "train"].set_index("id")["label"]
    truth = np.array([data.task.class_names.index(known[one]) for one in votes.keys["id"]])
    return words_of(votes.L, truth)


def words_of(L: npt.NDArray[np.int8], truth: npt.NDArray[np.int64]) -> Words:
    """Coverage and precision of votes.

    Args:
        L: votes (n, m), -1 abstains.
        truth: number of each row's class (n,).

    >>> words_of(np.array([[0, 1], [-1, -1]], np.int8), np.array([0, 1]))
    Words(covered=0.5, right=0.5)
    """
    cast = L >= 0
    right = float((truth[:, None] == L)[cast].mean()) if cast.any() else float("nan")
    return Words(float(cast.any(axis=1).mean()), right)


def _figures(data: DataSet, seed: int) -> dict[tuple[str, str], Figures]:
    columns = metrics(data.task.problem)
    Y = indicator([*data.judged[GOLD_LABEL]], data.task.class_names)
    methods = Methods(data, seed)
    lines = {(CONSTANT, ""): methods.line(CONSTANT, methods.constant)}
    lines[LABEL_MODEL, ""] = methods.line(LABEL_MODEL, partial(methods.label_model, None))
    for encoder in ENCODERS:
        task = data.task.model_copy(update={"features": (f"by_{encoder}",)})
        learned = replace(methods, data=replace(data, task=task))
        for method, strategy in STRATEGIES.items():
            lines[method, encoder] = learned.line(method, partial(learned.end_model, strategy))
    return {key: figures(columns, Y, line.said, seed) for key, found in lines.items() for line in found}


def words_table(languages: Iterable[Language]) -> list[str]:
    """A line a language: how keywords are found."""
    lines = ["| language | pages | as they are written | by their lemmas |", "| --- | ---: | ---: | ---: |"]
    return [
        *lines,
        *(f"| `{one.code}` | {sum(one.sizes)} | {one.written} | {one.lemmas} |" for one in languages),
    ]


def models_table(languages: Iterable[Language], title: str) -> list[str]:
    """A line a language: one figure of each method.

    Args:
        languages: what was found.
        title: which figure, such as `accuracy`.
    """
    heads = ["language", "judged on", CONSTANT, LABEL_MODEL]
    heads += [f"{method}, `{encoder}`" for encoder in ENCODERS for method in (GOLD_ALONE, WEAK, BOTH)]
    lines = ["| " + " | ".join([*heads, "`hybrid` against `hashing`"]) + " |"]
    lines.append("| --- |" + " ---: |" * len(heads))
    for one in languages:
        found = [one.found.get(key) for key in _keys()]
        shown = ["–" if figure is None else f"{figure.by_title[title].value:.3f}" for figure in found]
        cells = [f"`{one.code}`", str(one.sizes[2]), *shown, _gain(one, title)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _gain(one: Language, title: str) -> str:
    """By how much `both` is better with the second encoder than with the first."""
    first, second = (one.found.get((BOTH, encoder)) for encoder in ENCODERS)
    if first is None or second is None:
        return "–"
    was, now = first.by_title[title], second.by_title[title]
    low, high = interval(now.draws - was.draws)
    return f"{now.value - was.value:+.3f} ({low:+.3f} to {high:+.3f})"


def _keys() -> list[tuple[str, str]]:
    models = [(method, encoder) for encoder in ENCODERS for method in (GOLD_ALONE, WEAK, BOTH)]
    return [(CONSTANT, ""), (LABEL_MODEL, ""), *models]


def chapter(languages: Sequence[Language]) -> str:
    """The tables as the page shows them."""
    titles = [one.title for one in metrics(task_of(languages[0].code).problem)]
    made = f"Made on {datetime.now(UTC).date()}, {load()} at the end."
    parts = [[made, "", "Keywords found: pages with a vote, and votes that are right:", ""]]
    parts.append(words_table(languages))
    for title in titles:
        parts.append(["", f"{title[0].upper()}{title[1:]} on the pages that judge:", ""])
        parts.append(models_table(languages, title))
    return "\n".join(line for part in parts for line in part) + "\n"


def put(text: str, to: Path) -> None:
    """Put the tables into a page, in place of those that it has.

    Raises:
        FileError: a page without the two comments between which the tables stand.
    """
    page = to.read_text(encoding="utf-8")
    if not FIGURES.search(page):
        raise FileError(
            f"{to} has no place for figures; expected <!-- figures: … --> and <!-- end of figures -->"
        )
    write_text(FIGURES.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page), to)


def command(
    folder: Annotated[Path, typer.Argument(help="usr/share/man of unpacked packages.")],
    only: Annotated[str, typer.Option(help="ISO codes, with commas between; default: all ten.")] = ",".join(
        RULES
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
    to: Annotated[Path | None, typer.Option(help="Put the tables into this page.")] = None,
) -> None:
    """Measure words, rules and vectors in ten languages on translated manual pages."""
    unknown = sorted(set(only.split(",")) - set(RULES))
    if unknown:
        raise typer.BadParameter(f"no rules for {', '.join(unknown)}; expected some of {', '.join(RULES)}")
    console, languages = output(), []
    for language in only.split(","):
        with tempfile.TemporaryDirectory() as home:
            languages.append(judge_language(folder, language, Path(home) / "project", seed))
        console.print(
            "\n".join(words_table(languages[-1:])[2:] + models_table(languages[-1:], "accuracy")[2:])
        )
    console.print(f"\n{chapter(languages)}")
    if to is not None:
        put(chapter(languages), to)


if __name__ == "__main__":
    run_command(command)
