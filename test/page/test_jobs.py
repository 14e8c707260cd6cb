"""A job in a browser: its progress and its log as they come, a reload in the middle, cancel, the page killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from portal_server import Portal

from adaptml.listening import listen
from adaptml.project import Project
from portal.jobs import JobStore
from portal.jobs.embedded import ensure_worker
from portal.jobs.steps import ROOMS, order

# Rules that tell how far they are, line by line, and end when the test says so.
SLOW = """
import pathlib, time
from adaptml import keyword_lf
n, here = 0, pathlib.Path(__file__).parent
print("<script>document.title = 'bad'</script>", flush=True)
while not (here / "go").exists():
    n += 1
    print(f"line {n}", flush=True)
    time.sleep(0.1)

def get_lfs(params):
    return [keyword_lf("greeting", ["hello", "check"], "spam", "text")]
"""


@pytest.fixture
def slow(project: Project) -> Iterator[Path]:
    """The file whose being there lets the rules end."""
    folder = project.settings.tasks_dir / "spam"
    (folder / "lfs.py").write_text(SLOW)
    yield folder / "go"
    (folder / "go").touch()


def started(project: Project) -> int:
    """The number of a job that loads the slow rules, with a worker that does it."""
    made = JobStore(project.settings.home).start(order("task check", "spam"), "Ana")
    ensure_worker(project)
    return made.id


def lines(page: Page) -> list[str]:
    return [line for line in page.locator("#log").inner_text().splitlines() if line.startswith("line ")]


def test_a_job_is_followed_through_a_reload_to_its_end(
    page: Page,
    project: Project,
    slow: Path,
    assert_accessible: Callable[[Page], None],
) -> None:
    page.goto(f"/jobs/{started(project)}")
    expect(page.locator("#log")).to_contain_text("line 5")
    expect(page.locator("#log")).to_contain_text("<script>")
    expect(page.locator("#panel .badge")).to_have_text("running")
    page.reload()
    expect(page.locator("#log")).to_contain_text(f"line {len(lines(page)) + 5}")
    assert_accessible(page)
    slow.touch()
    expect(page.locator("#panel .badge")).to_have_text("done")
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    seen = lines(page)
    assert seen == [f"line {n}" for n in range(1, len(seen) + 1)], "each line once, in order"
    assert_accessible(page)
    page.get_by_role("link", name="Jobs of spam").click()
    expect(page.locator("table.jobs tbody tr")).to_have_count(1)
    assert_accessible(page)


def test_a_log_is_followed_also_where_a_script_of_the_page_comes_late(
    page: Page, project: Project, slow: Path
) -> None:
    def late(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    page.route("**/hx-sse.js", late)
    page.goto(f"/jobs/{started(project)}")
    expect(page.locator("#log")).to_contain_text("line 5")


def test_a_job_is_cancelled_and_run_again(page: Page, project: Project, slow: Path) -> None:
    page.goto(f"/jobs/{started(project)}")
    expect(page.locator("#log")).to_contain_text("line 1")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#panel .badge")).to_have_text("cancelled")
    slow.touch()
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("h1")).to_have_text("Job 2: task check spam")
    expect(page.locator("#panel .badge")).to_have_text("done")


def test_the_list_follows_what_runs(page: Page, project: Project, shot: Callable[..., None]) -> None:
    store = JobStore(project.settings.home)
    store.start(["label", "--", "spam"], "Ana")
    store.start(["train", "--", "spam"], "Ben")
    page.goto("/jobs")
    expect(page.locator("tbody tr").first).to_contain_text("waits for job 1")
    store.claim("w", ROOMS)
    store.finish(1, "w", "failed", "no table 'comments'")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("no table 'comments'")
    expect(page.locator("tbody tr").first).to_contain_text("waiting")
    shot(page, "jobs")
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    store.cancel(2)


def served(project: Project, port: int) -> subprocess.Popen[str]:
    """`adaptml ui` as people start it, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "adaptml.cli", "ui", "--no-browser", "--port", str(port)],
        env=os.environ | {"ADAPTML_ROOT": str(project.settings.root)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("open http://127.0.0.1:")
    return process


def test_a_job_outlives_the_page_that_is_killed(
    context: BrowserContext, portal: Portal, project: Project, slow: Path
) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    first = served(project, port)
    tab = context.new_page()  # no fixture that watches its console: the page goes away
    number = started(project)
    tab.goto(f"http://127.0.0.1:{port}/jobs/{number}")
    expect(tab.locator("#log")).to_contain_text("line 3")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert JobStore(project.settings.home).get(number).state == "running"
    second = served(project, port)
    try:
        expect(tab.locator("#log")).to_contain_text(f"line {len(lines(tab)) + 10}")  # it came back by itself
        slow.touch()
        expect(tab.locator("#panel .badge")).to_have_text("done")
        seen = lines(tab)
        assert seen == [f"line {n}" for n in range(1, len(seen) + 1)]
    finally:
        second.send_signal(signal.SIGTERM)
        second.communicate()
    assert second.returncode == 0
