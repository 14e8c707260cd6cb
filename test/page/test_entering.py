"""Coming in by a link, in a browser."""

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect
from portal_server import Portal

from portal.start import invitation


def link(portal: Portal, name: str) -> str:
    return portal.url + invitation(portal.project, name).partition("8050")[2]


def test_a_link_lets_its_person_in_once(browser: Browser, portal: Portal) -> None:
    address = link(portal, "Ana Bo")
    context = browser.new_context()
    tab = context.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address)
    expect(tab.locator(".who")).to_contain_text("Ana Bo")
    token = address.partition("#")[2]
    assert not any(token in url for url in asked), "no request's address holds the token"
    assert token not in tab.url
    assert tab.evaluate("document.cookie") == "", "no script reads the cookie"
    tab.get_by_role("button", name="Leave").click()
    expect(tab.locator("h1")).to_have_text("Come in")
    tab.goto(address)
    expect(tab.get_by_role("alert")).to_contain_text("used before")
    context.close()


def test_who_is_not_logged_in_comes_back_to_what_was_asked(browser: Browser, portal: Portal) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{portal.url}/help?term=coverage")
    assert tab.url == f"{portal.url}/enter?next=%2Fhelp%3Fterm%3Dcoverage"
    name, value = portal.cookie()
    context.add_cookies([{"name": name, "value": value, "url": portal.url, "sameSite": "Strict"}])
    tab.reload()
    tab.wait_for_url(f"{portal.url}/help?term=coverage")
    tab.goto(f"{portal.url}/enter?next=//evil.example/")
    tab.wait_for_url(f"{portal.url}/")
    context.close()


def test_the_page_that_lets_people_in_is_accessible(
    page: Page, portal: Portal, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.context.clear_cookies()
    page.goto(f"{portal.url}/enter")
    page.said.clear()  # type: ignore[attr-defined]  # that nobody is logged in, which the script asks
    assert_accessible(page)
    shot(page, "enter")
