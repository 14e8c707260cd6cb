"""A task: the one place where a class name, a feature column or a threshold is written."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from adaptml.errors import listed
from adaptml.tasks.class_changes import ClassChange, Now, Possible, meanings, translated
from adaptml.tasks.labels import Labels
from adaptml.tasks.metric_names import MetricName, metric_problem
from adaptml.tasks.problems import PROBLEM_TYPES, ProblemType, problem_type
from adaptml.validation import validation_problems

StrategyName = Literal[
    "auto",
    "constant",
    "label_model",
    "gold",
    "weak",
    "union",
    "stacked",
    "stacked_votes",
    "relabelled",
    "relabelled_votes",
]
MAX_CLASSES = 127  # votes are int8
NONE_CHOICE = "NONE"
MAX_NAME = 50  # PostgreSQL cuts names of tables at 63 bytes, and `_predictions` comes behind it
TASK_NAME = re.compile(r"[a-z][a-z0-9_]*")  # it also names tables, files and an endpoint
LANGUAGE = re.compile("[a-z]{2,3}")
LANGUAGE_CODE = "the ISO code of a language, two or three small letters such as en, fr or yo"
_CLASS_NAME = re.compile(r"[^\x00-\x1f<>&\"]{1,80}")
_RESERVED = {"ABSTAIN", NONE_CHOICE, "N/A", "table_name", "id"}


def name_problem(name: str) -> str | None:
    """Why a task cannot have a name; None where it can."""
    if len(name) > MAX_NAME:
        return f"task name {name[:MAX_NAME]!r}… has {len(name)} letters; expected {MAX_NAME} at most"
    if not TASK_NAME.fullmatch(name):
        return f"task name {name!r}; expected a lower-case letter, then letters, digits and _"
    return None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ClassSpec(_Part):
    """One class and what annotators are told about it."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not _CLASS_NAME.fullmatch(name):
            raise ValueError(
                f'a class name has 1 to 80 characters, none of them < > & " or control; given {name!r}'
            )
        return name


class Column(_Part):
    """A column that annotators see."""

    name: str = Field(min_length=1)
    type: Literal["text", "image", "audio", "video", "number"] = "text"


class Featurize(_Part):
    """A column that `adaptml featurize` reads, and what it makes of it."""

    text: str
    lemmas: str | None = None
    vector: str | None = None
    answer: str | None = None
    score: str | None = None
    encoder: str = "hybrid"

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(name for name in (self.lemmas, self.vector, self.answer, self.score) if name)


class LabelDefaults(_Part):
    """What `label` takes where a call says nothing else; the names are those of its arguments.

    Attributes:
        label_model: `auto` or the name of a label model; None: `auto`.
        config: parameters of label models by name.
        lf_parameters: parameters that the task's `get_lfs` declares.
    """

    label_model: str | None = None
    config: dict[str, Any] = {}
    lf_parameters: dict[str, Any] = {}


class TrainDefaults(_Part):
    """What `train` and `compare` take where a call says nothing else; the names are those of their arguments.

    Attributes:
        algorithm: name of an algorithm; None: logistic regression.
        params: its parameters by name.
        strategy: how gold and weak labels are combined; None: `auto`.
        features: columns and features to learn from; empty: the task's `features`.
        soft_labels: train on probabilities; None: no.
        seed: of all random choices; None: 0.
    """

    algorithm: str | None = None
    params: dict[str, Any] = {}
    strategy: StrategyName | None = None
    features: tuple[str, ...] = ()
    soft_labels: bool | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class Task(_Part):
    """What is asked of the data: in a file (`task.yaml`), or made in Python.

    Attributes:
        name: names the task's tables and models; in a file's task that of its folder.
        title: what annotators are asked, in a few words.
        description: the same at length.
        setting: name of the problem type, `multiclass` or `multilabel`.
        classes: 2 to 127; a name alone will do. Their order is the order of every array over classes.
        class_changes: how the classes came to be what they are, the oldest change first;
            `adaptml task classes` writes them.
        positive: of two classes, the one that metrics such as precision are about; or None.
        metric: what models are compared and chosen by; None: see `adaptml.tasks.metrics.metric_of`.
        language: ISO code of the language of the texts, such as `en` or `yo`, which decides about lemmas.
        columns: what annotators see.
        feedback: whether annotators are also asked, without having to answer, which words decided and why.
        lf_features: columns that labelling functions read.
        features: columns that end models read.
        featurize: which columns `featurize` reads and what it makes of them; a single one will do without a
            list.
        label: what `label` takes where a call says nothing else.
        train: the same of `train` and `compare`.
        folder: the task's folder; None for a task without one.
        lfs: labelling functions of a task without a folder.

    Raises:
        pydantic.ValidationError: values that no task can have.

    Example:
        >>> adaptml.Task(classes=["ham", "spam"]).class_names
        ['ham', 'spam']
    """

    name: str = Field("task", exclude=True)
    title: str = ""
    description: str = ""
    setting: Literal["multiclass", "multilabel"] = "multiclass"
    classes: tuple[ClassSpec, ...]
    class_changes: tuple[ClassChange, ...] = ()
    positive: str | None = None
    metric: MetricName | None = None
    language: str = "en"
    columns: tuple[Column, ...] = ()
    feedback: bool = False
    lf_features: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    featurize: tuple[Featurize, ...] = ()
    label: LabelDefaults = LabelDefaults()
    train: TrainDefaults = TrainDefaults()
    folder: Path | None = Field(None, exclude=True)
    lfs: tuple[Any, ...] = Field((), exclude=True)

    @field_validator("name")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        problem = name_problem(name)
        if problem:
            raise ValueError(problem)
        return name

    @field_validator("classes", mode="before")
    @classmethod
    def _named_only(cls, classes: Any) -> Any:
        """A class of which only the name is known."""
        if not isinstance(classes, list | tuple):
            return classes
        return [spec if isinstance(spec, dict | ClassSpec) else {"name": spec} for spec in classes]

    @field_validator("featurize", mode="before")
    @classmethod
    def _single(cls, featurize: Any) -> Any:
        """A list of one, which may be written without the list."""
        return [featurize] if isinstance(featurize, dict | Featurize) else featurize or ()

    @field_validator("featurize")
    @classmethod
    def _made_once(cls, featurize: tuple[Featurize, ...]) -> tuple[Featurize, ...]:
        made = [name for part in featurize for name in part.makes]
        duplicated = sorted({name for name in made if made.count(name) > 1})
        if duplicated and len(featurize) > 1:
            raise ValueError(f"makes {listed(duplicated)} more than once; give each feature its own name")
        return featurize

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
        if not 2 <= len(classes) <= MAX_CLASSES:
            raise ValueError(f"a task has 2 to {MAX_CLASSES} classes; given {len(classes)}")
        names = [c.name for c in classes]
        duplicated = sorted({name for name in names if names.count(name) > 1})
        if duplicated:
            raise ValueError(f"class names must differ; {listed(duplicated)} is duplicated")
        reserved = [name for name in names if name in _RESERVED or name.startswith("prob_")]
        if reserved:
            raise ValueError(f"{listed(reserved)} is reserved and cannot name a class")
        return classes

    @field_validator("columns")
    @classmethod
    def _differ(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in columns]
        duplicated = sorted({name for name in names if names.count(name) > 1})
        if duplicated:
            raise ValueError(f"names must differ; {listed(duplicated)} is duplicated")
        return columns

    @field_validator("class_changes")
    @classmethod
    def _lead_to_the_classes(
        cls, changes: tuple[ClassChange, ...], info: ValidationInfo
    ) -> tuple[ClassChange, ...]:
        if "classes" in info.data:
            meanings(changes, [c.name for c in info.data["classes"]])
        return changes

    @field_validator("positive")
    @classmethod
    def _is_a_class(cls, positive: str | None, info: ValidationInfo) -> str | None:
        if positive is None or "classes" not in info.data:
            return positive
        class_names = [c.name for c in info.data["classes"]]
        problem = PROBLEM_TYPES.get(info.data.get("setting", ""))
        if problem is None or not problem.exclusive or len(class_names) != 2:
            raise ValueError("is for multiclass tasks of two classes")
        if positive not in class_names:
            raise ValueError(f"is {positive!r}; expected one of the classes {listed(class_names)}")
        return positive

    @field_validator("metric")
    @classmethod
    def _fits(cls, metric: MetricName | None, info: ValidationInfo) -> MetricName | None:
        known = PROBLEM_TYPES.get(info.data.get("setting", ""))
        if metric is None or known is None or "positive" not in info.data:
            return metric
        wrong = metric_problem(
            metric, exclusive=known.exclusive, has_positive=info.data["positive"] is not None
        )
        if wrong:
            raise ValueError(wrong)
        return metric

    @field_validator("language", mode="before")
    @classmethod
    def _is_a_code(cls, language: Any) -> Any:
        if language is False:  # what YAML makes of Norwegian's code
            return "no"
        if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
            raise ValueError(f"is {language!r}; expected {LANGUAGE_CODE}")
        return language

    @property
    def problem(self) -> ProblemType:
        """What a data point can be: one class or any number."""
        return PROBLEM_TYPES[self.setting]

    @property
    def class_names(self) -> list[str]:
        """Class names in the order of the task file, which is the order of every array over classes."""
        return [c.name for c in self.classes]

    @cached_property
    def meanings(self) -> dict[str, Possible]:
        """Each name that the task has or had → what it can be now: classes, None for none of them."""
        return meanings(self.class_changes, self.class_names)

    @property
    def class_lists(self) -> list[list[str]]:
        """The class names of now, then those of before each change, the latest first."""
        return [self.class_names, *([*change.before] for change in reversed(self.class_changes))]

    def now(self, names: Sequence[str]) -> Now:
        """A label set of any time in the names of now.

        Example:
            >>> was = {"date": "2026-11-26", "before": ["ham", "junk"], "becomes": {"junk": ["spam"]}}
            >>> adaptml.Task(classes=["ham", "spam"], class_changes=[was]).now(["junk"])
            Now(labels=('spam',), undecided=())
        """
        return translated(names, self.meanings, self.class_names, exclusive=self.problem.exclusive)

    @property
    def labels(self) -> Labels:
        """The votes that labelling functions may cast: ABSTAIN = -1, then the classes from 0.

        What was renamed or merged can still be named as before.
        """
        former = {
            name: now
            for name, possible in self.meanings.items()
            if len(possible) == 1 and (now := next(iter(possible))) is not None and now != name
        }
        return Labels(self.class_names, former)

    @property
    def model_features(self) -> tuple[str, ...]:
        """All columns and features that the task names for end models; each once."""
        return tuple(dict.fromkeys([*self.features, *self.train.features]))

    def with_setting(self, setting: str | None) -> "Task":
        """The same task with another problem type; the task itself for None or an empty text.

        Raises:
            TaskError: a setting that does not exist.
        """
        if not setting:
            return self
        return self.model_copy(update={"setting": problem_type(setting).name})


class TaskFile(Task):
    """A task as its file must say it: whole, and with a folder that names it."""

    title: str = Field(min_length=3, max_length=50)  # Label Studio's bounds for a project's title
    setting: Literal["multiclass", "multilabel"]
    columns: tuple[Column, ...] = Field(min_length=1)
    lf_features: tuple[str, ...] = Field(min_length=1)
    features: tuple[str, ...] = Field(min_length=1)
    folder: Path = Field(exclude=True)


def problems(error: ValidationError) -> str:
    """How many problems pydantic found in a task file, and each of them."""
    found = validation_problems(error)
    return f"{len(found)} problem{'s' if len(found) > 1 else ''}: {'; '.join(found)}"
