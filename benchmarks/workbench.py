"""How long a save takes on the page of rules: from the keystroke to the repainted table.

    python benchmarks/workbench.py                  # 50 rules, a sample of 2,000 of 10,000 rows, 30 saves
    python benchmarks/workbench.py --rows 1000000

Makes a project in a temporary folder, starts `adaptml ui` on it, and types into a real browser (Chromium,
which has to be installed): every save changes one rule of 50, half of which are keywords and half Python.
Times are those that the browser measures; CPU seconds are those of the page's processes, without the
browser's. On a busy machine only the latter say something: the load is printed beside them.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import psutil  # type: ignore[import-untyped]
import typer
from playwright.sync_api import Page, sync_playwright

from adaptml.project import Project

RULES, WORDS, CLASSES = 50, 3_000, "abcd"
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


def make(folder: Path, rows: int) -> None:
    """A project with a table of texts and a task."""
    task = folder / "tasks" / "topic"
    task.mkdir(parents=True)
    (task / "task.yaml").write_text(TASK)
    (task / "lfs.py").write_text(rules(0))
    rng = random.Random(0)
    words = [f"w{i}" for i in range(WORDS)]
    texts = [" ".join(rng.choices(words, k=rng.randint(8, 30))) for _ in range(rows)]
    frame = pd.DataFrame(
        {"id": [f"p{i}" for i in range(rows)], "text": texts, "likes": [i % 100 for i in range(rows)]}
    )
    with Project(folder) as project:
        project.import_table(frame, "posts")
        project.featurize("topic", "posts")


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
    rows: Annotated[int, typer.Option(help="Rows of the table.")] = 10_000,
    saves: Annotated[int, typer.Option(help="How often to save.")] = 30,
) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make(folder, rows)
        command = [sys.executable, "-m", "adaptml.cli", "ui", "--port", "0", "--no-browser"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            link = next(found[0] for line in server.stdout if (found := re.search(r"http\S+", line)))
            try:
                times, used = measure(link, psutil.Process(server.pid), saves)
            finally:
                server.terminate()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    machine = f"{os.cpu_count()} cores, load {load}"
    print(f"{RULES} rules, {min(rows, 2000):,} of {rows:,} rows, {saves} saves; {machine}")
    print(
        f"median {np.median(times):.2f} s, 95 % {np.quantile(times, 0.95):.2f} s, longest {max(times):.2f} s"
    )
    print(f"CPU of a save {used:.2f} s")


if __name__ == "__main__":
    typer.run(main)
