"""Pydantic's problems as one line each."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from adaptml.validation import validation_problems


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sizes: tuple[int, int]
    name: str = ""


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, ["sizes: missing"]),
        ({"sizes": [1, 2], "size": 3}, ["size: unknown key, remove it"]),
        ({"sizes": [1, "two"]}, ["sizes[1]: Input should be a valid integer, unable to parse string as an integer, given 'two'"]),
        ({"sizes": [1, 2], "name": 7}, ["name: Input should be a valid string, given 7; text that looks like this needs quotes"]),
    ],
)  # fmt: skip
def test_place_problem_and_value(given: Any, problems: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Part.model_validate(given)
    assert validation_problems(caught.value) == problems


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ValidationError) as caught:
        Part.model_validate({"sizes": [1, 2], "name": list(range(10_000))})
    (problem,) = validation_problems(caught.value)
    assert problem.endswith("…")
    assert len(problem) < 200
