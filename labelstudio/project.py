"""A task's project in Label Studio: found by a line in its description, made and kept up to date."""

from dataclasses import dataclass
from html import escape
from typing import Any, Literal, overload
from xml.etree import ElementTree

from adaptml.errors import LabelStudioError, listed
from adaptml.masking import without_user
from adaptml.tasks import NONE_CHOICE, Task, coding_guide, label_config
from adaptml.tasks.annotating import WHAT_DECIDED, words_controls
from adaptml.tasks.page_choices import page_choices
from labelstudio.client import LabelStudio
from labelstudio.page import CONTROL, boxes, class_lines, controls, held_names

ANNOTATORS_PER_POINT = 2
MAX_TITLE = 50  # of a project in Label Studio
_ANNOTATOR, _OVERLAP = "adaptml annotator: ", "adaptml overlap: "

Json = dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """The result of `setup`.

    Attributes:
        project: id of the project.
        url: its page.
        created: whether it is new.
        changes: what was changed, one line each; empty where nothing was.
    """

    project: int
    url: str
    created: bool
    changes: list[str]


@dataclass(frozen=True)
class Person:
    """An annotator with a project of their own.

    Attributes:
        email: of her account.
        overlap: share of the points that everybody gets, in [0, 1]; None for who gets no new points.
    """

    email: str
    overlap: float | None


def setup(
    studio: LabelStudio, task: Task, annotators_per_point: int | None = None, person: Person | None = None
) -> Setup:
    """Make or update the task's project, or a person's own; a second call changes nothing.

    No annotation is ever rewritten: names of before a change of the classes go on being shown and read.

    Args:
        studio: the server.
        task: gives the labelling page, the title and the annotators' instructions.
        annotators_per_point: how many people see each point; None leaves it, 2 for a new project.
        person: whose project it is; None for the one that all share.

    Raises:
        LabelStudioError: a change would orphan annotations, or there are several projects of the task.
    """
    found = _find_by_mark(studio, task, person)
    held = {} if found is None or not task.class_changes else held_names(studio.summary(int(found["id"])))
    wanted: Json = {
        "title": _title(task, person),
        "label_config": label_config(task, held),
        "expert_instruction": instructions(task),
        "show_instruction": True,
    }
    if person is not None:
        wanted |= {"maximum_annotations": 1, "description": _mark(task, person)}
    elif annotators_per_point is not None:
        wanted["maximum_annotations"] = annotators_per_point
    if found is None:
        made = studio.create_project(
            **{"maximum_annotations": ANNOTATORS_PER_POINT, "description": _mark(task, person)} | wanted
        )
        return Setup(int(made["id"]), _page_url(studio, made), created=True, changes=[])
    different = {name: value for name, value in wanted.items() if found[name] != value}
    if "label_config" in different and _same_page(found["label_config"], wanted["label_config"]):
        del different["label_config"]
    changes = [_NAMES[name] for name in different if name != "label_config"]
    if "label_config" in different:
        changes += _page_changes(studio, found, task)
    if different:
        studio.update_project(int(found["id"]), **different)
    return Setup(int(found["id"]), _page_url(studio, found), created=False, changes=changes)


@overload
def find_project(studio: LabelStudio, task: Task, *, required: Literal[True] = True) -> Json: ...
@overload
def find_project(studio: LabelStudio, task: Task, *, required: bool) -> Json | None: ...
def find_project(studio: LabelStudio, task: Task, *, required: bool = True) -> Json | None:
    """The task's project that all share; None where there is none and none is required.

    Raises:
        LabelStudioError: there is none, or several.
    """
    found = _find_by_mark(studio, task)
    if found is None and required:
        raise LabelStudioError(
            f"Label Studio at {studio.url} has no project of task {task.name!r}, or it was deleted; "
            f"run `adaptml annotate setup {task.name}`"
        )
    return found


def check_page(project: Json, task: Task) -> None:
    """Refuse a labelling page without the task's classes.

    Raises:
        LabelStudioError: the page was changed in Label Studio, or the task file was.
    """
    theirs = boxes(project["label_config"]).get(CONTROL)
    if theirs is None:
        raise LabelStudioError(
            f"the labelling page of project {project['id']} has no Choices named {CONTROL!r}, so it was "
            f"changed in Label Studio; run `adaptml annotate setup {task.name}`"
        )
    held = {theirs[name]: 1 for name in task.class_names if name in theirs}  # as it was when it was made
    ours = {box.shown: box.stored for box in page_choices(task, held)}
    if theirs != ours:
        missing, more = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
        said = [f"does not have {listed(missing, 20)}"] * bool(missing)
        said += [f"also has {listed(more, 20)}"] * bool(more)
        said = said or ["stores classes under other names"]
        raise LabelStudioError(
            f"the labelling page of project {project['id']} {' and '.join(said)}, unlike the task file of "
            f"{task.name!r}; run `adaptml annotate setup {task.name}`"
        )
    if task.feedback and not _asks_for_feedback(project["label_config"]):
        raise LabelStudioError(
            f"the labelling page of project {project['id']} does not ask what decided, and the task file of "
            f"{task.name!r} says feedback: true; run `adaptml annotate setup {task.name}`"
        )


def _asks_for_feedback(config: str) -> bool:
    """Whether a labelling page has the controls of `feedback`."""
    controls = ElementTree.fromstring(config).iter("TextArea")  # noqa: S314 - as below
    return any(control.get("name") == WHAT_DECIDED for control in controls)


def instructions(task: Task) -> str:
    """The coding guide as HTML, which Label Studio shows to annotators."""
    lines = []
    in_list = False
    for line in coding_guide(task).splitlines():
        item = line.startswith("- ")
        if item != in_list:
            lines.append("<ul>" if item else "</ul>")
            in_list = item
        if item:
            lines.append(f"<li>{escape(line[2:])}</li>")
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#")) + 1
            lines.append(f"<h{level}>{escape(line.lstrip('# '))}</h{level}>")
        elif line:
            lines.append(f"<p>{escape(line)}</p>")
    return "\n".join([*lines, "</ul>"] if in_list else lines)


_NAMES = {
    "title": "the title",
    "expert_instruction": "the annotators' instructions",
    "show_instruction": "the instructions are shown again before labelling",
    "maximum_annotations": "how many people see each point",
    "description": "the share of points that everybody gets",
}


def _title(task: Task, person: Person | None) -> str:
    """The project's name; Label Studio takes 50 characters."""
    if person is None:
        return task.title
    name = f" ({person.email.partition('@')[0]})"[:MAX_TITLE]
    return task.title[: MAX_TITLE - len(name)] + name


def _mark(task: Task, person: Person | None = None) -> str:
    if person is None:
        return f"adaptml task: {task.name}\nThe line above ties this project to its task; keep it."
    lines = [f"adaptml task: {task.name}", f"{_ANNOTATOR}{person.email}"]
    lines += [] if person.overlap is None else [f"{_OVERLAP}{person.overlap:g}"]
    return "\n".join([*lines, "The lines above tie this project to its task and annotator; keep them."])


def people_of(studio: LabelStudio, task: Task) -> list[tuple[Person, Json]]:
    """Everybody with a project of their own, by e-mail address, and the project."""
    mark = f"adaptml task: {task.name}"
    found = []
    for project in studio.projects():
        lines = (project.get("description") or "").splitlines()
        emails = [line.removeprefix(_ANNOTATOR) for line in lines if line.startswith(_ANNOTATOR)]
        overlaps = [float(line.removeprefix(_OVERLAP)) for line in lines if line.startswith(_OVERLAP)]
        if mark in lines and emails:
            found.append((Person(emails[0], overlaps[0] if overlaps else None), project))
    return sorted(found, key=lambda entry: entry[0].email)


def _find_by_mark(studio: LabelStudio, task: Task, person: Person | None = None) -> Json | None:
    if person is not None:
        of_person = [project for other, project in people_of(studio, task) if other.email == person.email]
        return of_person[0] if of_person else None
    mark = _mark(task).splitlines()[0]
    described = [(project, (project.get("description") or "").splitlines()) for project in studio.projects()]
    found = [
        project
        for project, lines in described
        if mark in lines and not any(line.startswith(_ANNOTATOR) for line in lines)
    ]
    if len(found) > 1:
        ids = listed([str(project["id"]) for project in found])
        raise LabelStudioError(
            f"Label Studio at {studio.url} has {len(found)} projects of task {task.name!r} ({ids}); "
            f"delete all but one, or take the line {mark!r} out of their descriptions"
        )
    return found[0] if found else None


def _page_url(studio: LabelStudio, project: Json) -> str:
    return f"{without_user(studio.url)}/projects/{project['id']}/"


def _same_page(one: str, other: str) -> bool:
    """Whether two labelling pages differ in nothing but spaces and the order of attributes."""
    return bool(_config_tree(one) == _config_tree(other))


def _config_tree(config: str) -> Any:
    """A labelling page in a form that spaces and the order of attributes do not change."""
    try:
        root = ElementTree.fromstring(config)  # noqa: S314 - from our own server or our own words
    except ElementTree.ParseError:
        return None

    def plain(element: ElementTree.Element) -> Any:
        return element.tag, sorted(element.attrib.items()), [plain(child) for child in element]

    return plain(root)


def _page_changes(studio: LabelStudio, project: Json, task: Task) -> list[str]:
    """What replacing the labelling page changes, one line each.

    Raises:
        LabelStudioError: it would orphan annotations.
    """
    number = int(project["id"])
    summary = studio.summary(number)
    theirs = boxes(project["label_config"])
    known = {*task.meanings, NONE_CHOICE}
    annotated = int(project["total_annotations_number"])
    orphans = [
        f"{name!r} ({count} times)" if control == CONTROL else f"{name!r} of {control!r} ({count} times)"
        for control, names in summary["created_labels"].items()
        for name, count in names.items()
        if count > 0
        and not (name in known and control == CONTROL)
        and not (name in task.meanings and control in words_controls(task))
    ]
    before = next((c for c in controls(project["label_config"]) if c.get("name") == CONTROL), None)
    old_target, target = "" if before is None else before.get("toName"), task.columns[0].name
    several = before is not None and before.get("choice") == "multiple"
    absent = [column.name for column in task.columns if column.name not in summary["common_data_columns"]]
    reason = ""
    if orphans:
        reason = f"annotations hold {listed(sorted(orphans))}, which the task file does not have"
    elif annotated and several and task.problem.exclusive:
        reason = f"its {annotated} annotations may hold several classes, and the task file is multiclass now"
    elif annotated and before is not None and old_target != target:
        reason = f"its {annotated} annotations are about column {old_target!r}, not {target!r}"
    elif int(project["task_number"]) and absent:
        reason = f"its {project['task_number']} tasks have no column {listed(absent)}"
    if reason:
        raise LabelStudioError(
            f"the labelling page of project {number} cannot be replaced: {reason}; nothing was changed: "
            "take the change back in the task file, and make it with `adaptml task classes`, which keeps "
            "annotations readable; or begin a new project"
        )
    others = sorted(set(theirs) - {CONTROL})
    lines = class_lines(task, theirs.get(CONTROL, {}), held_names(summary))
    if task.feedback != _asks_for_feedback(project["label_config"]):
        lines.append("it asks what decided" if task.feedback else "it no longer asks what decided")
    lines += [f"control taken away, which had been added in Label Studio: {name}" for name in others]
    return lines or ["the labelling page is as the task file says again"]
