"""A question to a room: what it is called, who answers it, and what can go wrong."""

from dataclasses import dataclass
from typing import Any, Protocol

from adaptml.errors import AdaptmlError


class AskError(AdaptmlError):
    """A question that got no answer: it took too long or too much memory, or its process ended.

    Attributes:
        file: the person's own file in which it was, where that is known.
        line: the line there, from 1.
        rule: the function there.
        printed: what the person's code had printed, see `Ask`.
    """

    file: str | None = None
    line: int | None = None
    rule: str | None = None
    printed: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of question.

    Attributes:
        function: `module:name` of what answers it: gets the project, and the question's values by keyword,
            and returns what JSON can hold.
        room: the room in whose container it is answered in the stack: labelling, modelling or annotation.
        limited: it runs a person's code, so each question gets a process of its own, with limits.
    """

    function: str
    room: str
    limited: bool = False


class Ask(Protocol):
    """Asks a question and waits for the answer.

    The answer of a kind that is limited has one value more, `printed`: what the person's code printed, as
    dictionaries of `text`, and `file` and `line` of the code that did, or None; together at most 64 kB.

    Raises:
        AskError: there was no answer.
        AdaptmlError: what the room raised.
    """

    def __call__(self, kind: str, /, **payload: Any) -> dict[str, Any]:
        """Ask a question of a kind, with the values that its function takes."""
