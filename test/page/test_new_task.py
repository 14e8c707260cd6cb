"""From an empty project to a task, in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from adaptml.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project."""
    (tmp_path / "project" / "tasks").mkdir(parents=True)
    with Project(tmp_path / "project") as made:
        yield made


def test_from_a_file_to_a_task(
    page: Page,
    project: Project,
    tmp_path: Path,
    assert_accessible: Callable[[Page], None],
    shot: Callable[..., None],
) -> None:
    file = tmp_path / "Leser Briefe.csv"
    rows = [f'{n},"letter {n}, <i>dear</i> editor",{n % 5}' for n in range(1, 41)]
    file.write_text("\n".join(["id,letter,likes", *rows]))
    page.goto("/")
    assert_accessible(page)
    shot(page, "begin")
    page.get_by_role("link", name="Import a file").first.click()
    page.get_by_label("File").set_input_files(file)
    assert_accessible(page)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="Import Leser_Briefe.csv")).to_be_visible()
    expect(page.get_by_text("CSV, UTF-8, comma")).to_be_visible()
    expect(page.get_by_role("row", name="letter").first).to_contain_text("letter 1, <i>dear</i> editor")
    assert_accessible(page)
    shot(page, "import")
    page.get_by_label("Table").fill("letters")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_label("Table")).to_have_value("letters")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#panel")).to_contain_text("done")
    assert project.database.count("letters") == 40

    page.goto("/")
    page.get_by_role("link", name="New task").last.click()
    page.get_by_label("What is asked, in a few words").fill("Is it kind?")
    page.get_by_label("Name of the task").fill("Kind!")
    expect(page.locator("#problem-name")).to_contain_text("expected a lower-case letter")
    page.get_by_label("Name of the task").fill("kind")
    expect(page.locator("#problem-name")).to_be_hidden()
    first, second = page.get_by_role("group", name="Class 1"), page.get_by_role("group", name="Class 2")
    first.get_by_label("Name").fill("kind")
    first.get_by_label("When to choose it").fill("It thanks somebody.")
    second.get_by_label("Name").fill("rude")
    page.get_by_role("button", name="Add a class").click()
    page.get_by_role("group", name="Another class").get_by_label("Name").fill("neither")
    page.get_by_role("combobox", name="Encoder of texts").fill("hashing")
    assert_accessible(page)
    shot(page, "new_task", full_page=True)
    page.get_by_role("button", name="Make the task").click()

    expect(page.get_by_role("heading", name="kind", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="task file ok")).to_contain_text("3 classes: kind, rude, neither")
    expect(page.get_by_role("row", name="coding guide warning").first).to_contain_text("rude, neither")
    assert_accessible(page)
    next_step = page.get_by_role("link", name="Compute what rules and models read")
    expect(next_step).to_be_visible()
    task = project.task("kind")
    assert task.class_names == ["kind", "rude", "neither"]
    assert [column.name for column in task.columns] == ["letter"]
    page.get_by_role("button", name="Compute features").click()
    expect(page.locator("#panel")).to_contain_text("done")
    page.goto("/tasks/kind")
    expect(page.get_by_role("link", name="Write rules and see what they hit")).to_be_visible()


def test_a_file_of_another_kind_is_refused_where_it_was_chosen(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x04.")
    page.goto("/import")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("ends in '.pkl'")
    page.said.clear()  # type: ignore[attr-defined]  # the console tells of the answer's status


def test_the_example_is_loaded_with_one_button_and_the_tour_begins(page: Page) -> None:
    page.goto("/")
    page.wait_for_load_state(
        "networkidle"
    )  # what is asked for while rows are written may be told to come again
    page.get_by_role("button", name="Load the example").click()
    expect(page.get_by_role("complementary", name="Tour of the example")).to_contain_text("1 of 6: The table")
    page.goto("/tasks/spam")
    expect(page.get_by_text("12, of them 6")).to_be_visible()
