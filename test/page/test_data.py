"""The data page in a browser: looking through a table, a region of the map, a database that goes and comes back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from portal_server import Portal

expect.set_options(timeout=30_000)  # the machine may be busy, and a question's process takes seconds to start


def test_a_table_is_looked_through(
    page: Page, portal: Portal, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    portal.project.label("spam", "comments", gold="task", label_model="majority_vote", write=True)
    page.goto("/tasks/spam/data")
    expect(page).to_have_url(f"{portal.url}/data/comments?task=spam")
    rows = page.locator("table.rows tbody tr")
    expect(rows).to_have_count(24)
    expect(page.locator("#count")).to_contain_text("24 rows")
    page.get_by_label("Search", exact=True).fill("song")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(6)
    page.get_by_text("Add a condition").click()
    page.get_by_label("Column").select_option("@gold")
    page.locator("select#v").select_option("ham")  # there as soon as the column was chosen
    expect(page.get_by_text("rules disagree")).to_be_visible()
    assert_accessible(page)
    shot(page, "data")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(rows).to_have_count(3)
    expect(page.locator("#count")).to_contain_text("3 rows of 24")
    page.get_by_role("link", name="remove the condition gold is ham").click()
    expect(rows).to_have_count(6)
    page.get_by_role("link", name="text", exact=True).click()
    expect(page.locator("#chart figcaption").first).to_contain_text("characters")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text(encoding="utf-8").count("song") == 6
    page.get_by_role("link", name="h10", exact=True).click()
    expect(page.get_by_role("heading", name="h10")).to_be_visible()
    expect(page.get_by_text("Label runs of spam")).to_be_visible()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    assert_accessible(page)
    shot(page, "point", full_page=True)


def test_a_region_of_the_map_is_chosen_with_the_pointer_and_with_keys(
    page: Page, portal: Portal, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/data/comments?task=spam")
    page.get_by_role("link", name="Map", exact=True).click()
    map_ = page.locator("svg#map")
    expect(map_).to_be_visible()
    box = map_.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.98 * box["height"], steps=4)
    page.mouse.up()
    expect(page.get_by_text("rows in this region")).to_be_visible()
    expect(page.get_by_role("heading", name="Words that mark it")).to_be_visible()
    assert float(page.locator("#region-box").get_attribute("width") or 0) > 300
    assert_accessible(page)
    shot(page, "map", full_page=True)
    page.reload()
    expect(page.get_by_text("rows in this region")).to_be_visible()
    page.get_by_label("right").fill("100")
    page.get_by_label("left").fill("0")
    page.get_by_label("bottom").fill("0")
    page.get_by_label("top").fill("100")
    page.get_by_label("top").press("Enter")
    page.get_by_role("link", name="24 rows in this region").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(24)


def test_a_database_that_is_away_is_said_and_comes_back(page: Page, portal: Portal) -> None:
    file = portal.project.settings.home / "data.db"
    page.goto("/data/comments")
    expect(page.locator("table.rows tbody tr")).to_have_count(24)
    away = file.with_suffix(".away")
    file.rename(away)
    file.mkdir()
    page.reload()
    expect(page.get_by_role("heading", name="Not available now")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("data.db")
    file.rmdir()
    away.rename(file)
    page.reload()
    expect(page.locator("table.rows tbody tr")).to_have_count(24)
    page.said.clear()  # type: ignore[attr-defined]


def test_a_search_of_a_long_table_is_a_job_whose_rows_are_then_listed(
    page: Page, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("counts.EXACT_ROWS", "search.SEARCHED_ROWS"):
        monkeypatch.setattr(f"adaptml.browsing.{name}", 10)  # of the page's process, which is this one
    page.goto("/data/comments?q=subscribe")
    expect(page.locator("#count")).to_contain_text("about")
    page.get_by_role("button", name="Search the whole table").click()
    page.get_by_role("link", name="Show the rows").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(4)
    expect(page.locator("#count")).to_contain_text("4 rows")
