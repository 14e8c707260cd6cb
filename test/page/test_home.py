"""Home, a task's page, help and the tour, on the example in a browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from adaptml.project import Project


def test_home_says_where_each_task_stands_and_what_to_do_next(
    page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/")
    card = page.get_by_role("article", name="spam")
    expect(card.get_by_role("link", name="Write rules and see what they hit")).to_be_visible()
    expect(card.get_by_role("link", name="24 in comments")).to_be_visible()
    expect(page.get_by_role("row", name="comments 24 text New task")).to_be_visible()
    services = page.locator("section", has=page.get_by_role("heading", name="Services"))
    expect(services).to_contain_text("Database answers")
    expect(services).to_contain_text("Label Studio does not answer")
    assert_accessible(page)
    shot(page, "home")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_term_is_explained_on_hover_and_on_focus_until_escape(page: Page) -> None:
    page.goto("/tasks/spam")
    bubble = page.locator("#term-bubble")
    term = page.get_by_role("button", name="Gold", exact=True)
    term.hover()
    expect(bubble).to_have_text("All gold labels of a task, each with its origin; a part of them is for tuning and "
                                "the rest for judging.")  # fmt: skip
    page.mouse.move(2, 700)
    expect(bubble).to_be_hidden()
    term.focus()
    expect(bubble).to_be_visible()
    expect(term).to_have_accessible_description("All gold labels of a task, each with its origin; a part of them is "
                                                "for tuning and the rest for judging.")  # fmt: skip
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()


def test_the_guide_of_a_class_is_edited(
    page: Page, project: Project, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/tasks/spam")
    expect(page.get_by_text("Write rules and see what they hit")).to_be_visible()
    assert_accessible(page)
    shot(page, "task")
    page.get_by_role("link", name="Edit").click()
    spam = page.get_by_role("group", name="spam")
    spam.get_by_label("When to choose it").fill("It <b>sells</b> something.")
    spam.get_by_label("Examples, one a line").fill("buy now\nעכשיו 🙂")
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="spam positive")
    expect(row).to_contain_text("It <b>sells</b> something.")
    expect(row).to_contain_text("עכשיו 🙂")
    assert project.task("spam").classes[1].examples == ("buy now", "עכשיו 🙂")
    page.get_by_role("link", name="The file").click()
    expect(page.get_by_label("task.yaml")).to_have_value(
        (project.settings.tasks_dir / "spam" / "task.yaml").read_text()
    )
    assert_accessible(page)


def test_a_class_is_renamed_after_a_look_at_what_that_does(
    page: Page, project: Project, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/tasks/spam/classes")
    page.get_by_label("What to do with spam").select_option("rename")
    page.get_by_label("What spam becomes").fill("advert")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.locator("pre")).to_contain_text("spam becomes advert")
    expect(page.locator("pre")).to_contain_text("gold: 12 points, of them 6 renamed")
    assert_accessible(page)
    shot(page, "classes")
    page.reload()
    page.get_by_role("button", name="Change the classes").click()
    expect(page.locator("#panel")).to_contain_text("done")
    assert project.task("spam").class_names == ["ham", "advert"]
    page.goto("/tasks/spam/classes")
    expect(page.get_by_role("cell", name="spam → advert")).to_be_visible()
    page.get_by_role("link", name="Take the last change back").click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()


def test_help_and_the_tour_in_six_steps(
    page: Page, assert_accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/help")
    assert_accessible(page)
    shot(page, "help")
    page.get_by_role("link", name="The table").click()
    tour = page.get_by_role("complementary", name="Tour of the example")
    for number, title in enumerate(["The table", "A rule", "Its rows", "Gold", "A run", "Served"], 1):
        expect(tour).to_contain_text(f"{number} of 6: {title}")
        expect(page.locator("h1")).not_to_have_text("Not found")
        if number == 1:
            assert_accessible(page)
            shot(page, "tour")
        if number < 6:
            tour.get_by_role("link", name="Next").click()
    tour.get_by_role("link", name="Leave the tour").click()
    expect(tour).to_have_count(0)
