"""Texts, names, guides, rules and logs that hold markup: every page shows them as text."""

import json
from functools import partial

import pandas as pd
from playwright.sync_api import Page, expect
from portal_server import Portal

from portal.jobs import JobStore
from portal.jobs.embedded import ensure_worker
from portal.jobs.steps import order

EVIL = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
PAGES = (
    "/",
    "/tasks/spam",
    "/tasks/spam/edit",
    "/tasks/spam/rules",
    "/tasks/spam/data",
    "/data",
    "/data/comments?task=spam",
    "/data/comments/points/s8?task=spam",
    "/tasks/spam/annotation",
    "/tasks/spam/annotation/gold",
    "/tasks/spam/annotation/label",
    "/tasks/spam/runs",
    "/tasks/spam/models",
    "/jobs",
    "/jobs/1",
)


def test_markup_is_text_on_every_page(page: Page, portal: Portal) -> None:
    project = portal.project
    folder = project.settings.tasks_dir / "spam"
    task = (folder / "task.yaml").read_text(encoding="utf-8")
    task = task.replace("Is it spam?", json.dumps(f"Is it {EVIL[:30]}"))
    task = task.replace("{name: ham}", f"{{name: ham, description: {json.dumps(EVIL)}}}")
    (folder / "task.yaml").write_text(task, encoding="utf-8")
    rules = (folder / "lfs.py").read_text(encoding="utf-8")
    (folder / "lfs.py").write_text(f"print({EVIL!r})\n{rules}", encoding="utf-8")
    rows = pd.DataFrame({"id": ["s8"], "text": [f"{EVIL} subscribe"]})
    project.database.upsert("comments", rows, ["id"])
    jobs = JobStore(project.settings.home, partial(ensure_worker, project))
    job = jobs.start(order("featurize", "spam", data=EVIL), EVIL)
    page.goto(f"/jobs/{job.id}")
    expect(page.get_by_role("alert")).to_contain_text("onerror")
    for address in PAGES:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        page.wait_for_load_state("networkidle")
        assert "hit" not in page.title(), address
        assert page.locator("img[src=x]").count() == 0, address
    expect(page.locator("main")).to_contain_text("onerror")
