"""Run everything, look at what it found, deploy it, ask it why: in a real browser."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Route, expect
from portal_server import Portal

from adaptml.project import Project
from portal.jobs import JobStore

expect.set_options(timeout=60_000)  # a process starts and imports on a busy machine
HERE = "/tasks/spam/runs"
MINUTES = 180_000  # for a job on a busy machine


def test_run_everything_then_its_result_then_deploying(
    page: Page, project: Project, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto(HERE)
    expect(page.locator("#runs")).to_contain_text("No run yet")
    page.get_by_label("Data points", exact=True).select_option("comments")
    page.get_by_role("button", name="Run everything").click()
    page.wait_for_url(re.compile(r"/jobs/1$"))
    expect(page.locator("#log")).to_contain_text(re.compile(r"label\s+done"), timeout=MINUTES)
    shot(page, "job_running")
    page.goto(HERE)
    expect(page.get_by_text("can be deployed")).to_be_visible(timeout=MINUTES)
    steps = page.locator("#everything tbody tr")
    assert steps.locator("th").all_inner_texts() == [
        "check",
        "featurize",
        "label",
        "train",
        "compare",
        "deploy",
    ]
    assert len(steps.nth(2).locator("code").all_inner_texts()) == 2  # EXP_ID and RUN_ID
    page.reload()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    assert_accessible(page)
    shot(page, "runs", full_page=True)
    page.locator("#everything").get_by_role("link", name="train").click()
    expect(page.get_by_role("heading", name="Against gold")).to_be_visible()
    expect(page.get_by_text("EXP_ID")).to_be_visible()
    expect(page.locator("#rows")).not_to_contain_text("Reading")
    assert_accessible(page)
    shot(page, "result", full_page=True)
    page.get_by_role("link", name="deploy…").click()
    expect(page.get_by_text("this is the first")).to_be_visible()
    page.get_by_role("button", name="Deploy version 1").click()
    page.wait_for_url(re.compile(r"/jobs/2$"))
    expect(page.locator("#panel")).to_contain_text("done", timeout=MINUTES)
    page.goto("/tasks/spam/models")
    row = page.locator("#models tbody tr")
    expect(row).to_contain_text("champion")
    expect(row).to_contain_text("by Ana")


@pytest.fixture
def labelled(project: Project) -> tuple[str, str]:
    """Two label runs."""
    models = ("majority_vote", "weighted_vote")
    first, second = (
        project.label("spam", "comments", gold="task", label_model=name).run_id for name in models
    )
    return first, second


def test_rows_that_come_late_do_not_replace_those_asked_for_since(
    page: Page, labelled: tuple[str, str]
) -> None:
    late: list[Route] = []
    page.route(
        re.compile(r"/rows(\?|$)"),
        lambda route: route.continue_() if "cell" in route.request.url else late.append(route),
    )
    page.goto(f"{HERE}/{labelled[0]}")
    expect(page.locator("#rows")).to_contain_text("Reading")
    page.get_by_role("row").filter(has_text=re.compile("^spam")).first.get_by_role("link").first.click()
    expect(page.locator("#rows")).to_contain_text("gold spam, label ham: 1 to 2 of 2")
    for route in late:
        with suppress(Error):  # it was given up
            route.continue_()
    page.wait_for_timeout(1000)
    expect(page.locator("#rows")).to_contain_text("gold spam, label ham: 1 to 2 of 2")
    expect(page.locator("#said")).to_be_empty()
    assert len(late) == 1


def test_what_runs_found_and_how_they_differ(
    page: Page,
    project: Project,
    labelled: tuple[str, str],
    assert_accessible: Callable[[Page], None],
    shot: Callable[..., None],
) -> None:
    page.goto(f"{HERE}/{labelled[0]}")
    page.get_by_role("row").filter(has_text=re.compile("^spam")).first.get_by_role("link").first.click()
    rows = page.locator("#rows")
    expect(rows).to_contain_text("gold spam, label ham: 1 to 2 of 2")
    assert sorted(rows.locator("tbody .text").all_inner_texts()) == [
        "Check my channel for free songs", "My cover is better, check it out",
    ]  # fmt: skip
    assert "rows=cell&gold=spam&label=ham" in page.url
    page.reload()
    expect(rows).to_contain_text("gold spam, label ham: 1 to 2 of 2")
    expect(page.get_by_role("img", name="Reliability diagram", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Reliability diagram of spam")).to_be_visible()
    expect(page.get_by_role("region", name="Probabilities of each class")).to_contain_text("too few to judge")
    page.goto(HERE)
    for run in labelled:
        page.get_by_label(f"Compare the label run {run[:8]}").check()
    page.get_by_role("button", name="Put two beside each other").click()
    difference = page.locator("#difference")
    expect(difference).to_contain_text("on the 12 gold points of both")
    expect(difference.get_by_role("row").filter(has_text="label_model_used")).to_contain_text("weighted_vote")
    expect(difference.get_by_role("row").filter(has_text="subscribe")).to_be_visible()
    assert_accessible(page)
    shot(page, "beside", full_page=True)
    done = project.compare("spam", labelled[0])
    page.goto(f"{HERE}/{done.run_id}")
    expect(page.locator("#result .note")).to_have_text(done.sentence)
    expect(page.get_by_role("img", name="F1 of spam on gold that was not seen")).to_be_visible()


def test_a_form_shows_what_holds_and_keeps_what_was_typed(
    page: Page, labelled: tuple[str, str], portal: Portal, assert_accessible: Callable[[Page], None]
) -> None:
    page.goto(f"{HERE}/new?step=train")
    page.get_by_label("Algorithm", exact=True).select_option("knn")
    page.get_by_text("More settings").click()
    expect(page.get_by_label("n_neighbors")).to_have_value("10")
    page.get_by_label("n_neighbors").fill("3")
    page.get_by_label("Seed", exact=True).fill("x")
    assert_accessible(page)
    page.said.clear()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("'x' is no whole number")).to_be_visible()
    expect(page.get_by_label("n_neighbors")).to_have_value("3")
    page.said.clear()  # type: ignore[attr-defined] # the browser's word on status 422
    page.get_by_label("Seed", exact=True).fill("1")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/jobs/1$"))
    words = JobStore(portal.project.settings.home).get(1).argv
    assert sorted(words) == sorted(
        ["train", f"--data={labelled[1]}", "--gold=task", "--algorithm=knn", "--n-neighbors=3", "--seed=1", "--", "spam"]
    )  # fmt: skip


def test_mlflow_away_is_one_line_and_the_rest_goes_on(page: Page, project: Project) -> None:
    (project.settings.home / "mlflow.db").unlink(missing_ok=True)
    (project.settings.home / "mlflow.db").mkdir()
    page.goto(HERE)
    expect(page.locator("#runs .error")).to_contain_text("MLflow at sqlite:///")
    expect(page.locator("#runs .error")).to_have_count(1)
    expect(page.get_by_role("button", name="Run everything")).to_be_enabled()
    page.goto("/tasks/spam/models")
    expect(page.locator("#models .error")).to_contain_text("MLflow at sqlite:///")
    page.said.clear()  # type: ignore[attr-defined] # the browser's word on status 503
