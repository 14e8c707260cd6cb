"""The kinds of rules that are data: keywords, a regular expression, a range of numbers, examples."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import chain
from numbers import Real
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from adaptml.errors import LabellingError
from adaptml.features.cosine import Matrix, unit_rows
from adaptml.features.lemmas import DEFAULT_LANGUAGE
from adaptml.features.words import normalized
from adaptml.rules.keywords import Keyword, KeywordSearch, Numbers, is_missing
from adaptml.tasks.class_sets import AllBut
from adaptml.validation import validation_problems

Hits = npt.NDArray[np.bool_]


class _Rule(BaseModel):
    """What every rule has.

    Attributes:
        name: of the labelling function.
        label: name of the class that it votes for, or its number; or several of which it is one; or those
            of which it is none.
        column: what it looks at.
        UNSAID: what is left out where people read what it says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    UNSAID: ClassVar[dict[str, Any]] = {"name": True, "kind": True}

    name: str
    label: int | str | tuple[int | str, ...] | AllBut
    column: str

    def hits(self, values: Sequence[Any]) -> Hits:
        """Which of r values it votes on: bool (r,); a missing value is never one.

        Raises:
            LabellingError: a value of a type that it cannot look at.
        """
        raise NotImplementedError

    @property
    def where(self) -> str:
        """How a message begins."""
        return f"the labelling function {self.name!r} looks at the column {self.column!r}"


class KeywordRule(_Rule):
    """Votes where one of its keywords is found, see `KeywordSearch`.

    Attributes:
        keywords: at least one.
        exact: found only as they are written.
        language: ISO code; of the lemmas.
    """

    kind: Literal["keywords"] = "keywords"
    keywords: frozenset[str] = Field(min_length=1)
    exact: bool = False
    language: str = DEFAULT_LANGUAGE

    @field_serializer("keywords", when_used="json")
    def _in_order(self, keywords: frozenset[str]) -> list[str]:
        return sorted(keywords)

    def to_find(self) -> list[Keyword]:
        """Its keywords by the alphabet."""
        return [Keyword(text, self.exact, self.language) for text in sorted(self.keywords)]

    def hits(self, values: Sequence[Any]) -> Hits:
        """Which of r values hold a keyword: bool (r,)."""
        found = np.zeros(len(values), np.bool_)
        found[keyword_search((self,))[0].find(values, self.where)[0]] = True
        return found


@lru_cache(maxsize=128)  # it is asked for once a chunk of rows
def keyword_search(rules: tuple[KeywordRule, ...]) -> tuple[KeywordSearch, Numbers]:
    """What looks for the keywords of some rules, one rule's after the other's, and the rule of each keyword.

    Args:
        rules: over one column.

    Returns:
        The search of all k keywords; numbers of their rules, int64 (k,).
    """
    keywords = [rule.to_find() for rule in rules]
    owners = np.repeat(np.arange(len(rules)), list(map(len, keywords)))
    return KeywordSearch(list(chain.from_iterable(keywords))), owners


class RegexRule(_Rule):
    """Votes where a regular expression is found in a text.

    Attributes:
        pattern: of Python's `re`; letters match in either case. Pattern and text are brought to form NFC.
    """

    kind: Literal["regex"] = "regex"
    pattern: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile(normalized(self.pattern), re.IGNORECASE)

    def hits(self, values: Sequence[Any]) -> Hits:
        """Which of r texts hold it: bool (r,); texts that are equal are searched once."""
        self.check(values)
        search = self._expression.search
        found = {
            text: search(normalized(text)) is not None
            for text in dict.fromkeys(values)
            if isinstance(text, str)
        }
        return np.fromiter((found.get(value, False) for value in values), np.bool_, len(values))

    def check(self, values: Sequence[Any]) -> None:
        """Refuse what is no text.

        Raises:
            LabellingError: a value that is neither text nor missing.
        """
        kinds = {kind for kind in set(map(type, values)) if not issubclass(kind, str)}
        wrong = [value for value in values if type(value) in kinds and not is_missing(value)] if kinds else []
        if wrong:
            raise LabellingError(
                f"{self.where}, which holds {type(wrong[0]).__name__}; expected text: name a column of text"
            )


class NumberRule(_Rule):
    """Votes where a number is in a range; the bounds do not belong to it.

    Attributes:
        above, below: at least one of them.
    """

    kind: Literal["number"] = "number"
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a range of numbers needs above, below or both")
        if self.above is not None and self.below is not None and not self.above < self.below:
            raise ValueError(f"no number is above {self.above} and below {self.below}")
        return self

    def hits(self, values: Sequence[Any]) -> Hits:
        """Which of r numbers are in the range: bool (r,)."""
        kinds = {kind for kind in set(map(type, values)) if not issubclass(kind, Real | Decimal)}
        wrong = [value for value in values if type(value) in kinds and value is not None] if kinds else []
        if wrong:
            raise LabellingError(
                f"{self.where}, which holds {type(wrong[0]).__name__}; expected numbers: name another column"
            )
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        above = True if self.above is None else numbers > self.above
        below = True if self.below is None else numbers < self.below
        return np.asarray(above & below & ~np.isnan(numbers))


class Example(BaseModel):
    """A data point that is an example, with its vector (d,)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table_name: str
    id: str
    vector: tuple[float, ...] = Field(min_length=1)

    @classmethod
    def of(cls, table_name: str, key: str, vector: Sequence[float]) -> Self:
        """An example whose numbers are written as float32 tells them apart."""
        return cls(table_name=table_name, id=key, vector=tuple(round(float(x), 7) for x in vector))


class Examples(BaseModel):
    """What a file of examples holds.

    Attributes:
        like: at least one row that the rule is to find, with its vector.
        unlike: rows that it is not to find.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    like: tuple[Example, ...]
    unlike: tuple[Example, ...] = ()


class LikeRule(_Rule):
    """Votes where a vector is like one of some examples, and less like all counterexamples.

    Attributes:
        like: at least one example.
        unlike: counterexamples.
        above: the smallest cosine with an example, in [-1, 1].
    """

    UNSAID: ClassVar[dict[str, Any]] = {
        "name": True, "kind": True, "like": {"__all__": {"vector"}}, "unlike": {"__all__": {"vector"}}
    }  # fmt: skip

    kind: Literal["like"] = "like"
    like: tuple[Example, ...] = Field(min_length=1)
    unlike: tuple[Example, ...] = ()
    above: float = Field(ge=-1, le=1)

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        lengths = sorted({len(example.vector) for example in (*self.like, *self.unlike)})
        if len(lengths) > 1:
            raise ValueError(f"its examples have vectors of {lengths[0]} and of {lengths[-1]} numbers")
        return self

    @cached_property
    def _examples(self) -> tuple[Matrix, Matrix]:
        like, unlike = ([e.vector for e in examples] for examples in (self.like, self.unlike))
        return unit_rows(like), unit_rows(np.reshape(unlike, (len(unlike), len(like[0]))))

    def hits(self, values: Sequence[Any]) -> Hits:
        """Which of r vectors are like an example: bool (r,)."""
        found = np.zeros(len(values), np.bool_)
        there = [place for place, value in enumerate(values) if not is_missing(value)]
        like, unlike = self._examples
        wrong = [values[i] for i in there if np.shape(values[i]) != (like.shape[1],)]
        if wrong:
            what = type(wrong[0]).__name__ if np.ndim(wrong[0]) != 1 else f"{len(wrong[0])} numbers"
            raise LabellingError(
                f"{self.where}, which holds {what}; its examples have vectors of {like.shape[1]} numbers: "
                "name the vector column that they were chosen by, or choose them again"
            )
        if there:
            vectors = unit_rows(np.stack([values[i] for i in there]))
            nearest = (vectors @ like.T).max(axis=1)
            beaten = (vectors @ unlike.T).max(axis=1, initial=-np.inf) >= nearest
            found[there] = (nearest >= self.above) & ~beaten
        return found


Rule = KeywordRule | RegexRule | NumberRule | LikeRule
_RULES: TypeAdapter[Rule] = TypeAdapter(Annotated[Rule, Field(discriminator="kind")])


def rule_from_json(text: str | bytes) -> Rule:
    """The rule that `to_json` of a labelling function wrote.

    Raises:
        LabellingError: it is none.

    >>> text = '{"kind": "number", "name": "late", "label": "bad", "column": "minutes", "above": 15}'
    >>> rule_from_json(text).hits([40, None])
    array([ True, False])
    """
    try:
        return _RULES.validate_json(text)
    except ValidationError as error:
        raise LabellingError(f"this is no rule: {'; '.join(validation_problems(error))}") from error
