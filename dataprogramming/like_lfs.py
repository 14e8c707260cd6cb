"""Labelling functions that vote where a row is like one of some examples."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from adaptml.errors import LabellingError
from adaptml.files import write_text
from adaptml.rules.core import Example, Examples, LikeRule
from adaptml.tasks.class_sets import VoteFor, label_name
from adaptml.validation import validation_problems
from dataprogramming.lookup import beside
from dataprogramming.rule_lfs import RuleLF, no_rule

Vectors = Mapping[tuple[str, str], Sequence[float]]  # (table_name, id) → numbers


class LikeLF(RuleLF):
    """Votes where a vector is like one of some examples, see `like_lf`."""


def like_lf(name: str, path: str | Path, label: VoteFor, column: str, *, above: float) -> LikeLF:
    """A labelling function that votes `label` on rows that are like one of some examples.

    A row is like an example where the cosine of their vectors is `above` at least, and no counterexample is
    as near as the nearest example.

    Args:
        name: name of the LF, unique within the task.
        path: of a file of examples, as `write_examples` writes it; a relative path starts in the folder of
            the file that calls this, as `lfs.py`.
        label: as for `keyword_lf`.
        column: one of the task's LF features; its values are the vectors by which the examples were chosen.
        above: the smallest cosine, in [-1, 1].

    Raises:
        LabellingError: the file is missing or holds no examples, or their vectors differ in length.

    Example:
        >>> from types import SimpleNamespace
        >>> file = project.task("spam").folder / "like_gifts.json"
        >>> vectors = {("comments", "s2"): [1.0, 0.0]}, {("comments", "h2"): [0.0, 1.0]}
        >>> path = adaptml.write_examples(file, *vectors)
        >>> gifts = adaptml.like_lf("like_gifts", file, "spam", "vector", above=0.8)
        >>> [gifts(SimpleNamespace(vector=vector)) for vector in ([0.9, 0.1], [0.5, 0.5])]
        ['spam', -1]
    """
    file = beside(sys._getframe(1), path)
    examples = read_examples(file)
    try:
        rule = LikeRule(
            name=name,
            label=label_name(label),
            column=column,
            like=examples.like,
            unlike=examples.unlike,
            above=above,
        )
    except ValidationError as error:
        raise no_rule(name, error) from error
    return LikeLF(rule, label)


def write_examples(path: Path, like: Vectors, unlike: Vectors) -> Path:
    """Write a file of examples for `like_lf`, whole or not at all; returns the path.

    Args:
        path: a .json file.
        like: (table_name, id) → vector (d,) of each example, at least one.
        unlike: the same of counterexamples.

    Raises:
        FileError: the folder cannot be written.

    Example:
        >>> vectors = adaptml.table_vectors(project.points, "comments", "vector").of(["s6"])
        >>> like = {("comments", key): vector for key, vector in vectors.items()}
        >>> adaptml.write_examples(project.task("spam").folder / "like_s6.json", like, {}).name
        'like_s6.json'
    """
    groups = [_examples(vectors) for vectors in (like, unlike)]
    text = Examples(like=groups[0], unlike=groups[1]).model_dump_json(indent=1)
    return write_text(f"{text}\n", path)


def _examples(vectors: Vectors) -> tuple[Example, ...]:
    return tuple(Example.of(*key, vector) for key, vector in vectors.items())


def read_examples(path: Path) -> Examples:
    """What `write_examples` wrote.

    Raises:
        LabellingError: no such file, or one that holds something else.
    """
    try:
        return Examples.model_validate_json(path.read_bytes())
    except OSError as error:
        raise LabellingError(f"the examples {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise LabellingError(
            f"{path} holds no examples: {'; '.join(validation_problems(error))}; choose the rows again"
        ) from error
