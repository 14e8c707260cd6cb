"""What goes with a label model of its labelling functions, so that others can have their votes."""

from collections.abc import Iterable, Sequence

import numpy as np
from snorkel.labeling import LabelingFunction

from adaptml.errors import FeatureError
from adaptml.features.points import Points
from adaptml.rules.core import RegexRule
from adaptml.rules.of_model import MAX_PATTERNS, ModelRules, VotingRule, digest_of_lfs
from adaptml.tasks import ABSTAIN, Task
from dataprogramming.declared_sets import declared_sets
from dataprogramming.lf_json import is_data
from dataprogramming.lf_versions import LFVersion
from dataprogramming.vote_encoder import VoteEncoder
from dataprogramming.voter import lf_features


def model_rules(
    lfs: Sequence[LabelingFunction],
    versions: Sequence[LFVersion],
    task: Task,
    points: Points,
    tables: Iterable[str],
) -> ModelRules:
    """The labelling functions of a label run, those that are data with all that applies them.

    Args:
        lfs: m labelling functions.
        versions: their m versions.
        task: the task.
        points: says what their columns are.
        tables: data tables that were labelled.
    """
    tables = list(map(str, tables))
    columns = _columns(points, tables, lf_features(points, task, tables))
    left, rules = MAX_PATTERNS, []
    for lf, vote in zip(lfs, _votes(lfs, task), strict=True):
        is_known = is_data(lf) and lf.column in columns
        if is_known and isinstance(lf.rule, RegexRule):
            left -= len(lf.rule.pattern)
            is_known = left >= 0
        rules.append(
            VotingRule(name=lf.name, vote=vote, rule=lf.rule) if is_known else VotingRule(name=lf.name)
        )
    return ModelRules(
        task=task.name,
        lfs=digest_of_lfs(task.class_names, {version.name: version.digest for version in versions}),
        classes=tuple(task.class_names),
        sets=declared_sets(lfs, task.labels).codes.sets,
        columns=columns,
        rules=tuple(rules),
    )


def _votes(lfs: Sequence[LabelingFunction], task: Task) -> list[int]:
    """What each of m labelling functions says where it votes, as the label matrix has it; -1 of code."""
    encoder = VoteEncoder(lfs, task.labels)
    own = [
        int(encoder.encode(j, [lf.label], lambda _: "every row")[0]) if is_data(lf) else ABSTAIN
        for j, lf in enumerate(lfs)
    ]
    found: list[int] = declared_sets(lfs, task.labels).common(np.array([own], np.int8))[0].tolist()
    return found


def _columns(points: Points, tables: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """What labelling functions read, as they call it → the column or version that this is in all tables."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = str(points.exact(tables, [name])[0])
        except FeatureError:  # each table has another version of it
            return {}
    return found
