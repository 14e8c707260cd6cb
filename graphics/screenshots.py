"""Take the pictures of the README from a champion's runs: MLflow, Swagger UI, a report.

    ADAPTML_HOME=workspace/demo python graphics/screenshots.py

Run it after `make demo`, with the home folder that the demo names. It needs Chromium; CHROMIUM names its
program where that is not /usr/bin/chromium.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from mlflow.exceptions import MlflowException
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from adaptml.cli.support import run_command
from adaptml.errors import TrackingError
from adaptml.project import Project
from adaptml.runs.artifacts import REPORT
from adaptml.runs.registry import CHAMPION

FOLDER = Path(__file__).resolve().parent
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH, HEIGHT, SCALE = 1280, 860, 1.25
START_TIMEOUT_S = 90
PAGE_TIMEOUT_MS = 30_000
SETTLE_MS = 2_000  # what a page still draws when its last text has come


def screenshots(model: str) -> list[Path]:
    """Write mlflow_run.png, swagger_ui.png and report.png beside this file.

    Args:
        model: registered end model whose champion is shown.

    Raises:
        TrackingError: there is no such champion, it was not trained on a run of `label`, or a server does not
            start.
    """
    run_id, experiment_id = _champion_run(model)
    program = os.environ.get("CHROMIUM", CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        with _mlflow_server() as address:
            run = _mlflow_run(browser, f"{address}/#/experiments/{experiment_id}/runs/{run_id}")
        with _prediction_service() as address:
            swagger = _swagger_ui(browser, f"{address}/docs", model)
        report = _report(browser, run_id)
        browser.close()
    return [run, swagger, report]


def _champion_run(model: str) -> tuple[str, str]:
    """Run and experiment of the version that is the champion."""
    client = Project().runs.client
    try:
        run = client.get_run(str(client.get_model_version_by_alias(model, CHAMPION).run_id))
    except MlflowException as error:
        raise TrackingError(f"{model} has no champion: run `make demo`, or train and deploy it") from error
    return run.info.run_id, run.info.experiment_id


def _mlflow_run(browser: Browser, address: str) -> Path:
    """The run's parameters and metrics, without the panels that MLflow opens at a first visit."""
    page = _page(browser, address)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Model training").click()
    page.goto(address)
    page.get_by_text("Parameters", exact=False).first.wait_for()
    return _picture(page, "mlflow_run.png", {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})


def _swagger_ui(browser: Browser, address: str, model: str) -> Path:
    """The model's endpoint with the request that its documentation offers, and the answer to it."""
    page = _page(browser, address)
    operation = page.locator(".opblock", has=page.locator(f'[data-path="/predict_{model}"]'))
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    request = operation.locator("textarea")
    request.evaluate("area => { area.style.minHeight = 0; area.style.height = `${area.scrollHeight}px`; }")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .highlight-code").first
    answer.wait_for()
    page.evaluate("scrollTo(0, 0)")  # a click scrolled; places are counted from the window's edge
    top, bottom = operation.bounding_box(), answer.bounding_box()
    if top is None or bottom is None:
        raise TrackingError(f"{address} shows no answer of {model}; see that `adaptml serve` answers")
    height = bottom["y"] + bottom["height"] - top["y"]
    return _picture(
        page, "swagger_ui.png", {"x": 0, "y": top["y"] - 10, "width": WIDTH, "height": height + 10}
    )


def _report(browser: Browser, train_run: str) -> Path:
    """The page of the label run that the champion learned from."""
    runs = Project().runs
    label_run = runs.get(train_run).data.params["train_data"]
    with tempfile.TemporaryDirectory() as scratch:
        path = runs.artifact(label_run, REPORT, Path(scratch))
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
        page = context.new_page()
        page.goto(path.as_uri())
        return _picture(page, "report.png", {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})


def _page(browser: Browser, address: str) -> Page:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
    context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
    page = context.new_page()
    page.set_default_timeout(PAGE_TIMEOUT_MS)
    page.goto(address, wait_until="load")
    return page


def _picture(page: Page, name: str, clip: FloatRect) -> Path:
    path = FOLDER / name
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=path, animations="disabled", full_page=True, clip=clip)
    page.context.close()
    return path


@contextmanager
def _mlflow_server() -> Iterator[str]:
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    store = Project().settings.tracking_uri
    if store.startswith("http"):
        yield store
        return
    subprocess.run(["make", ".mlflow/.installed"], cwd=FOLDER.parent, check=True)
    options = ["--backend-store-uri", store, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with _server([".mlflow/bin/mlflow", "server", *options], f"{address}/health"):
        yield address


@contextmanager
def _prediction_service() -> Iterator[str]:
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    with _server([sys.executable, "-m", "modelling.serve", "--port", str(port)], f"{address}/health"):
        yield address


@contextmanager
def _server(arguments: list[str], health: str) -> Iterator[None]:
    """A server in a process group of its own, from its first healthy answer until the block ends."""
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            arguments,
            cwd=FOLDER.parent,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _answers(process, health):
                output.seek(0)
                raise TrackingError(f"{' '.join(arguments)} did not start: {output.read()[-2000:]}")
            yield
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _answers(process: subprocess.Popen[bytes], health: str) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(health, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def command(
    model: Annotated[str, typer.Argument(help="Registered end model to show.")] = "multiclass_example",
) -> None:
    """Take the pictures of the README from a champion's run; run `make demo` first."""
    for path in screenshots(model):
        typer.echo(str(path))


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)
