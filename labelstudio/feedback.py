"""What an annotation says beside its label: words that were marked for a class, and a comment."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

from adaptml.tasks.annotating import WHAT_DECIDED, is_words_control
from labelstudio.export import Annotation, Result


class Mark(NamedTuple):
    """Words that somebody marked in a column of text, and the class that they speak for."""

    class_name: str
    column: str
    text: str


def is_feedback(result: Result) -> bool:
    """Whether a result is of one of the controls that `feedback` adds to the labelling page."""
    return result.from_name == WHAT_DECIDED or is_words_control(result.from_name)


def without_marks_in(annotation: Annotation, columns: Collection[str]) -> Annotation:
    """The annotation without marks in columns that showed nothing but the note that says so."""
    if not columns:
        return annotation
    kept = [r for r in annotation.result if not (is_words_control(r.from_name) and r.to_name in columns)]
    return replace(annotation, result=tuple(kept))


def marks_of(annotation: Annotation) -> list[Mark]:
    """The words that were marked, in their order; the same words of a column and class once."""
    found: dict[Mark, None] = {}
    for result in annotation.result:
        text = result.value.get("text")
        if is_words_control(result.from_name) and isinstance(text, str):
            for path in result.chosen or []:
                found[Mark(path[-1], result.to_name, _whole(text))] = None
    return list(found)


def comment_of(annotation: Annotation) -> str:
    """What was written about the decision; empty where nothing was."""
    lines: list[Any] = []
    for result in annotation.result:
        if result.from_name == WHAT_DECIDED:
            text = result.value.get("text")
            lines += [text] if isinstance(text, str) else text if isinstance(text, list) else []
    return "\n".join(_whole(line).strip() for line in lines if isinstance(line, str)).strip()


def _whole(text: str) -> str:
    """The text with `?` for half a character, which JSON can hold and no file takes."""
    return text.encode("utf-8", "replace").decode()
