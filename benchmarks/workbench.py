"""How long a save takes on the page of rules: from the keystroke to the repainted table.

    python -m benchmarks.workbench                  # 50 rules, a sample of 2,000 of 10,000 rows, 30 saves
    python -m benchmarks.workbench --rows 1000000

Makes a project in a temporary folder, starts `adaptml ui` on it, and types into a real browser (Chromium,
which has to be installed): every save changes one rule of 50, half of which are keywords and half Python.
CPU seconds are those of the page's processes, without the browser's, beside Snorkel's applier with the same
rules on as many rows, which is what a notebook's cell would do again. The note's times are those that the
browser measures; on a busy machine they say little.
"""

import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import psutil
import typer
from playwright.sync_api import Page, sync_playwright

from adaptml.project import Project
from benchmarks.form import Json, Measured, Rows, report
from benchmarks.measuring import Cost

RULES, WORDS, CLASSES, SAMPLE = 50, 3_000, "abcd", 2_000
ABOUT = (
    "A save on the page of rules, from the keystroke to the repainted table: one rule of 50 was changed, the "
    "page shows a sample of 2,000 rows. Beside it, what a notebook does again: all rules on as many rows."
)
TASK = """\
title: Which topic?
setting: multiclass
classes: [{name: a}, {name: b}, {name: c}, {name: d}]
columns: [{name: text, type: text}]
lf_features: [text, tokens, likes]
features: [vector]
featurize: {text: text, lemmas: tokens, vector: vector, encoder: hashing}
"""
# From the keystroke until the browser has painted what came.
TIMED = """() => new Promise((done) => {
  const bench = document.getElementById("bench");
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (bench.hasAttribute("aria-busy")) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
  }).observe(bench, { attributes: true });
  document.querySelector(".cm-content").dispatchEvent(
    new KeyboardEvent("keydown", { key: "s", code: "KeyS", keyCode: 83, ctrlKey: true, bubbles: true }),
  );
})"""


def rules(edit: int) -> str:
    """The file of rules; `edit` changes one of them."""
    functions, made = [], []
    for i in range(RULES // 2):
        above = i + (edit if i == edit % (RULES // 2) else 0)
        functions.append(
            f"    @labeling_function\n    def python{i}(x):\n"
            f'        return "{CLASSES[i % 4]}" if "w{7 * i}" in x.text and x.likes > {above} else None\n'
        )
        made.append(f"python{i}")
        words = f'["w{3 * i}", "w{5 * i + 1}", "w{11 * i + 2}"]'
        made.append(f'keyword_lf("keywords{i}", {words}, "{CLASSES[i % 4]}", "tokens")')
    head = "from adaptml import keyword_lf, labeling_function\n\n\ndef get_lfs(params):\n"
    return head + "\n".join(functions) + "\n    return [\n        " + ",\n        ".join(made) + ",\n    ]\n"


def table(rows: int) -> pd.DataFrame:
    """Texts of made-up words."""
    rng = random.Random(0)
    words = [f"w{i}" for i in range(WORDS)]
    texts = [" ".join(rng.choices(words, k=rng.randint(8, 30))) for _ in range(rows)]
    return pd.DataFrame(
        {"id": [f"p{i}" for i in range(rows)], "text": texts, "likes": [i % 100 for i in range(rows)]}
    )


def make(folder: Path, rows: int) -> None:
    """A project with a table of texts and a task."""
    task = folder / "tasks" / "topic"
    task.mkdir(parents=True)
    (task / "task.yaml").write_text(TASK)
    (task / "lfs.py").write_text(rules(0))
    frame = table(rows)
    with Project(folder) as project:
        project.import_table(frame, "posts")
        project.featurize("topic", "posts")


def in_a_notebook(rows: int) -> Cost:
    """Snorkel's applier with the same rules, once warm."""
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    def plain(i: int) -> LabelingFunction:
        return LabelingFunction(f"p{i}", lambda x: i % 4 if f"w{7 * i}" in x.text and x.likes > i else -1)

    def keywords(i: int) -> LabelingFunction:
        wanted = {f"w{3 * i}", f"w{5 * i + 1}", f"w{11 * i + 2}"}
        return LabelingFunction(f"k{i}", lambda x: -1 if wanted.isdisjoint(x.tokens) else i % 4)

    frame = table(rows)
    frame["tokens"] = [text.split() for text in frame["text"]]
    applier = PandasLFApplier([make(i) for i in range(RULES // 2) for make in (plain, keywords)])
    applier.apply(frame.head(10), progress_bar=False)
    started = time.process_time()
    applier.apply(frame, progress_bar=False)
    return Cost(time.process_time() - started)


def cpu_seconds(process: psutil.Process) -> float:
    """Of a process and all that it started, those that have ended included."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:4]) for one in every)


def save(page: Page, edit: int) -> float:
    """Change a rule and save; seconds until the table is there."""
    event = "text => document.dispatchEvent(new CustomEvent('rules:replace', {detail: text}))"
    page.evaluate(event, rules(edit))
    return float(page.evaluate(TIMED)) / 1000


def measure(link: str, server: psutil.Process, saves: int) -> tuple[list[float], float]:
    """Seconds of each save, and CPU seconds of one."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Chromium is needed: install it, and run this again")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(link)
        page.wait_for_url(lambda url: "/enter" not in url)
        page.goto(f"{link.partition('/enter')[0]}/tasks/topic/rules?bucket=hits&rule=keywords1")
        page.wait_for_selector(".rules-list")
        save(page, 1)
        page.wait_for_timeout(20_000)  # what is read in the background once, such as the last label run
        before = cpu_seconds(server)
        times = [save(page, edit) for edit in range(2, saves + 2)]
        used = (cpu_seconds(server) - before) / saves
        browser.close()
    return times, used


def main(
    rows: Rows = 10_000,
    saves: Annotated[int, typer.Option(min=1, help="How often to save.")] = 30,
    to: Json = None,
) -> None:
    """Measure saves on the page."""
    with report("workbench", ABOUT, to, rows) as found, tempfile.TemporaryDirectory() as scratch:
        folder, seen = Path(scratch), min(rows, SAMPLE)
        make(folder, rows)
        times, used = in_a_browser(folder, saves)
        note = (
            f"in Chromium, of {saves} saves, median {np.median(times):.2f} s, "
            f"95 % {np.quantile(times, 0.95):.2f} s, longest {max(times):.2f} s"
        )
        theirs = in_a_notebook(seen)
        found.add(
            Measured("a save", seen, Cost(used), "Snorkel's PandasLFApplier", theirs, note=note, readme=True)
        )


def in_a_browser(folder: Path, saves: int) -> tuple[list[float], float]:
    """Start the page on a project; see `measure`."""
    words = [sys.executable, "-m", "adaptml.cli", "ui", "--port", "0", "--no-browser"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            link = next(found[0] for line in server.stdout if (found := re.search(r"http\S+", line)))
            return measure(link, psutil.Process(server.pid), saves)
        finally:
            server.terminate()


if __name__ == "__main__":
    typer.run(main)
