"""What pydantic finds wrong, as text for our own errors: one line, every problem with its place."""

from typing import Any

from pydantic import ValidationError

MAX_CHARS = 80  # of a value that was given


def validation_problems(error: ValidationError) -> list[str]:
    """Each problem as text: its place, what is wrong, and what was given.

    A list that is too short only because its items are wrong counts as its items' problems.

    >>> from pydantic import TypeAdapter
    >>> try:
    ...     TypeAdapter(dict[str, list[int]]).validate_python({"sizes": [1, "two"]})
    ... except ValidationError as error:
    ...     validation_problems(error)
    ["sizes[1]: Input should be a valid integer, unable to parse string as an integer, given 'two'"]
    """
    errors = error.errors()
    places = [e["loc"] for e in errors]
    inside = {place[:end] for place in places for end in range(len(place))}
    return [_problem(e) for e in errors if e["type"] != "too_short" or e["loc"] not in inside]


def place(location: tuple[int | str, ...]) -> str:
    """Where in nested values something is.

    >>> place(("classes", 0, "name"))
    'classes[0].name'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _problem(error: Any) -> str:
    where = place(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key, remove it"
    if error["type"] == "missing":
        return f"{where}: missing"
    message = error["msg"].removeprefix("Value error, ").replace("tuple", "list").replace("Tuple", "List")
    given = "" if error["type"] == "value_error" else f", given {_shown(error['input'])}"
    if error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
        given += "; text that looks like this needs quotes"
    return f"{where + ': ' if where else ''}{message}{given}"


def _shown(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}…"
