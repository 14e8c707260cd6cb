"""Draw the five figures of the example: data table, annotation, label, train, serve.

    ADAPTML_HOME=workspace python -m graphics.example_figures

Everything is read from the home folder of a `make demo`. It predicts the example's table once more, with
`--write`, and asks the service. It needs Chromium; CHROMIUM names its program where that is not
/usr/bin/chromium.
"""

import os
from pathlib import Path

import typer
from playwright.sync_api import sync_playwright

from adaptml.cli.support import run_command
from example_data.demo import home_of_settings, use_local_parts
from graphics.example_panels import FIGURES, Example
from graphics.figure_page import page, picture
from graphics.screenshots import CHROMIUM, CHROMIUM_OPTIONS

FOLDER = Path(__file__).resolve().parent


def command() -> None:
    """Draw the five figures of the example; run `make demo` first."""
    example = Example(use_local_parts(home_of_settings().resolve()))
    program = os.environ.get("CHROMIUM", CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        for name, (title, panels) in FIGURES.items():
            path = FOLDER / f"{name}.png"
            picture(browser, page(title, panels(example)), path)
            typer.echo(str(path))
        browser.close()


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)
