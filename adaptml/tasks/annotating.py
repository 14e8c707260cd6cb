"""What a task tells Label Studio and its annotators: the labelling page and the coding guide."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from adaptml.tasks.page_choices import page_choices
from adaptml.tasks.schema import NONE_CHOICE, Task

EARLIER = "earlier"  # the style of a choice that is only shown in annotations that hold it


def label_config(task: Task, held: Mapping[str, int] | None = None) -> str:
    """Label Studio's labelling configuration: every column as its object tag, one choice per class.

    The choice `NONE` stands for a data point about none of the classes.

    Args:
        task: the classes, and what annotators see.
        held: as for `page_choices`.
    """
    view = Element("View")
    boxes = page_choices(task, held)
    if any(box.earlier for box in boxes):
        SubElement(view, "Style").text = f".{EARLIER}:not(:has(:checked)) {{ display: none }}"
    SubElement(view, "Header", value=task.title)
    for column in task.columns:
        SubElement(view, column.type.capitalize(), {"name": column.name, "value": f"${column.name}"})
    target = {"name": "label", "toName": task.columns[0].name, "choice": task.problem.choice}
    choices = SubElement(view, "Choices", target | {"required": "true"})
    for box in boxes:
        alias = {} if box.stored == box.shown else {"alias": box.stored}
        parent = SubElement(choices, "View", className=EARLIER) if box.earlier else choices
        SubElement(parent, "Choice", {"value": box.shown} | alias)
    indent(view)
    return tostring(view, encoding="unicode") + "\n"


def coding_guide(task: Task) -> str:
    """What annotators are told, as Markdown: the question, then each class and when to choose it."""
    described = [task.description, ""] if task.description else []
    lines = [f"# {task.title}", "", *described, task.problem.instruction, ""]
    for spec in task.classes:
        lines += [f"## {spec.name}", "", *([spec.description, ""] if spec.description else [])]
        lines += [f"- {example}" for example in spec.examples] + ([""] if spec.examples else [])
    lines += [f"## {NONE_CHOICE}", "", "None of the above.", ""]
    return "\n".join(lines)
