"""From annotations to rows of gold's home: the annotators' choice, and what a third person settled."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from adaptml.frames import KEYS
from adaptml.gold_labels.core import Origin, seen_text
from adaptml.tasks import Task
from labelstudio.annotations import Annotations, Key, Label, annotator_order, collect
from labelstudio.export import ExportedTask
from labelstudio.gold import Gold
from labelstudio.points import seen_by_point

Seen = Mapping[Key, Mapping[str, str]]


def annotators_rows(gold: Gold, annotations: Annotations, tasks: Collection[ExportedTask]) -> pd.DataFrame:
    """The gold labels that were chosen from what annotators said, as rows of gold's home."""
    said: dict[Key, list[Label]] = defaultdict(list)
    for label in annotations.labels:
        said[label.key].append(label)
    keys = list(gold.frame[KEYS].itertuples(index=False, name=None))
    labels = [list(names) for names in gold.frame["gold_label"]]
    rows = _rows(Origin.ANNOTATORS, keys, labels, [said[key] for key in keys], seen_by_point(tasks))
    return rows.assign(choice=gold.choice)


def adjudicated_rows(
    tasks: Collection[ExportedTask], task: Task, source: str, accept_claims: bool
) -> pd.DataFrame | None:
    """What a third person settled, as rows of gold's home; None where nothing was. The last word counts.

    Raises:
        AnnotationError: as `collect`.
    """
    if not tasks:
        return None
    last: dict[Key, Label] = {}
    for label in collect(tasks, task, source, accept_claims=accept_claims).labels:
        before = last.get(label.key)
        if before is None or (label.time, label.annotation_id) > (before.time, before.annotation_id):
            last[label.key] = label
    labels = [list(label.classes) for label in last.values()]
    people = [[label] for label in last.values()]
    return _rows(Origin.ADJUDICATION, list(last), labels, people, seen_by_point(tasks))


def _rows(
    origin: Origin, keys: Sequence[Key], labels: list[list[str]], said: Sequence[Sequence[Label]], seen: Seen
) -> pd.DataFrame:
    rows = pd.DataFrame(keys, columns=KEYS, dtype=object).assign(origin=origin.value, choice=None)
    rows["label"] = pd.Series(labels, dtype=object)
    people = [sorted({label.annotator for label in of}, key=annotator_order) for of in said]
    rows["who"] = [", ".join(names) for names in people]
    rows["made_at"] = pd.Series([max(label.time for label in of) for of in said], dtype=object)
    rows["seen"] = pd.Series([seen_text(seen.get(key, {})) for key in keys], dtype=object)
    return rows
