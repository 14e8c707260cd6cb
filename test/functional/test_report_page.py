"""A report page in a real browser: a number opens its rows, a heading sorts, no text becomes markup."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chromium import OPTIONS, chromium
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dataprogramming.report import GoldPoints, LabelledPoints, label_report

EVIL = "<b>it's</b> <img src=x onerror=\"document.title='hit'\"></script>"
LFS = ["first", "second", f"third {EVIL}"]
CLASSES = ["ham", f"spam {EVIL}"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    n = 300
    L = np.full((n, 3), -1, np.int8)
    L[:250, 0], L[:15, 1], L[10:15, 2] = 1, 0, 1  # coverage 0.83…, 0.05, 0.016…
    keys = pd.DataFrame({"table_name": "posts", "id": [f"p{i}" for i in range(n)]})
    probs = np.tile([0.25, 0.75], (n, 1))
    labels = np.tile(np.array([0, 1], np.int8), (n, 1))
    gold = GoldPoints(keys[:30], L[:30], np.eye(2, dtype=np.int8)[[0, 1] * 15], probs[:30], labels[:30])
    page = label_report(
        f"Labels {EVIL}",
        LFS,
        CLASSES,
        LabelledPoints(keys, L, probs, labels),
        gold,
        multilabel=False,
        weights=np.array([0.5, 0.9, 0.7]),
        read_texts=lambda asked: asked.assign(**{f"text {EVIL}": asked["id"] + f" {EVIL} " + "long " * 120}),
        lines=[("run", EVIL)],
        warnings=[EVIL],
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1280, "height": 720})
    said: list[str] = []
    asked: list[str] = []
    made.on("console", lambda message: said.append(message.text))
    made.on("pageerror", lambda error: said.append(str(error)))
    made.on("request", lambda request: asked.append(request.url))
    made.goto(report.as_uri())
    yield made
    assert said == []  # the policy refused nothing, no script failed
    assert [url.split("#")[0] for url in asked] == [report.as_uri()]
    made.close()


def first_cells(page: Page) -> list[str]:
    return page.locator("#lfs table.sortable").first.locator("tbody tr td:first-child").all_inner_texts()


def test_a_heading_sorts_both_ways(page: Page) -> None:
    table = page.locator("#lfs table.sortable").first
    table.get_by_role("button", name="Weight").click()
    assert first_cells(page) == [LFS[1], LFS[2], LFS[0]]  # numbers from the highest on
    expect(table.get_by_role("columnheader", name="Weight")).to_have_attribute("aria-sort", "descending")
    table.get_by_role("button", name="Weight").click()
    assert first_cells(page) == [LFS[0], LFS[2], LFS[1]]
    table.get_by_role("button", name="Coverage").click()
    assert first_cells(page) == LFS  # as numbers: as text 0.016 is above 0.05
    table.get_by_role("button", name="LF", exact=True).click()
    assert first_cells(page) == LFS


def test_a_number_leads_to_its_rows(page: Page) -> None:
    bucket = page.locator("#lf-1-conflicts")
    assert not bucket.is_visible()
    page.locator('a[href="#lf-1-conflicts"]').click()
    expect(bucket.locator("tbody tr")).to_have_count(15)
    assert bucket.get_attribute("open") is not None
    cells = bucket.locator("tbody tr").first.locator("td")
    assert cells.nth(0).inner_text().split() == ["posts/", "p0"]
    assert cells.nth(1).inner_text().startswith(f"p0 {EVIL} long")
    assert "500 of " in cells.nth(1).inner_text()
    assert cells.nth(2).locator("li").all_inner_texts() == [f"first{CLASSES[1]}", "secondham"]
    assert cells.nth(2).locator("li.wrong").count() == 1
    assert [cells.nth(i).inner_text() for i in (3, 4)] == ["ham", CLASSES[1]]


def test_rows_of_a_bucket_sort_too(page: Page) -> None:
    page.locator('a[href="#lf-0-votes"]').click()
    bucket = page.locator("#lf-0-votes")
    expect(bucket.locator("tbody tr")).to_have_count(200)
    expect(bucket.locator("summary")).to_contain_text("200 of 250 rows, drawn with seed 0")
    bucket.get_by_role("button", name="Row").click()
    ids = [text.split()[-1] for text in bucket.locator("tbody td:first-child").all_inner_texts()]
    assert ids == sorted(ids, key=lambda name: int(name[1:]))
    bucket.get_by_role("button", name="Row").click()
    assert bucket.locator("tbody td:first-child").first.inner_text().endswith(ids[-1])


def test_no_name_or_text_becomes_markup(page: Page) -> None:
    for link in ("lf-0-votes", "lf-2-wrong", "class-0-missed"):
        page.locator(f'a[href="#{link}"]').first.click()
    assert page.locator("img").count() == 0
    assert page.locator("b").filter(has_text=re.compile("^it's$")).count() == 0
    assert page.title() == f"Labels {EVIL}"
    assert page.locator("h1").inner_text() == f"Labels {EVIL}"


def test_an_address_with_a_bucket_opens_it(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(f"{report.as_uri()}#lf-2-votes")
    expect(page.locator("#lf-2-votes tbody tr")).to_have_count(5)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_is_not_scrolled_sideways(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 360, "height": 720})
    page.locator('a[href="#class-0-missed"]').click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
