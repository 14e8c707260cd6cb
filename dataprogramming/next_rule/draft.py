"""The votes of a rule that is no part of `lfs.py` yet."""

from dataclasses import replace

import numpy as np

from adaptml.errors import LabellingError
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.applier import LabelMatrix, apply_to_frame
from dataprogramming.declared_sets import declared_sets, recoded
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.lfs import check_sets
from dataprogramming.rule_lfs import RuleLF
from dataprogramming.votes import Votes


def with_draft(project: Project, task: str | Task, votes: Votes, draft: RuleLF) -> Votes:
    """Votes with those of one more labelling function, which nothing else knows yet.

    Args:
        project: reads the column that it looks at.
        task: the task, or its name.
        votes: of the task's own labelling functions, on data points and, as its `gold`, on gold.
        draft: a rule that is data, such as `keyword_lf` makes.

    Returns:
        The same votes with a last column; `rule_effect` says what it does.

    Raises:
        LabellingError: a labelling function of that name is there, it votes for no class of the task, or its
            column is none that it can look at.
        UnknownColumnError: no such column.

    Example:
        >>> votes = project.apply_lfs("spam", "comments")
        >>> draft = adaptml.keyword_lf("win", ["win"], "spam", "text")
        >>> effect = adaptml.rule_effect(adaptml.with_draft(project, "spam", votes, draft), "win")
        >>> effect.votes, effect.new
        (2, 0)
    """
    task = project.task(task)
    if draft.name in votes.lf_names:
        raise LabellingError(
            f"there is a labelling function {draft.name!r} already; give this one another name"
        )
    if isinstance(draft, KeywordLF):
        draft.in_language(task.language)
    check_sets(task, [draft])
    longer = _longer(project, task, votes, draft)
    gold = votes.gold if votes.gold is None else _longer(project, task, votes.gold, draft)
    return replace(longer, gold=gold)


def _longer(project: Project, task: Task, votes: Votes, draft: RuleLF) -> Votes:
    matrix: LabelMatrix = np.full((len(votes), 1), -1, np.int8)
    if len(votes):
        frame = project.points.read(votes.keys[KEYS], [draft.column])
        matrix = apply_to_frame([draft], frame, task.labels, folder=task.folder)
    own = declared_sets([draft], task.labels).codes
    codes = VoteCodes(own.k, tuple(dict.fromkeys([*votes.sets, *own.sets])))
    L = np.hstack([votes.L, recoded(matrix, own, codes)])
    return replace(votes, cast=L, lf_names=(*votes.lf_names, draft.name), sets=codes.sets)
