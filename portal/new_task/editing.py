"""Editing a task: the texts that annotators read, by a form; and its whole file."""

from difflib import unified_diff
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from adaptml.errors import TaskError, one_line
from adaptml.tasks import Task
from adaptml.tasks.editing import (
    Guide,
    TaskChangedError,
    TaskEdits,
    digest_of,
    edit_task,
    read_task,
    write_task,
)
from portal.new_task.making import lines_of, text_encoders
from portal.new_task.overview import address_of
from portal.showing import go, project_of, show

router = APIRouter()


def edits_of(
    title: Annotated[str, Form()] = "",
    description: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
    positive: Annotated[str, Form()] = "",
    feedback: Annotated[bool, Form()] = False,
    class_name: Annotated[list[str] | None, Form()] = None,
    class_description: Annotated[list[str] | None, Form()] = None,
    class_examples: Annotated[list[str] | None, Form()] = None,
    encoder_of: Annotated[list[str] | None, Form()] = None,
    encoder: Annotated[list[str] | None, Form()] = None,
) -> TaskEdits:
    """What was typed."""
    texts = zip(class_name or [], class_description or [], class_examples or [], strict=False)
    return TaskEdits(
        title=title.strip(),
        description=description.strip(),
        language=language.strip(),
        positive=positive,
        feedback=feedback,
        guides={name: Guide(said.strip(), lines_of(examples)) for name, said, examples in texts},
        encoders=dict(zip(encoder_of or [], encoder or [], strict=False)),
    )


@router.get("/tasks/{task}/edit")
def edit(request: Request, task: str) -> Response:
    """The form."""
    found, text = read_task(project_of(request).settings.tasks_dir, task)
    return _form(request, found, _as_it_is(found), digest_of(text))


@router.post("/tasks/{task}/edit")
def save(
    request: Request,
    task: str,
    edits: Annotated[TaskEdits, Depends(edits_of)],
    seen: Annotated[str, Form()],
) -> Response:
    """Write what was typed, or show what is wrong with it."""
    tasks_dir = project_of(request).settings.tasks_dir
    before, _ = read_task(tasks_dir, task)
    try:
        edit_task(tasks_dir, task, edits, seen)
    except TaskChangedError as error:  # the next save is about what the file says now
        return _form(
            request, before, edits, digest_of(error.text), str(error), changed=_as_it_is(before), status=409
        )
    except TaskError as error:
        return _form(request, before, edits, seen, one_line(error), status=422)
    return go(request, address_of(task))


@router.get("/tasks/{task}/file")
def file(request: Request, task: str) -> Response:
    """The whole file."""
    _, text = read_task(project_of(request).settings.tasks_dir, task)
    return show(
        request, "new_task/file.html", task=task, text=text, seen=digest_of(text), problem="", changes=[]
    )


@router.post("/tasks/{task}/file")
def save_file(
    request: Request, task: str, text: Annotated[str, Form()] = "", seen: Annotated[str, Form()] = ""
) -> Response:
    """Write the whole file, or show what is wrong with it."""
    tasks_dir = project_of(request).settings.tasks_dir
    _, before = read_task(tasks_dir, task)
    if "\r\n" not in before:  # a form's text has these line ends, whatever the file has
        text = text.replace("\r\n", "\n")
    try:
        write_task(tasks_dir, task, text, seen)
    except TaskChangedError as error:
        changes = [
            *unified_diff(text.splitlines(), error.text.splitlines(), "yours", "the file now", lineterm="")
        ]
        seen, problem, status = digest_of(error.text), str(error), 409
    except TaskError as error:
        changes, problem, status = [], one_line(error), 422
    else:
        return go(request, address_of(task))
    return show(
        request,
        "new_task/file.html",
        status=status,
        task=task,
        text=text,
        seen=seen,
        problem=problem,
        changes=changes,
    )


def _form(
    request: Request,
    task: Task,
    edits: TaskEdits,
    seen: str,
    problem: str = "",
    *,
    changed: TaskEdits | None = None,
    status: int = 200,
) -> Response:
    return show(
        request,
        "new_task/edit.html",
        status=status,
        task=task.name,
        of_task=task,
        edits=edits,
        seen=seen,
        problem=problem,
        elsewhere=[] if changed is None else _differences(edits, changed),
        encoders=text_encoders(),
    )


def _as_it_is(task: Task) -> TaskEdits:
    """A task's own values, as the form has them."""
    return TaskEdits(
        title=task.title,
        description=task.description,
        language=task.language,
        positive=task.positive or "",
        feedback=task.feedback,
        guides={spec.name: Guide(spec.description, spec.examples) for spec in task.classes},
        encoders={part.text: part.encoder for part in task.featurize if part.vector},
    )


def _differences(typed: TaskEdits, now: TaskEdits) -> list[tuple[str, str]]:
    """What the file says now where something else was typed: the field's name and the file's value."""
    names = ("title", "description", "language", "positive")
    found = [(name, getattr(now, name)) for name in names if getattr(now, name) != getattr(typed, name)]
    for name, guide in now.guides.items():
        other = typed.guides.get(name)
        if other is None or (other.description, [*other.examples]) != (guide.description, [*guide.examples]):
            found.append((name, "\n".join([guide.description, *guide.examples])))
    return found
