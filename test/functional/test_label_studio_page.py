"""A person with a browser: logs in, reads the guide, chooses classes, submits, skips; the pull gives what was clicked.

It takes the picture graphics/label_studio.png where that is not there: delete it to have a new one.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml
from chromium import OPTIONS, chromium
from label_studio_people import annotate, table, tasks_of
from label_studio_people import choose as chosen
from playwright.sync_api import Page, expect, sync_playwright

from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotate import pull, push, setup
from labelstudio.client import LabelStudio
from labelstudio.local_accounts import Account
from labelstudio.local_server import LocalServer

pytestmark = pytest.mark.timeout(1800)
REPOSITORY = Path(__file__).resolve().parents[2]
PICTURE = REPOSITORY / "graphics" / "label_studio.png"
TIMEOUT_MS = 120_000
# Of a dog and two cats, of a Python script, of hissing on both sides of a glass, which the person skips.
ANSWERS: dict[str, list[str] | None] = {"030": ["cat", "dog"], "082": ["NONE"], "150": None}


@pytest.fixture
def page() -> Iterator[Page]:
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        made = browser.new_page(viewport={"width": 1280, "height": 720})
        made.set_default_timeout(TIMEOUT_MS)
        yield made
        browser.close()


def log_in(page: Page, server: LocalServer, person: Account) -> None:
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", person.email)
    page.fill("input[name=password]", person.password)
    page.click("button[type=submit], input[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url)


def shown(page: Page, texts: dict[str, str], done: set[str]) -> str:
    """The id of the post that the page shows, which is one that was not done yet."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while time.monotonic() < deadline:
        for key, text in texts.items():
            if key not in done and page.get_by_text(text, exact=True).first.is_visible():
                return key
        page.wait_for_timeout(100)
    raise AssertionError(f"none of {sorted(set(texts) - done)} is shown: {page.inner_text('body')[:500]}")


def choose(page: Page, name: str) -> None:
    box = page.get_by_role("checkbox", name=re.compile(rf"^{name}\b"))
    box.check()
    expect(box).to_be_checked()


def test_what_a_person_clicks_is_what_the_pull_gives(
    label_studio: LocalServer, repository_tasks: Path, page: Page
) -> None:
    lines = (REPOSITORY / "example_data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    posts = {row["id"]: row["txt"] for row in map(json.loads, lines) if row["id"] in ANSWERS}
    here = Project()
    here.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    here.database.upsert("posts", pd.DataFrame({"id": list(posts), "txt": list(posts.values())}), ["id"])
    task = here.task("example")
    project = setup(here, task)
    sample, _ = push(here, task, "posts", 3)
    texts = {key: posts[key] for key in sample.frame["id"]}

    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    log_in(page, label_studio, label_studio.annotators[0])
    page.goto(f"{project.url}data?labeling=1")
    expect(page.get_by_role("heading", name="snake")).to_be_visible(timeout=TIMEOUT_MS)  # the coding guide
    page.get_by_label("Close modal").first.click()

    clicked: dict[str, list[str] | None] = {}
    while len(clicked) < len(ANSWERS):
        key = shown(page, texts, set(clicked))
        names = ANSWERS[key]
        for name in names or []:
            choose(page, name)
        if names is not None and len(names) > 1 and not PICTURE.is_file():
            page.wait_for_timeout(500)
            page.screenshot(path=PICTURE)
        page.get_by_label("skip-task" if names is None else "Submit current annotation").click()
        clicked[key] = names
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while len((done := pull(here, task).done).ann_df) and done.annotations.counts["cancelled"] == 0:
        assert time.monotonic() < deadline, "the skip did not arrive"
        time.sleep(0.2)

    (annotator,) = done.annotations.annotators
    said = dict(zip(done.ann_df["id"], done.ann_df[annotator], strict=True))
    expected = {
        key: None if names is None else [n for n in names if n != "NONE"] for key, names in clicked.items()
    }
    assert {key: None if cell is None else list(cell) for key, cell in said.items()} == expected
    assert hosts == {label_studio.url.removeprefix("http://")}


def test_a_picture_of_the_folder_is_seen(
    label_studio: LocalServer, clean_room: Path, page: Page, make_task: Any
) -> None:
    here = Project()
    folder = here.settings.media / "farm"
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "graphics" / "label_studio.png", folder / "a b.png")
    label_studio.share(here.settings.media)
    here.database.create_table("zoo", {"id": sa.Text(), "photo": sa.Text()})
    here.database.upsert("zoo", pd.DataFrame({"id": ["1"], "photo": ["farm/a b.png"]}), ["id"])
    task = make_task(columns="photo:image")
    project = setup(here, task)
    push(here, task, "zoo", 1)
    log_in(page, label_studio, label_studio.annotators[0])
    page.goto(f"{project.url}data?labeling=1")
    page.get_by_label("Close modal").first.click()
    picture = page.locator("img[src^='blob:']").first  # as the page keeps what it fetched
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not picture.evaluate("seen => seen.complete && seen.naturalWidth > 1"):
        assert time.monotonic() < deadline, "the picture did not arrive"
        page.wait_for_timeout(100)


def test_what_was_annotated_stays_chosen_under_the_new_name(
    label_studio: LocalServer, page: Page, make_task: Any, people: list[LabelStudio]
) -> None:
    here = Project()
    before = make_task(["cat", "hound", "wolf", "bird"])
    table(here, "posts", [f"text {i}" for i in range(3)])
    project = setup(here, before)
    push(here, before, "posts", 3)
    with LabelStudio(label_studio.url, label_studio.token) as owner:
        numbers = tasks_of(owner, before)
    (one, two, three), first = sorted(numbers), people[0]
    for key, names in {one: ["cat", "hound"], two: ["bird"], three: ["wolf"]}.items():
        annotate(first, numbers[key], chosen(*names))
    # hound was renamed, then wolf and cat were merged, and bird was split.
    content = yaml.safe_load((before.folder / "task.yaml").read_text(encoding="utf-8"))
    content["classes"] = [{"name": name} for name in ("pet", "dog", "owl", "duck")]
    day = "2026-11-26"
    content["class_changes"] = [
        {"date": day, "before": before.class_names, "becomes": {"hound": ["dog"]}},
        {"date": day, "before": ["cat", "dog", "wolf", "bird"],
         "becomes": {"cat": ["pet"], "wolf": ["pet"], "bird": ["owl", "duck"]}},
    ]  # fmt: skip
    (before.folder / "task.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    task = here.task(before.name)
    setup(here, task)

    log_in(page, label_studio, label_studio.annotators[0])
    assert boxes(page, f"{project.url}data?task={numbers[two]}") == {
        "pet": False, "dog": False, "owl": False, "duck": False, "NONE": False,
        "bird (was split: choose anew)": True,
    }  # fmt: skip
    assert boxes(page, f"{project.url}data?task={numbers[three]}")["pet (annotated as wolf)"]
    assert boxes(page, f"{project.url}data?task={numbers[one]}") == {
        "pet": False, "dog": True, "owl": False, "duck": False, "NONE": False, "pet (annotated as cat)": True,
    }  # fmt: skip
    page.locator("input[name=owl]").check()
    page.get_by_label("submit", exact=True).first.click()
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while (said := answers(here, task))[one] != ["pet", "dog", "owl"]:
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    assert said == {one: ["pet", "dog", "owl"], two: None, three: ["pet"]}


def boxes(page: Page, address: str) -> dict[str, bool]:
    """What can be chosen on the page of a task, and whether it is."""
    page.goto(address)
    ours = page.locator("input[name=NONE]").first
    expect(ours).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("input[type=checkbox][name]:checked").first).to_be_visible(timeout=TIMEOUT_MS)
    # All at once, until two looks agree: Label Studio draws the boxes anew while a task opens.
    shown = "boxes => boxes.filter(box => box.offsetParent).map(box => [box.name, box.checked])"
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    before: dict[str, bool] = {}
    while not (now := dict(page.locator("input[type=checkbox][name]").evaluate_all(shown))) or now != before:
        assert time.monotonic() < deadline, now
        before = now
        page.wait_for_timeout(200)
    return now


def answers(here: Project, task: Task) -> dict[str, list[str] | None]:
    """What the one annotator said of each point."""
    frame = pull(here, task).done.ann_df
    cells = frame[frame.columns[2]]
    return {key: None if cell is None else list(cell) for key, cell in zip(frame["id"], cells, strict=True)}


def test_words_are_marked_and_a_missing_picture_is_said(
    label_studio: LocalServer, page: Page, make_task: Any, owner: LabelStudio
) -> None:
    here = Project()
    here.database.create_table("pets", {"id": sa.Text(), "txt": sa.Text(), "photo": sa.Text()})
    here.database.upsert("pets", pd.DataFrame({"id": ["1"], "txt": ["purrs"], "photo": [None]}), ["id"])
    task = make_task(columns="txt photo:image", feedback=True)
    project = setup(here, task)
    push(here, task, "pets", 1)
    log_in(page, label_studio, label_studio.annotators[0])
    page.goto(f"{project.url}data?labeling=1")
    page.get_by_label("Close modal").first.click()
    note = page.locator("img[src^='blob:'], img[src^='data:image/svg']").first
    expect(note).to_be_visible(timeout=TIMEOUT_MS)
    assert note.evaluate("seen => seen.naturalWidth") == 600
    page.get_by_text("cat", exact=True).last.click()  # of the labels, which come after the choices
    page.get_by_text("purrs", exact=True).first.dblclick()
    page.locator("textarea").first.fill("the sound")  # and nothing pressed to add it
    choose(page, "cat")
    page.get_by_label("Submit current annotation").click()
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not owner.project(project.project)["total_annotations_number"]:
        assert time.monotonic() < deadline, "the annotation did not arrive"
        time.sleep(0.2)
    done = pull(here, task).done
    (annotator,) = done.annotations.annotators
    (row,) = done.ann_df.to_dict("records")
    assert row[f"{annotator}_words"] == [{"class": "cat", "column": "txt", "text": "purrs"}]
    assert (row[annotator], row[f"{annotator}_comment"]) == (["cat"], "the sound")
