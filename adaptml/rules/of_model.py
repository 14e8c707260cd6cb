"""`rules.json`: the rules behind a label model, and their votes as far as they are data.

It goes with a label run and with each model that was trained on its votes. Whoever writes to MLflow can have
written it: nothing in it is run, sizes are bounded, and no regular expression keeps its reader busy.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from adaptml.errors import FeatureError, LabellingError, ModelError, one_line
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.words import normalized
from adaptml.files import read_bounded, write_text
from adaptml.rules.core import KeywordRule, RegexRule, Rule
from adaptml.rules.keywords import KeywordSearch
from adaptml.rules.linear import LinearSearch, NotLinearError
from adaptml.tasks import ABSTAIN, MAX_CLASSES
from adaptml.tasks.vote_codes import VoteCodes
from adaptml.validation import validation_problems

MAX_BYTES = 16 * 2**20
MAX_RULES, MAX_COLUMNS = 10_000, 1_000
MAX_PATTERNS = (
    50_000  # characters of all regular expressions: some take `re` 10 ms for five characters to read
)
MAX_STEPS = (
    20_000_000  # of all regular expressions on one data point: a few seconds, where they are the worst
)
_Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_Class = Annotated[int, Field(ge=0, lt=MAX_CLASSES, strict=True)]


class VotingRule(BaseModel):
    """One labelling function.

    Attributes:
        name: its name.
        vote: what it says where it votes: a class's number, or from k on the number of a set of classes;
            None where only its code knows.
        rule: where it votes; None where only its code knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    vote: _Class | None = None
    rule: Annotated[Rule, Field(discriminator="kind")] | None = None


class Cast(NamedTuple):
    """What rules say of r data points.

    Attributes:
        votes: int8 (r, m), -1 where a rule abstains.
        told: bool (r,), False where the votes are not known, as of a text that is too long for the regular
            expressions.
    """

    votes: npt.NDArray[np.int8]
    told: npt.NDArray[np.bool_]


class ModelRules(BaseModel):
    """The m labelling functions behind a label model, in the order of its votes.

    Attributes:
        format: of the file.
        task: name of the task.
        lfs: what tells these labelling functions from others, code and word lists included; votes that were
            stored under another one are of other rules.
        classes: k names; votes are their numbers.
        sets: sets of classes, by their numbers; a vote of k + i stands for `sets[i]`.
        columns: what labelling functions read, as they call it → the column or the version of a feature.
        rules: the labelling functions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    task: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,99}$")]
    lfs: Annotated[str, StringConstraints(max_length=100)]
    classes: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=MAX_CLASSES)]
    sets: Annotated[tuple[tuple[_Class, ...], ...], Field(max_length=MAX_CLASSES)] = ()
    columns: Annotated[dict[_Name, _Name], Field(max_length=MAX_COLUMNS)]
    rules: Annotated[tuple[VotingRule, ...], Field(min_length=1, max_length=MAX_RULES)]

    @field_validator("rules", mode="before")
    @classmethod
    def _soon_read(cls, rules: Any) -> Any:
        found = [one.get("rule") for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []
        patterns = [str(rule.get("pattern", "")) for rule in found if isinstance(rule, dict)]
        if sum(map(len, patterns)) > MAX_PATTERNS:
            raise ValueError(f"regular expressions of more than {MAX_PATTERNS:,} characters")
        return rules

    @model_validator(mode="after")
    def _fits(self) -> Self:
        most = len(self.classes) + len(self.sets)
        for one in self.rules:
            if (one.vote is None) != (one.rule is None) or (one.vote is not None and one.vote >= most):
                raise ValueError(f"rule {one.name!r} votes {one.vote}; expected a number below {most}")
            if one.rule is not None and one.rule.column not in self.columns:
                raise ValueError(f"rule {one.name!r} looks at {one.rule.column!r}, which is no column here")
        if any(c >= len(self.classes) for classes in self.sets for c in classes):
            raise ValueError(f"has sets of other classes than its {len(self.classes)}")
        if len(set(self.names)) < len(self.rules):
            raise ValueError("has two rules of one name")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the m labelling functions."""
        return tuple(one.name for one in self.rules)

    @cached_property
    def not_data(self) -> tuple[str, ...]:
        """Names of those that only `lfs.py` can apply: code, and expressions that look around."""
        of_code = {one.name for one in self.rules if one.rule is None}
        unsearched = {name for name, search in self._expressions.items() if search is None}
        return tuple(name for name in self.names if name in of_code | unsearched)

    @property
    def inputs(self) -> list[str]:
        """What the labelling functions may read: columns, and versions of features."""
        return list(dict.fromkeys(self.columns.values()))

    @property
    def looked_at(self) -> list[Reference]:
        """What the rules that are data look at."""
        names = dict.fromkeys(one.rule.column for one in self.rules if one.rule is not None)
        return list(dict.fromkeys(Reference.recorded(self.columns[name]) for name in names))

    def of_run(self, run_id: str) -> Self:
        """The same, of a run's own where nothing else tells these labelling functions from others."""
        return self if self.lfs else self.model_copy(update={"lfs": run_id})

    def said(self, votes: npt.NDArray[np.int8]) -> dict[str, str]:
        """What labelling functions say of one point, by their names; votes are int8 (m,)."""
        words = VoteCodes(len(self.classes), self.sets).names(self.classes)
        return {name: words[vote] for name, vote in zip(self.names, votes, strict=True) if vote >= 0}

    def cast(self, values: Mapping[str, Sequence[Any]]) -> Cast:
        """The votes on r data points, where all rules are data: those of the labelling functions themselves.

        Args:
            values: the column or version of a feature, of those in `looked_at` → its r values.

        Raises:
            FeatureError: values that a rule cannot look at.
        """
        n = len(next(iter(values.values())))
        votes, told = np.full((n, len(self.rules)), ABSTAIN, np.int8), np.ones(n, np.bool_)
        # A feature has a value for each row that it was computed for, be it an empty list.
        for reference in self.looked_at:
            if reference.version != COLUMN:
                told &= [value is not None for value in values[str(reference)]]
        told &= self._short_enough(values)
        rows = np.flatnonzero(told).tolist()
        if not rows:
            return Cast(votes, told)
        chosen = {name: [cells[row] for row in rows] for name, cells in values.items()}
        try:
            for where, j in self._hits(chosen):
                votes[np.array(rows)[where], j] = self._codes[j]
        except LabellingError as error:
            raise FeatureError(str(error)) from error
        return Cast(votes, told)

    def _hits(self, values: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, Any]]:
        """Which rows which rules vote on, as one indexes with them."""
        for column, (search, owners) in self._keywords.items():
            first = self.rules[owners[0]].rule
            assert first is not None  # noqa: S101 - keywords are data
            rows, found = search.find(values[self.columns[column]], first.where)
            yield rows, owners[found]
        for j, one in enumerate(self.rules):
            if one.rule is None or isinstance(one.rule, KeywordRule):
                continue
            cells = values[self.columns[one.rule.column]]
            if isinstance(one.rule, RegexRule):
                one.rule.check(cells)
                search_one = self._expressions[one.name]
                assert search_one is not None  # noqa: S101 - asked only where all rules are data
                hits = [isinstance(cell, str) and search_one.found(normalized(cell)) for cell in cells]
                yield np.flatnonzero(np.array(hits, np.bool_)), j
            else:
                yield np.flatnonzero(one.rule.hits(cells)), j

    def _short_enough(self, values: Mapping[str, Sequence[Any]]) -> npt.NDArray[np.bool_]:
        """Which rows hold texts that the regular expressions can be looked for in, in a bounded time."""
        steps = np.zeros(len(next(iter(values.values()))))
        for one in self.rules:
            search = self._expressions.get(one.name)
            if one.rule is not None and search is not None:
                cells = values[self.columns[one.rule.column]]
                steps += [len(cell) * search.n_nodes if isinstance(cell, str) else 0 for cell in cells]
        return np.asarray(steps <= MAX_STEPS)

    @cached_property
    def _codes(self) -> npt.NDArray[np.int8]:
        return np.array([ABSTAIN if one.vote is None else one.vote for one in self.rules], np.int8)

    @cached_property
    def _expressions(self) -> dict[str, LinearSearch | None]:
        """Name of a rule with a regular expression → what searches it; None for one that looks around."""
        return {one.name: _linear(one.rule) for one in self.rules if isinstance(one.rule, RegexRule)}

    @cached_property
    def _keywords(self) -> dict[str, tuple[KeywordSearch, npt.NDArray[np.int64]]]:
        """Column → what looks for the keywords of all its rules, and the rule of each keyword."""
        by_column: dict[str, list[tuple[int, KeywordRule]]] = {}
        for j, one in enumerate(self.rules):
            if isinstance(one.rule, KeywordRule):
                by_column.setdefault(one.rule.column, []).append((j, one.rule))
        found = {}
        for column, group in by_column.items():
            keywords = [rule.to_find() for _, rule in group]
            owners = np.repeat([j for j, _ in group], list(map(len, keywords)))
            found[column] = KeywordSearch(list(chain.from_iterable(keywords))), owners
        return found

    def write(self, path: Path) -> Path:
        """Write `rules.json`, whole or not at all; returns the path."""
        return write_text(self.model_dump_json(exclude_none=True) + "\n", path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            ModelError: it is absent, is something else, or is larger than a model's can be.
        """
        try:
            return cls.model_validate_json(read_bounded(path, MAX_BYTES))
        except (OSError, ValueError) as error:  # pydantic's is a ValueError
            wrong = validation_problems(error)[0] if isinstance(error, ValidationError) else one_line(error)
            raise ModelError(
                f"{path} does not hold the rules of a model ({wrong}); label and train again"
            ) from error


def _linear(rule: RegexRule) -> LinearSearch | None:
    try:
        return LinearSearch(normalized(rule.pattern))
    except NotLinearError:
        return None


def digest_of_lfs(classes: Sequence[str], digests: Mapping[str, str | None]) -> str:
    """What tells a task's labelling functions from others, in their order; empty where that is not certain.

    Args:
        classes: k names: votes are their numbers.
        digests: name → fingerprint, None where it could not be certain.
    """
    if None in digests.values():
        return ""
    text = "\0".join([*classes, "", *(f"{name}\0{digest}" for name, digest in digests.items())])
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
