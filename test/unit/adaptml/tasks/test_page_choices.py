"""The boxes of the labelling page after the classes changed."""

from xml.etree import ElementTree

import pytest

from adaptml.tasks import Task
from adaptml.tasks.annotating import label_config
from adaptml.tasks.page_choices import page_choices
from labelstudio.page import CONTROL, boxes, class_lines


def task(classes: str, *changes: tuple[str, dict[str, list[str]]]) -> Task:
    made = [
        {"date": "2026-11-26", "before": before.split(), "becomes": becomes} for before, becomes in changes
    ]
    columns = [{"name": "txt"}]
    return Task.model_validate(
        {"classes": classes.split(), "class_changes": made, "columns": columns, "title": "q"}
    )


def shown(of: Task, **held: int) -> list[tuple[str, str]]:
    return [(box.shown, box.stored) for box in page_choices(of, held)]


RENAMED = task("cat dog", ("cat hound", {"hound": ["dog"]}))
NONE = ("NONE", "NONE")


def test_a_renamed_class_is_stored_as_most_annotations_hold_it() -> None:
    assert shown(RENAMED) == [("cat", "cat"), ("dog", "dog"), NONE, ("dog (annotated as hound)", "hound")]
    assert shown(RENAMED, hound=2, dog=1) == [
        ("cat", "cat"), ("dog", "hound"), NONE, ("dog (annotated as dog)", "dog"),
    ]  # fmt: skip
    again = task("cat pup", ("cat hound", {"hound": ["dog"]}), ("cat dog", {"dog": ["pup"]}))
    assert shown(again, hound=2)[1] == ("pup", "hound")


def test_merged_classes_keep_the_names_of_before_apart() -> None:
    merged = task("cat pet", ("cat dog hound", {"dog": ["pet"], "hound": ["pet"]}))
    assert shown(merged, dog=5) == [
        ("cat", "cat"), ("pet", "pet"), NONE,
        ("pet (annotated as dog)", "dog"), ("pet (annotated as hound)", "hound"),
    ]  # fmt: skip


def test_what_was_split_or_dropped_has_a_box_of_its_own() -> None:
    changed = task("cat pup hound", ("cat dog bird", {"dog": ["pup", "hound"], "bird": []}))
    assert shown(changed, dog=3)[4:] == [
        ("dog (was split: choose anew)", "dog"), ("bird (no class any more)", "bird"),
    ]  # fmt: skip


def test_boxes_of_before_are_hidden_where_they_are_not_chosen() -> None:
    view = ElementTree.fromstring(label_config(RENAMED, {"hound": 1}))
    (style,) = view.findall("Style")
    assert style.text == ".earlier:not(:has(:checked)) { display: none }"
    (control,) = view.findall("Choices")
    assert [choice.attrib for choice in control.findall("Choice")] == [
        {"value": "cat"}, {"value": "dog", "alias": "hound"}, {"value": "NONE"},
    ]  # fmt: skip
    (hidden,) = control.findall("View")
    assert hidden.attrib == {"className": "earlier"}
    assert [choice.attrib for choice in hidden] == [{"value": "dog (annotated as dog)", "alias": "dog"}]
    assert ElementTree.fromstring(label_config(task("cat dog"))).find("Style") is None


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        (RENAMED, ["class hound is now 'dog': 3 annotations go on showing it"]),
        (
            task("cat pup tyke", ("cat hound", {"hound": ["pup", "tyke"]})),
            ["class hound is now 'pup' or 'tyke': 3 annotations no longer say which class it is"],
        ),
        (
            task("cat bird", ("cat hound", {}), ("cat hound bird", {"hound": []})),
            ["class added: bird", "class hound is now no class: 3 annotations hold it"],
        ),
        (task("cat wolf"), ["class added: wolf", "class taken away: hound"]),
    ],
)
def test_what_a_new_page_changes(now: Task, lines: list[str]) -> None:
    before = boxes(label_config(task("cat hound")))[CONTROL]
    assert class_lines(now, before, {"hound": 3, "cat": 1}) == lines


def test_boxes_of_an_earlier_change_are_nothing_new() -> None:
    before = boxes(label_config(RENAMED, {"hound": 3}))[CONTROL]
    again = task("cat pup", ("cat hound", {"hound": ["dog"]}), ("cat dog", {"dog": ["pup"]}))
    assert class_lines(again, before, {"hound": 3}) == [
        "class dog is now 'pup': 3 annotations go on showing it"
    ]
