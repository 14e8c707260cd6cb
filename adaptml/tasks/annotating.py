"""What a task tells Label Studio and its annotators: the labelling page and the coding guide."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from adaptml.errors import listed
from adaptml.tasks.page_choices import PageChoice, page_choices
from adaptml.tasks.schema import NONE_CHOICE, Task

EARLIER = "earlier"  # the style of a choice that is only shown in annotations that hold it
_LACKING = "A data point may lack one of its parts ({}); a note then stands in its place. Decide by the rest."

# Label Studio's tag for each type of column; numbers are shown as they are written.
TAGS = {"text": "Text", "number": "Text", "image": "Image", "audio": "Audio", "video": "Video"}


WHAT_DECIDED = "what_decided"  # the control in which annotators write what decided
_WORDS_IN = "words_in_"  # and those in which they mark words, one for each column of text


def is_words_control(name: str) -> bool:
    """Whether a control of the labelling page is one in which words are marked."""
    return name.startswith(_WORDS_IN)


def words_controls(task: Task) -> dict[str, str]:
    """The controls in which words are marked and the column of each; none without `feedback`."""
    columns = [column.name for column in task.columns if task.feedback and column.type == "text"]
    return {f"{_WORDS_IN}{name}": name for name in columns}


def label_config(task: Task, held: Mapping[str, int] | None = None) -> str:
    """Label Studio's labelling configuration: every column as its object tag, one choice per class.

    The choice `NONE` stands for a data point about none of the classes. A task with `feedback` also has,
    for each column of text, labels to mark words with, one per class, and a field for what decided.

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
        shown = {"name": column.name, "value": f"${column.name}"}
        if task.feedback and column.type == "text":
            shown["granularity"] = "word"  # who marks half a word means the word
        SubElement(view, TAGS[column.type], shown)
    target = {"name": "label", "toName": task.columns[0].name, "choice": task.problem.choice}
    choices = SubElement(view, "Choices", target | {"required": "true"})
    _add_boxes(choices, "Choice", boxes)
    if task.feedback:
        _ask_for_feedback(view, task, boxes)
    indent(view)
    return tostring(view, encoding="unicode") + "\n"


def _add_boxes(control: Element, tag: str, boxes: Sequence[PageChoice]) -> None:
    for box in boxes:
        alias = {} if box.stored == box.shown else {"alias": box.stored}
        parent = SubElement(control, "View", className=EARLIER) if box.earlier else control
        SubElement(parent, tag, {"value": box.shown} | alias)


def _ask_for_feedback(view: Element, task: Task, boxes: Sequence[PageChoice]) -> None:
    """Controls that nobody has to use; they come last, so that the choices keep the keys 1, 2, 3."""
    for control, column in words_controls(task).items():
        SubElement(view, "Header", value=f"Which words of {column} decided? Optional", size="5")
        labels = SubElement(view, "Labels", name=control, toName=column)
        _add_boxes(labels, "Label", [box for box in boxes if box.stored != NONE_CHOICE])
    SubElement(view, "Header", value="What decided? Optional", size="5")
    target = {"name": WHAT_DECIDED, "toName": task.columns[0].name}
    SubElement(view, "TextArea", target | {"rows": "2", "maxSubmissions": "1", "editable": "true"})


def coding_guide(task: Task) -> str:
    """What annotators are told, as Markdown: the question, then each class and when to choose it."""
    described = [task.description, ""] if task.description else []
    lines = [f"# {task.title}", "", *described, task.problem.instruction, ""]
    if len(task.columns) > 1:
        lines += [_LACKING.format(listed([column.name for column in task.columns], 20)), ""]
    for spec in task.classes:
        lines += [f"## {spec.name}", "", *([spec.description, ""] if spec.description else [])]
        lines += [f"- {example}" for example in spec.examples] + ([""] if spec.examples else [])
    lines += [f"## {NONE_CHOICE}", "", "None of the above.", ""]
    return "\n".join(lines)
