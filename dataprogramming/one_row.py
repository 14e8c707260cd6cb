"""What each labelling function says of one data point, or of one text that is no data point."""

from collections.abc import Mapping

import pandas as pd

from adaptml.errors import LabellingError, listed
from adaptml.features.lemmas import lemmatize
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.applier import apply_to_frame
from dataprogramming.apply import apply_lfs
from dataprogramming.declared_sets import declared_sets
from dataprogramming.lfs import load_lfs

MAX_LISTED = 20


def votes_on_point(project: Project, task: str | Task, table: str, key: str) -> dict[str, str | None]:
    """Name of a labelling function → the class that it votes for, or set as "cat or dog"; None: it abstains.

    Raises:
        LabellingError: labelling functions that cannot be used, or one that fails.
        MissingDataPointsError: the point is not in its table.
    """
    task = project.task(task)
    votes = apply_lfs(project, task, pd.DataFrame([[table, key]], columns=KEYS), gold=None)
    names = [*votes.codes.names(votes.class_names), None]
    return {lf: names[vote] for lf, vote in zip(votes.lf_names, votes.L[0].tolist(), strict=True)}


def votes_on_texts(project: Project, task: str | Task, texts: Mapping[str, str]) -> dict[str, str | None]:
    """The same of texts that are no data point; lemmas are made of them as `featurize` does.

    Args:
        project: whose task it is.
        task: the task or its name.
        texts: column → text.

    Raises:
        LabellingError: labelling functions that cannot be used, that fail, or that read something else too.
    """
    task = project.task(task)
    row: dict[str, object] = dict(texts)
    for part in task.featurize:
        if part.lemmas and part.text in texts:
            row[part.lemmas] = lemmatize(texts[part.text], task.language)
    missing = [name for name in task.lf_features if name not in row]
    if missing:
        raise LabellingError(
            f"labelling functions read {listed(missing, MAX_LISTED)}, which a text alone does not give; ask "
            "about a data point by its table and id"
        )
    lfs = load_lfs(task)
    frame = pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in row.items()})
    matrix = apply_to_frame(lfs, frame, task.labels, folder=task.folder)
    names = [*declared_sets(lfs, task.labels).codes.names(task.class_names), None]
    return {lf.name: names[vote] for lf, vote in zip(lfs, matrix[0].tolist(), strict=True)}
