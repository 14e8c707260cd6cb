"""What a `label` run with gold leaves for `train` and `compare`: each label model, and what it says."""

from pathlib import Path

import numpy as np
import pandas as pd

from adaptml.fold_probs import write_fold_probs
from adaptml.folds import folds_of_keys
from adaptml.frames import KEYS
from adaptml.label_scoring import save_model
from adaptml.runs.artifacts import FOLD_PROBS, LABEL_MODELS
from adaptml.tasks import Task
from dataprogramming.label_models.core import covered
from dataprogramming.patterns import vote_patterns
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
    known = pd.MultiIndex.from_frame(votes.keys[KEYS])
    more = np.flatnonzero(known.get_indexer(pd.MultiIndex.from_frame(votes.gold.keys[KEYS])) < 0)
    keys = pd.concat([votes.keys[KEYS], votes.gold.keys[KEYS].iloc[more]], ignore_index=True)
    fold = np.full(len(keys), -1, np.int64)
    places = pd.MultiIndex.from_frame(keys).get_indexer(pd.MultiIndex.from_frame(votes.gold.keys[KEYS]))
    fold[places] = folds_of_keys(votes.gold.keys)
    L = np.concatenate([votes.L, votes.gold.L[more]]) if len(more) else votes.L
    found = vote_patterns(L)
    write_fold_probs(
        folder / FOLD_PROBS,
        keys,
        fold,
        covered(L),
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
