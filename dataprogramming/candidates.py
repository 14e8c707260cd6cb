"""What a `label` run with gold leaves for `train` and `compare`: each label model, and what it says."""

from pathlib import Path

import numpy as np
import pandas as pd

from adaptml.fold_probs import write_fold_probs
from adaptml.folds import folds_of_keys
from adaptml.frames import KEYS, rows_of_keys
from adaptml.label_scoring import save_model
from adaptml.runs.artifacts import FOLD_PROBS, LABEL_MODELS
from adaptml.tasks import Task
from dataprogramming.patterns import PatternsAdded
from dataprogramming.selection import Selection
from dataprogramming.votes import Votes


def write_candidates(task: Task, selection: Selection, votes: Votes, folder: Path) -> None:
    """`fold_probs.parquet`, and `label_models/NAME.npz` of each label model fitted with all gold.

    Args:
        task: names the classes.
        selection: the label models, with and without the gold of each fold.
        votes: of the points to label, with those of the gold points.
        folder: where the run's artifacts are gathered.
    """
    if votes.gold is None or not selection.without:
        return
    (folder / LABEL_MODELS).mkdir(exist_ok=True)
    for name, model in selection.models.items():
        path = folder / LABEL_MODELS / f"{name}.npz"
        save_model(model.fitted_, task.class_names, list(votes.lf_names), path)
    keys, found, places = votes.keys[KEYS], votes.patterns, rows_of_keys(votes.keys, votes.gold.keys)
    more = np.flatnonzero(places < 0)
    if len(more):  # gold points that are not among those to label
        places[more] = np.arange(len(more)) + len(keys)
        keys = pd.concat([keys, votes.gold.keys[KEYS].iloc[more]], ignore_index=True)
        added = PatternsAdded(found.rows.shape[1])
        added.add_patterns(found)
        added.add(votes.gold.L[more])
        found = added.found()
    fold = np.full(len(keys), -1, np.int64)
    fold[places] = folds_of_keys(votes.gold.keys)
    write_fold_probs(
        folder / FOLD_PROBS,
        keys,
        fold,
        found.is_covered,
        found.rows,
        found.which,
        {
            name: [model.fitted_ for model in (selection.models[name], *without)]
            for name, without in selection.without.items()
        },
        {
            "task": task.name,
            "setting": task.setting,
            "classes": task.class_names,
            "chosen": selection.chosen,
        },
    )
