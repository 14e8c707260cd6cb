"""Versions, rolling back, and asking a model why: in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from adaptml import example_project

expect.set_options(timeout=60_000)  # a process starts and imports on a busy machine
HERE = "/tasks/spam/models"
MINUTES = 180_000  # for a job on a busy machine


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small example with two versions, of which the second is the champion in place of the first."""
    folder = tmp_path_factory.mktemp("example") / "project"
    folder.mkdir()
    with example_project(folder) as project:
        labelled = project.label("spam", "comments", gold="task", label_model="majority_vote")
        for algorithm in ("logistic_regression", "knn"):
            done = project.train("spam", labelled, gold="task", algorithm=algorithm)
            project.deploy(done.model_name, by="Ben")
    return folder


def test_try_a_text_and_a_point_and_roll_back(
    page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto(HERE)
    expect(page.locator("#models tbody tr")).to_have_count(2)
    expect(page.locator("#models .chosen")).to_contain_text("by Ben")
    assert page.locator("#models .scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    page.get_by_label("Version", exact=True).select_option("1")
    text = page.get_by_label("text", exact=True)
    expect(page.get_by_label("Version", exact=True)).to_have_value("1")
    text.fill("Subscribe to my <b>channel</b>")
    page.get_by_role("button", name="Ask").click()
    answer = page.locator("#answer")
    expect(answer.get_by_role("heading", name="Version 1 says: spam")).to_be_visible()
    expect(answer).to_contain_text("log-odds of spam against ham")
    expect(answer.get_by_role("row", name=re.compile("^subscribe"))).to_contain_text("+")
    expect(answer.get_by_role("row").filter(has_text="comments/s0")).to_contain_text("label model")
    expect(answer).to_contain_text("rules vote")
    expect(page.get_by_label("text", exact=True)).to_have_value("Subscribe to my <b>channel</b>")
    assert_accessible(page)
    shot(page, "models", full_page=True)
    page.get_by_label("Version", exact=True).select_option("2")
    expect(page.get_by_label("Version", exact=True)).to_have_value("2")
    page.get_by_label("text", exact=True).fill("")
    page.get_by_label("Id", exact=True).fill("s3")
    page.get_by_role("button", name="Ask").click()
    expect(answer).to_contain_text("No weights of words for knn")
    expect(answer).to_contain_text("curl -s http://127.0.0.1:8000/predict_multiclass_spam")
    expect(answer.get_by_role("row", name=re.compile("^subscribe"))).to_contain_text("spam")
    page.get_by_role("link", name="Roll back to version 1").click()
    expect(page.get_by_role("table")).to_contain_text("Version 2, the champion")
    assert_accessible(page)
    shot(page, "deploy", full_page=True)
    page.get_by_role("button", name="Deploy version 1").click()
    page.wait_for_url(re.compile(r"/jobs/1$"))
    expect(page.locator("#panel")).to_contain_text("done", timeout=MINUTES)
    page.goto(HERE)
    expect(page.locator("#models .chosen")).to_contain_text("by Ana")
    expect(page.get_by_role("link", name="Roll back to version 2")).to_be_visible()
    page.goto(f"{HERE}?model=multiclass_spam&version=1&table=comments&id=nobody")
    expect(page.locator("#answer .error")).to_contain_text("nobody")
    page.said.clear()  # type: ignore[attr-defined] # the browser's word on status 404
