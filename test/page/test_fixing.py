"""What to fix next in a real browser: from the list to its points, and to people."""

import re
from collections.abc import Callable

from kept_to_fix import keep_to_fix
from playwright.sync_api import Page, expect

from adaptml.project import Project
from portal.jobs import JobStore


def test_what_looks_wrong_is_opened_and_sent(
    page: Page, project: Project, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    keep_to_fix(project)
    page.goto("/tasks/spam/runs")
    page.get_by_role("link", name="Fix next").click()
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("gives ham 0.98, spam 0.02")
    assert_accessible(page)
    shot(page, "fix_next", full_page=True)
    page.get_by_role("link", name="near-duplicate of gold points").click()
    expect(rows).to_contain_text("comments/h0")
    page.reload()
    expect(rows).to_contain_text("comments/h0")
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)
    page.get_by_role("link", name="comments/h6").click()
    page.wait_for_url(re.compile(r"/data/comments/points/h6\?task=spam"))
    page.go_back()
    page.get_by_role("button", name="Send those ticked to Label Studio").click()
    page.wait_for_url(re.compile(r"/jobs/1$"))
    assert "--sampling=suspicious" in JobStore(project.settings.home).get(1).argv
