"""Help to write the next rule, in a browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect
from portal_server import Portal

from adaptml.gold_labels.decisions import decisions
from adaptml.tasks.rule_file import read_rules

RULES = "/tasks/spam/rules"


def open_rules(page: Page, query: str = "") -> None:
    page.goto(RULES + query)
    # The processes that run rules start meanwhile, which takes a busy machine a while.
    expect(page.get_by_role("heading", name="Words that mark a class")).to_be_visible(timeout=120_000)


def add_rule(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add to lfs.py").click()
    expect(page.locator(".rules-list tr.chosen")).to_contain_text(name)


def test_words_become_a_rule_whose_effect_is_shown_first(
    page: Page, portal: Portal, shot: Callable[..., None]
) -> None:
    open_rules(page)
    expect(page.locator(".rules-sums")).to_contain_text("1 without a vote")
    page.locator("#words-label").select_option("spam")
    page.get_by_label("Compared with").select_option("voted")
    page.get_by_role("button", name="Find words").click()
    page.get_by_role("link", name="who", exact=True).click()
    draft = page.locator("#draft")
    expect(draft).to_contain_text('keyword_lf("spam_who", ["who"], "spam", "text")')
    expect(draft).to_contain_text("1 row; covered 23 → 24")
    shot(page, "rules_next_rule")
    page.reload()  # what the panel shows stands in the address
    expect(page.locator("#draft")).to_contain_text("covered 23 → 24")
    assert "spam_who" not in read_rules(portal.project.task("spam"))
    add_rule(page, "spam_who")
    assert 'keyword_lf("spam_who", ["who"], "spam", "text"),' in read_rules(portal.project.task("spam"))
    expect(page.locator(".rules-sums")).to_contain_text("0 without a vote")


def test_words_that_are_selected_become_a_rule(page: Page, portal: Portal) -> None:
    open_rules(page, "?bucket=all")
    text = page.locator(".rules-row .text", has_text="Win a trip")
    text.scroll_into_view_if_needed()
    page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.querySelector("#rows-part"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const start = walker.currentNode.data.indexOf("Win a trip");
            if (start >= 0) {
              document.getSelection().setBaseAndExtent(walker.currentNode, start, walker.currentNode, start + 10);
              return;
            }
          }
        }"""
    )
    page.get_by_role("link", name="Make a rule of “Win a trip”").click()
    page.get_by_label("Votes for").select_option("spam")
    expect(page.locator("#draft")).to_contain_text(
        'keyword_lf("spam_win_a_trip", ["Win a trip"], "spam", "text")'
    )
    add_rule(page, "spam_win_a_trip")


def test_rows_are_labelled_with_keys(page: Page, portal: Portal) -> None:
    open_rules(page, "?bucket=all")
    rows = page.locator(".row-actions")
    expect(rows.first).to_be_visible()
    keys = [rows.nth(i).get_attribute("data-row") for i in range(2)]
    page.locator("#rows-title").click()
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    page.keyboard.press("1")
    expect(rows.first.locator(".labelled")).to_contain_text("Labelled ham")
    expect(rows.nth(1)).to_be_focused()  # on to the next
    page.keyboard.press("2")
    expect(rows.nth(1).locator(".labelled")).to_contain_text("Labelled spam")
    said = [(one.point[1], one.label, one.who) for one in decisions(portal.project, "spam")]
    assert said == [(keys[1], ["spam"], "Ana"), (keys[0], ["ham"], "Ana")]
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("u")
    expect(rows.nth(1).locator('[aria-pressed="true"]')).to_have_count(0)
    assert decisions(portal.project, "spam")[0].undone_by == "Ana"
    page.reload()
    expect(rows.first.get_by_role("button", name="ham")).to_have_attribute("aria-pressed", "true")


def test_rows_like_this_one_become_a_rule(page: Page, portal: Portal, shot: Callable[..., None]) -> None:
    page.goto("/tasks/spam/assist/near?table=comments&id=s2")
    expect(page.get_by_role("heading", name="Rows like this one")).to_be_visible()
    page.get_by_label("s8 is an example").check()
    page.get_by_label("h0 is a counterexample").check()
    shot(page, "assist_near")
    page.get_by_role("button", name="Make a rule of these rows").click()
    page.get_by_label("Votes for").select_option("spam")
    page.get_by_label("Name").fill("gifts")
    expect(page.locator("#draft")).to_contain_text(
        'like_lf("gifts", "gifts.json", "spam", "vector", above=0.39)'
    )
    add_rule(page, "gifts")
    assert portal.project.task("spam").lf_features[-1] == "vector"


def test_forms_of_every_kind_show_their_effect(page: Page, assert_accessible: Callable[[Page], None]) -> None:
    page.goto("/tasks/spam/assist?table=comments")
    for kind, field, typed, code in (
        ("Keywords", "Words and phrases, one a line", "coins\ngift", '["coins", "gift"]'),
        ("Phrase", "Phrase", "gift cards", '["gift cards"]'),
        ("Regular expression", "Regular expression", r"\bfree\b", r'r"\bfree\b"'),
        (
            "Word list in a file",
            "Words and phrases, one a line",
            "coins\ngift",
            'lookup("spam_coins_gift.txt")',
        ),
    ):
        page.get_by_role("link", name=kind, exact=True).click()
        page.get_by_label("Votes for").select_option("spam")
        page.get_by_label(field).fill(typed)
        expect(page.locator("#draft")).to_contain_text(code)
        expect(page.locator("#draft")).to_contain_text("of 24 rows")
        if kind == "Keywords":
            assert_accessible(page)
        page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Number", exact=True).click()
    expect(page.locator("#assist")).to_contain_text("has no column for such a rule")
    assert_accessible(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Words that mark a class")).to_be_visible()
