"""Page 5 in a browser: two people's labels, what they dispute settled by keys, gold changed, points labelled here."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from portal_server import PERSON, Portal

from adaptml.gold_labels.decisions import decisions
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.project import Project
from labelstudio.export import load_export
from labelstudio.gold import GoldOptions
from labelstudio.process_annotations import Export, process_tasks

CLASSES, POINTS = 100, 240
HOSTILE = "<script>document.title = 'owned'</script><b>bold?</b> & done"
TEXTS = {  # number of the post → its text; every fourth is disputed, and the first two of these are in a picture
    0: "The council approves the tram line to the airport; work begins in spring, and two bus lines end.",
    1: "هذا نص عربي من اليمين إلى اليسار: قطة",
    2: "שלום עולם 😾 👩‍👩‍👧‍👦 #catsofinstagram",
    3: "long " * 20_000,
    4: "A second theatre opens in the old brewery.",
    8: HOSTILE,
    12: "line one\nline two",
}
USERS = {1: "owner@example.com", 3: "anna@example.com", 4: "ben@example.com"}


def annotation(number: int, who: int, *classes: int) -> dict[str, Any]:
    chosen = [f"topic {place:02}" for place in classes] or ["NONE"]
    result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": chosen}}
    made = {"created_at": "2026-11-22T19:52:08Z", "updated_at": "2026-11-22T19:52:08Z"}
    return {"id": number, "completed_by": who, "updated_by": who, "result": [result], **made}


@pytest.fixture
def topics(project: Project) -> Project:
    """A multilabel task of 100 classes: two people labelled 240 texts, some odd, and differ on every fourth."""
    folder = project.settings.tasks_dir / "topics"
    folder.mkdir()
    guide = {"description": "Choose it where the post speaks of it.", "examples": ["an example", "مثال"]}
    task = {
        "title": "Which topics?",
        "setting": "multilabel",
        "classes": [{"name": f"topic {place:02}", **guide} for place in range(CLASSES)],
        "columns": [{"name": "text", "type": "text"}],
        "lf_features": ["text"],
        "features": ["vector"],
    }
    (folder / "task.yaml").write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
    (folder / "lfs.py").write_text("def get_lfs(params):\n    return []\n", encoding="utf-8")
    texts = [TEXTS.get(place, f"post {place}") for place in range(POINTS)]
    ids = [f"{place:03}" for place in range(POINTS)]
    project.import_table(pd.DataFrame({"id": ids, "text": texts}), "posts")
    tasks = []
    for place, (key, text) in enumerate(zip(ids, texts, strict=True)):
        one, other = (place % CLASSES, (place + 1) % CLASSES)
        second = (other,) if place % 4 == 0 else (one, other)
        said = [annotation(2 * place + 1, 3, one, other), annotation(2 * place + 2, 4, *second)]
        data = {"ref_id": key, "meta_info": {"table_name": "posts", "task": "topics"}, "text": text}
        tasks.append({"id": place + 1, "annotations": said, "data": data})
    path = project.settings.root / "topics.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    export = Export(load_export(path), "project 1", "x")
    process_tasks(project, project.task("topics"), export, GoldOptions(), users=USERS)
    project.annotator_agreement("topics")
    return project


def test_two_people_and_a_hundred_classes(
    topics: Project,
    portal: Portal,
    page: Page,
    assert_accessible: Callable[[Page], None],
    shot: Callable[..., None],
) -> None:
    page.goto("/tasks/topics/annotation")
    row = page.get_by_role("row", name="anna@example.com")
    expect(row).to_contain_text("240")
    expect(page.get_by_text("no token for Label Studio")).to_be_visible()
    assert_accessible(page)
    shot(page, "annotation")

    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_text("MASI")).to_be_visible()
    assert_accessible(page)
    shot(page, "agreement")
    page.get_by_role("link", name="Settle the 60 disputed points").click()
    first = page.locator("article.an-card").first
    expect(first).to_contain_text(TEXTS[0])
    expect(page.locator("article.an-card").nth(2)).to_contain_text(HOSTILE)
    assert_accessible(page)
    shot(page, "disputed")
    # With keys: the reason, then the label that stands at 2.
    page.keyboard.press("w")
    page.keyboard.type("the second is too wide")
    first.locator("summary", has_text="Another label").focus()
    page.keyboard.press("2")
    settled = page.locator("article.an-card").first
    expect(settled).to_contain_text(f"Settled topic 01 by {PERSON}")
    expect(settled).to_contain_text("the second is too wide")
    (one,) = decisions(topics, "topics")
    assert (one.label, one.why, one.who) == (["topic 01"], "the second is too wide", PERSON)
    expect(page.locator("article.an-card").nth(1)).to_be_focused()  # the next one that is open
    # Another label out of a hundred, found by its name.
    other = page.locator("article.an-card").nth(1)
    other.locator("summary", has_text="Another label").click()
    other.get_by_label("Find a class").fill("77")
    page.keyboard.press("Enter")
    other.get_by_label("Find a class").fill("c 42")
    page.keyboard.press("Enter")
    other.get_by_role("button", name="Settle with this").click()
    expect(other).to_contain_text("Settled topic 42 topic 77")
    other.get_by_role("button", name="Take back").click()
    expect(other.get_by_text("Another label")).to_be_visible()
    assert page.title() != "owned"

    page.set_viewport_size({"width": 360, "height": 800})
    for path in ("", "/agreement", "/disputed", "/gold", "/sample", "/label"):
        page.goto(f"/tasks/topics/annotation{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path


def test_gold_is_looked_at_and_changed(
    project: Project, page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/tasks/spam/annotation/gold")
    page.get_by_label("Class", exact=True).select_option("ham")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("6 of 12 gold points")).to_be_visible()
    assert_accessible(page)
    shot(page, "gold")
    row = page.get_by_role("row", name="comments/h6")
    row.get_by_role("link", name="Change h6").click()
    row.get_by_label("spam").check()
    row.get_by_label("Why").fill("an advert after all")
    row.get_by_role("button", name="Save").click()
    expect(page.get_by_text("5 of 12 gold points")).to_be_visible()
    page.goto("/tasks/spam/annotation/gold?named=spam")
    row = page.get_by_role("row", name="comments/h6")
    expect(row).to_contain_text("page")
    row.get_by_role("link", name="Change h6").click()
    row.get_by_role("button", name="Remove from gold").click()
    page.get_by_role("link", name="What was decided by hand").click()
    assert_accessible(page)
    expect(page.get_by_role("row").nth(2)).to_contain_text("an advert after all")
    page.get_by_role("button", name="Take back h6").first.click()
    expect(page.get_by_text(f"taken back by {PERSON}")).to_be_visible()
    rows = counting(GoldHome(project, "spam").rows())
    assert rows.set_index("id")["origin"]["h6"] == "page"


def test_points_are_labelled_here_by_keys(
    project: Project, page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/tasks/spam/annotation/label?seed=1")
    card = page.locator("article.an-card")
    expect(card).to_contain_text("12 to go")
    assert_accessible(page)
    shot(page, "label_here")
    page.keyboard.press("2")
    expect(card).to_contain_text("11 to go")
    expect(page.locator(".an-last")).to_contain_text("spam")
    page.keyboard.press("s")
    page.wait_for_url("**after=**")
    expect(card).to_contain_text("11 to go")
    page.locator(".an-last").get_by_role("button", name="Take back").click()
    expect(card).to_contain_text("12 to go")
    assert len(GoldHome(project, "spam").rows()) == 12


def test_a_sample_is_shown_and_then_started_as_a_job(
    project: Project, page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/tasks/spam/annotation/sample")
    page.get_by_label("How many points").fill("6")
    page.get_by_role("radio", name="mixture").check()
    page.get_by_label("random, %").fill("50")
    page.get_by_label("diverse, %").fill("50")
    page.get_by_role("button", name="Show what it draws").click()
    expect(page.get_by_text("6 points")).to_be_visible()
    assert_accessible(page)
    shot(page, "sample", full_page=True)
    page.get_by_role("button", name="Write a file for Label Studio").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("main")).to_contain_text("sample-tasks")
