"""Tasks: what is asked of the data, and the problem types."""

from adaptml.tasks.annotating import coding_guide, label_config
from adaptml.tasks.class_changes import ClassChange, Now
from adaptml.tasks.labels import ABSTAIN, Label, Labels
from adaptml.tasks.loader import list_tasks, load_task, parse_task
from adaptml.tasks.problems import (
    MULTICLASS,
    MULTILABEL,
    PROBLEM_TYPES,
    ProblemType,
    folds,
    indicator,
    names,
    problem_type,
)
from adaptml.tasks.schema import MAX_CLASSES, NONE_CHOICE, TASK_NAME, Featurize, Task

__all__ = [
    "ABSTAIN",
    "MAX_CLASSES",
    "MULTICLASS",
    "MULTILABEL",
    "NONE_CHOICE",
    "PROBLEM_TYPES",
    "TASK_NAME",
    "ClassChange",
    "Featurize",
    "Label",
    "Labels",
    "Now",
    "ProblemType",
    "Task",
    "coding_guide",
    "folds",
    "indicator",
    "label_config",
    "list_tasks",
    "load_task",
    "names",
    "parse_task",
    "problem_type",
]
