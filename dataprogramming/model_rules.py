"""What goes with a label model of its labelling functions, so that others can have their votes."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from pydantic import ValidationError
from snorkel.labeling import LabelingFunction

from adaptml.errors import FeatureError, LabellingError
from adaptml.features.points import Points
from adaptml.rules.core import RegexRule, rule_from_json
from adaptml.rules.of_model import MAX_BYTES, MAX_PATTERNS, ModelRules, VotingRule, digest_of_lfs
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
) -> ModelRules | None:
    """The labelling functions of a label run, those that are data with all that applies them.

    Beyond what a service reads of one model, rules count as code; None where that is not enough.

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
    try:
        return ModelRules(
            task=task.name,
            lfs=digest_of_lfs(task.class_names, {version.name: version.digest for version in versions}),
            classes=tuple(task.class_names),
            sets=codes.sets,
            columns=columns,
            rules=tuple(_voting_rules(lfs, task, columns, codes)),
        )
    except ValidationError:  # more labelling functions or columns than a service reads, or longer names
        return None


def _voting_rules(
    lfs: Sequence[LabelingFunction], task: Task, columns: Collection[str], codes: VoteCodes
) -> Iterator[VotingRule]:
    patterns, size = MAX_PATTERNS, MAX_BYTES // 2  # the other half is for names
    for lf in lfs:
        if is_data(lf) and lf.column in columns and _can_be_read_back(lf):
            n_pattern = len(lf.rule.pattern) if isinstance(lf.rule, RegexRule) else 0
            n_bytes = len(lf.to_json().encode())
            if n_pattern <= patterns and n_bytes <= size:
                patterns, size = patterns - n_pattern, size - n_bytes
                yield _described(lf, task, codes)
                continue
        yield VotingRule(name=lf.name)


def _can_be_read_back(lf: RuleLF) -> bool:
    """Whether JSON says all that the rule is: it has no infinite bounds and no half of a letter."""
    try:
        return rule_from_json(lf.to_json()) == lf.rule
    except (ValueError, LabellingError):  # pydantic's are ValueErrors
        return False


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
