"""What goes with a label model of its labelling functions, so that others can have their votes."""

from collections.abc import Iterable, Sequence

from snorkel.labeling import LabelingFunction

from adaptml.errors import FeatureError
from adaptml.features.points import Points
from adaptml.rules.core import RegexRule
from adaptml.rules.of_model import MAX_PATTERNS, ModelRules, VotingRule, digest_of_lfs
from adaptml.tasks import Task
from adaptml.tasks.class_sets import class_numbers
from adaptml.tasks.labels import votes_by_name
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.declared_sets import declared_sets
from dataprogramming.lf_json import is_data
from dataprogramming.lf_versions import LFVersion
from dataprogramming.rule_lfs import RuleLF
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
    codes = declared_sets(lfs, task.labels).codes
    left, rules = MAX_PATTERNS, []
    for lf in lfs:
        is_known = is_data(lf) and lf.column in columns
        if is_known and isinstance(lf.rule, RegexRule):
            left -= len(lf.rule.pattern)
            is_known = left >= 0
        rules.append(_described(lf, task, codes) if is_known else VotingRule(name=lf.name))
    return ModelRules(
        task=task.name,
        lfs=digest_of_lfs(task.class_names, {version.name: version.digest for version in versions}),
        classes=tuple(task.class_names),
        sets=codes.sets,
        columns=columns,
        rules=tuple(rules),
    )


def _described(lf: RuleLF, task: Task, codes: VoteCodes) -> VotingRule:
    label = lf.label
    if isinstance(label, int):
        vote = int(label)
    elif isinstance(label, str):
        vote = int(votes_by_name(task.labels)[label])
    else:
        classes = class_numbers(task.labels, label)
        vote = classes[0] if len(classes) == 1 else codes.k + codes.sets.index(classes)
    return VotingRule(name=lf.name, vote=vote, rule=lf.rule)


def _columns(points: Points, tables: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """What labelling functions read, as they call it → the column or version that this is in all tables."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = str(points.exact(tables, [name])[0])
        except FeatureError:  # each table has another version of it
            return {}
    return found
