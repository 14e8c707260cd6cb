"""The page of rules in a browser: what a person writes is seen at work, and nothing that a rule does hurts."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from portal_server import Portal, served_page

from adaptml.project import Project

RULES = "/tasks/spam/rules"
MOD = "ControlOrMeta"
SECONDS = 8  # for rules: a busy machine needs some for a look itself


@pytest.fixture(scope="module")
def project(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy of the small example, in which rules may take a few seconds; each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("rules") / "project"
    shutil.copytree(example, folder)
    (folder / ".env.dev").write_text(f"ADAPTML_RULES_SECONDS={SECONDS}\n")
    with Project(folder) as made:
        yield made


@pytest.fixture(scope="module")
def portal(project: Project) -> Iterator[Portal]:
    """The page of the copy, served."""
    with served_page(project) as made:
        yield made


@pytest.fixture(autouse=True)
def as_it_was(project: Project) -> Iterator[None]:
    """Rules and task are those of the example again."""
    folder = project.settings.tasks_dir / "spam"
    before = {path: path.read_text() for path in folder.glob("*.*")}
    yield
    for path, text in before.items():
        path.write_text(text)


def file(project: Project) -> Path:
    return project.settings.tasks_dir / "spam" / "lfs.py"


def opened(page: Page, query: str = "") -> Page:
    page.goto(f"{RULES}{query}")
    done(page)
    return page


def done(page: Page) -> None:
    """The rules have answered."""
    expect(page.locator("#bench")).not_to_have_attribute("aria-busy", "true")


def write(page: Page, text: str) -> None:
    """Put a text in the editor, as one who pastes it."""
    page.evaluate("text => document.dispatchEvent(new CustomEvent('rules:replace', {detail: text}))", text)


def tried(page: Page, text: str) -> None:
    write(page, text)
    page.get_by_role("button", name="Try", exact=True).click()
    done(page)


def rules(body: str, names: str = "rule") -> str:
    return f"from adaptml import labeling_function\n\n\ndef get_lfs(params):\n{body}\n    return [{names}]\n"


def rule(line: str) -> str:
    return rules(f"    @labeling_function\n    def rule(x):\n        {line}\n")


def test_a_rule_is_written_seen_and_saved(
    page: Page, project: Project, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    opened(page)
    table = page.locator(".rules-list")
    expect(table.get_by_role("row")).to_have_count(6)
    page.locator("#editor .cm-content").click()
    page.keyboard.press(f"{MOD}+End")
    page.keyboard.type("# a remark")
    expect(page.locator("#state")).to_have_text("changed, not saved")
    page.keyboard.press(f"{MOD}+s")
    expect(page.locator("#state")).to_have_text(re.compile("^saved"))
    assert file(project).read_text().rstrip().endswith("# a remark")
    table.get_by_role("link", name="1 wrong").first.click()
    expect(page.locator("#rows-title")).to_have_text("Gold points on which check_out is wrong")
    expect(page.locator("#rows-part mark").first).to_have_text("check")
    assert "bucket=wrong" in page.url
    shot(page, "rules")
    assert_accessible(page)
    page.reload()
    done(page)
    expect(page.locator("#rows-title")).to_have_text("Gold points on which check_out is wrong")
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)


def test_charts_lead_to_rows(page: Page) -> None:
    opened(page)
    page.locator(".rules-charts summary").click()
    page.locator(".rules-charts a[href*='rule=check_out'][href*='other=song']").click()
    expect(page.locator("#rows-title")).to_contain_text("check_out and another rule vote with song")
    expect(page.locator(".rules-row")).to_have_count(2)


def test_the_table_is_filtered_and_sorted(page: Page) -> None:
    opened(page)
    names = page.locator(".rules-name button")
    page.get_by_role("link", name="Votes", exact=True).click()
    expect(names.first).to_have_text("praise")
    page.locator("#find").fill("so")
    expect(names).to_have_text(["song"])
    assert "find=so" in page.url
    expect(page.locator("#find")).to_be_focused()


def test_a_syntax_error_is_shown_at_its_line(page: Page) -> None:
    opened(page)
    tried(page, "def get_lfs(params):\n    return [\n")
    expect(page.locator(".error")).to_contain_text("line 2: SyntaxError")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("while True: pass", f"did not answer within {SECONDS} seconds"),
        ("__import__('os')._exit(3)", "ended the process with status 3"),
        ("raise SystemExit(2)", "SystemExit: 2"),
    ],
)
def test_a_rule_that_does_not_come_back_is_shown_at_its_line(page: Page, line: str, said: str) -> None:
    opened(page)
    tried(page, rule(line))
    expect(page.locator("#table-part .error, #table-part .field-error")).to_contain_text(said)
    expect(page.locator("[data-line='7']").first).to_be_attached()
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    tried(page, rule("return 'spam'"))
    expect(page.locator(".rules-list tbody tr")).to_have_count(1)


def test_what_a_rule_prints_is_shown_with_its_line(page: Page) -> None:
    opened(page)
    tried(page, rule("print('seen')"))
    expect(page.locator(".rules-printed")).to_contain_text("The rules printed something")
    expect(page.locator(".cm-lint-marker-info")).to_have_count(1)


def test_300_rules_of_100_classes(page: Page, project: Project) -> None:
    folder = project.settings.tasks_dir / "spam"
    classes = ", ".join(f"{{name: class{i}}}" for i in range(98))
    task = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(
        task.replace("{name: spam}]", f"{{name: spam}}, {classes}]").replace("positive: spam\n", "")
    )
    made = ", ".join(
        f"keyword_lf('rule{i}', ['song', 'w{i}'], 'class{i % 98}', 'tokens')" for i in range(300)
    )
    file(project).write_text(f"from adaptml import keyword_lf\n\ndef get_lfs(params):\n    return [{made}]\n")
    opened(page)
    expect(page.locator(".rules-list tbody tr")).to_have_count(300)
    page.locator("#votes_for").select_option("class97")
    expect(page.locator(".rules-list tbody tr")).to_have_count(3)


def test_texts_of_all_kinds_are_shown_as_texts(page: Page, project: Project) -> None:
    texts = {
        "a": "<img src=x onerror=alert(1)> <b>song</b>",
        "b": "هذه song جميلة",
        "c": "song 👩‍👩‍👧 🏳️‍🌈",
        "d": "song " + "x" * 100_000,
        "e": "y " * 1_000 + "song",
    }
    project.import_table(pd.DataFrame({"id": list(texts), "text": list(texts.values())}), "kinds")
    project.featurize("spam", "kinds")
    opened(page, "?table=kinds&bucket=hits&rule=song")
    shown = page.locator(".rules-row .text")
    expect(shown.filter(has_text="onerror")).to_contain_text("<img src=x onerror=alert(1)> <b>song</b>")
    expect(shown.filter(has_text="جميلة")).to_have_css("direction", "rtl")
    expect(shown.filter(has_text="👩‍👩‍👧")).to_have_count(1)
    expect(shown.filter(has_text="100,005 characters")).to_have_count(1)
    assert (
        page.locator(".rules-row .text").evaluate_all(
            "all => Math.max(...all.map(one => one.textContent.length))"
        )
        < 800
    )
    expect(page.locator(".rules-row[data-id='e'] mark")).to_have_text("song")


def test_pictures_are_shown(page: Page, project: Project) -> None:
    folder = project.settings.tasks_dir / "spam"
    task = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(
        task.replace("{name: text, type: text}", "{name: picture, type: image}")
    )
    project.settings.media.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(project.settings.media / "a b.png")
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE comments ADD COLUMN picture TEXT")
        connection.exec_driver_sql("UPDATE comments SET picture = 'a b.png'")
    opened(page)
    assert page.locator(".rules-picture").first.get_attribute("src") == "/media/a%20b.png"
    page.said.clear()  # type: ignore[attr-defined]


def test_two_tabs_do_not_overwrite_each_other(
    page: Page, browser: Browser, portal: Portal, project: Project, context: BrowserContext
) -> None:
    opened(page)
    other = context.new_page()
    opened(other)
    before = file(project).read_text()
    write(page, f"{before}# first\n")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#state")).to_have_text(re.compile("^saved"))
    done(page)
    write(other, f"{before}# second\n")
    other.get_by_role("button", name="Save", exact=True).click()
    conflict = other.locator(".rules-conflict")
    expect(conflict).to_contain_text("by Ana")
    expect(conflict.locator(".rules-removed").last).to_contain_text("# first")
    expect(other.locator("#state")).to_have_text("changed, not saved")
    assert file(project).read_text() == f"{before}# first\n"
    conflict.get_by_role("button", name="Save mine all the same").click()
    expect(conflict).to_have_count(0)
    assert file(project).read_text() == f"{before}# second\n"
    other.goto(f"{RULES}/saves")
    other.get_by_role("button", name=re.compile("^Put save")).first.click()
    other.wait_for_url(re.compile(f"{RULES}(\\?.*)?$"))
    assert file(project).read_text() == f"{before}# first\n"
    other.close()


def test_at_last_no_gold_and_no_table(page: Page, project: Project) -> None:
    project.settings.gold("spam").unlink()
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE spam_gold")
    opened(page)
    expect(page.locator(".rules-sums")).to_contain_text("no gold, so nobody knows which votes are right")
    expect(page.locator("#assist")).to_contain_text("Words that mark a class")
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE comments")
        connection.exec_driver_sql("DROP TABLE IF EXISTS kinds")
    opened(page)
    expect(page.locator("#table-part .note")).to_contain_text("No table has the columns that the rules read")
    expect(page.locator("#editor")).to_contain_text("keyword_lf")
