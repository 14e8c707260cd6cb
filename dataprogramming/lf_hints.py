"""Words that annotators marked or wrote about, by class, with the rules that have them already."""

from collections.abc import Sequence

import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.feedback import hints
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.class_sets import is_class_set, label_name, set_words
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.lfs import load_lfs
from dataprogramming.rule_lfs import RegexLF, RuleLF


def lf_hints(project: Project, task: str | Task) -> pd.DataFrame:
    """What annotators say decides about each class: words to make rules of.

    A task with `feedback: true` asks them; `process_annotations` or `adaptml annotate pull` has read what
    they said.

    Args:
        project: holds the annotations.
        task: the task, or its name.

    Returns:
        A row per class and word: `class`, `word`, `points` (where it was marked or a comment has it),
        `marked` and `commented` of these, `annotators` (how many people), `table_name` and `id` of one of
        them, and `rules`: names of the keyword and regular-expression LFs that find the word, with the
        class that they vote for where it is another one. Classes in the task's order, the words of most
        points first; no row where nobody said anything.

    Raises:
        TaskError: no such task.
        LabellingError: labelling functions that cannot be loaded.
        FileError: annotations that cannot be read.

    Example:
        >>> project.lf_hints("spam").columns.tolist()
        ['class', 'word', 'points', 'marked', 'commented', 'annotators', 'table_name', 'id', 'rules']
    """
    task = project.task(task)
    path = project.settings.annotations(task.name) / "ann_df.parquet"
    ann_df = read_frame(path) if path.is_file() else pd.DataFrame(columns=["table_name", "id"])
    found = hints(ann_df, task)
    rules = _rules(found, load_lfs(task), task) if len(found) else []
    return found.assign(rules=pd.Series(rules, dtype=object))


def _rules(found: pd.DataFrame, lfs: Sequence[LabelingFunction], task: Task) -> list[list[str]]:
    """The rules that find each word."""
    words = found["word"].tolist()
    rules: list[list[str]] = [[] for _ in words]
    wanted = found["class"].tolist()
    for lf in lfs:
        if isinstance(lf, KeywordLF | RegexLF):
            votes_for = _class_of(lf, task)
            for row in lf.rule.hits(words).nonzero()[0]:
                other = "" if votes_for == wanted[row] else f" → {votes_for}"
                rules[row].append(f"{lf.name}{other}")
    return rules


def _class_of(lf: RuleLF, task: Task) -> str:
    if is_class_set(lf.label):
        return set_words(lf.label)
    label = label_name(lf.label)
    return task.class_names[label] if isinstance(label, int) else str(label)
