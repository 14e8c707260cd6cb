"""Data sets in a project: tables, a task with its rules, gold that people would have, rows that judge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import SecretStr
from snorkel.labeling import LabelingFunction

from adaptml.addresses import sqlite_address
from adaptml.frames import KEYS
from adaptml.labelled import GOLD_LABEL
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task, folds, indicator, load_task
from benchmarks.wrench_format import TEST, TEXT, TRAIN, VALID, Rows, read_classes, read_splits

TASKS = Path(__file__).resolve().parents[1] / "tasks"
ANNOTATOR = "1"  # whose labels are the example's gold, as in its walk-through
VECTOR = "vec"


@dataclass(frozen=True)
class DataSet:
    """What methods are compared on.

    Attributes:
        name: of the set.
        project: holds the tables and the runs.
        task: its classes, its rules, its features.
        train: the points that rules label: a table, or a frame of keys.
        gold: table_name, id, gold_label: what every choice is made by.
        judged: the same of the points that judge, and nothing else.
        texts: the columns that a method on plain words reads.
    """

    name: str
    project: Project
    task: Task
    train: str | pd.DataFrame
    gold: pd.DataFrame
    judged: pd.DataFrame
    texts: Sequence[str] = (TEXT,)


def new_project(folder: Path) -> Project:
    """An empty project whose data and runs lie in a folder, whatever the machine has set."""
    (folder / "tasks").mkdir(parents=True)
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None,
        root=folder,
        home=folder,
        tasks_dir=folder / "tasks",
        database_url=SecretStr(sqlite_address(folder / "data.db")),
        results_database_url=SecretStr(""),
        MLFLOW_TRACKING_URI=sqlite_address(folder / "mlflow.db"),
        MLFLOW_RUN_ID="",
    )
    return Project(settings=settings)


def frame_of(rows: Rows) -> pd.DataFrame:
    """Rows as a table: id, label (number of the class), texts or numbers, then a column per LF."""
    frame = pd.DataFrame({"id": rows.ids, "label": rows.y, **rows.texts})
    if rows.numbers is not None:
        frame[VECTOR] = list(rows.numbers)
    votes = pd.DataFrame(rows.L.astype(np.int64), columns=_lf_names(rows.L.shape[1]))
    return pd.concat([frame, votes], axis=1)


def _lf_names(m: int) -> list[str]:
    return [f"lf_{j:03}" for j in range(m)]


def wrench_set(folder: Path, home: Path, judge: str, encoder: str, positive: str | None) -> DataSet:
    """A folder in WRENCH's format as a project's tables `train`, `valid` and, where it judges, `test`.

    Votes are columns of the tables, and the task's rules read them. The classes of `train` are not read.

    Args:
        folder: label.json and the three splits.
        home: an empty folder for the project.
        judge: `test`, whose rows then judge and all of `valid` is gold; or `valid`, of which one half is gold
            and the other judges: `test` is then not opened.
        encoder: of the texts.
        positive: a class that is looked for; a set of two classes that has it is judged by its F1.

    Raises:
        FrameError: a folder that is not in WRENCH's format.
    """
    classes = read_classes(folder)
    names = list(dict.fromkeys((TRAIN, VALID, judge)))
    rows = read_splits(folder, names, len(classes))
    texts, lfs = [*rows[TRAIN].texts], _lf_names(rows[TRAIN].L.shape[1])
    made = [{"text": text, "vector": f"{text}_vec", "encoder": encoder} for text in texts]
    task = Task.model_validate(
        {
            "name": "judged",
            "classes": classes,
            "positive": positive if len(classes) == 2 and positive in classes else None,
            "columns": [{"name": text} for text in texts],
            "lf_features": lfs,
            "features": [part["vector"] for part in made] or [VECTOR],
            "featurize": made,
            "lfs": [vote_lf(name, classes) for name in lfs],
        }
    )
    splits = {name: frame_of(found) for name, found in rows.items()}
    if judge == VALID:
        splits[VALID], splits[TEST] = halves(splits[VALID])
    project = new_project(home)
    for name, split in splits.items():
        split["id"] = [str(i) for i in range(len(split))]
        project.import_table(split.drop(columns="label"), name)
        if made:
            project.featurize(task, name)
    gold, judged = (gold_of(splits[name], name, classes) for name in (VALID, TEST))
    return DataSet(folder.resolve().name, project, task, TRAIN, gold, judged, texts)


def vote_lf(column: str, classes: Sequence[str]) -> LabelingFunction:
    """A labelling function that says what a column of votes says: -1 abstains, 0 … k-1 are classes."""
    return LabelingFunction(column, vote_in, resources={"column": column, "classes": classes})


def vote_in(x: Any, column: str, classes: Sequence[str]) -> str | None:
    """The vote of a data point in a column: a name, for classes may be called 1 and 2."""
    vote = int(getattr(x, column))
    return None if vote < 0 else classes[vote]


def gold_of(split: pd.DataFrame, table: str, classes: Sequence[str]) -> pd.DataFrame:
    """table_name, id, gold_label of a split."""
    labels = [[classes[c]] for c in split["label"]]
    return pd.DataFrame({"table_name": table, "id": split["id"], GOLD_LABEL: labels})


def halves(split: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is gold, and what judges, of rows that have to do for both: the halves of `wrench.py`."""
    order = np.random.default_rng(0).permutation(len(split))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    return split.iloc[first].reset_index(drop=True), split.iloc[second].reset_index(drop=True)


def youtube_spam_set(folder: Path, home: Path, judge: str) -> DataSet:
    """The task `youtube_spam` with its own rules, on its comments in WRENCH's format.

    Args:
        folder: train.json, valid.json and test.json.
        home: an empty folder for the project.
        judge: as for `wrench_set`.

    Raises:
        FrameError: a folder that is not in WRENCH's format.
    """
    from tasks.youtube_spam.import_comments import CLASSES, import_comments

    task, project = load_task("youtube_spam", TASKS), new_project(home)
    names = list(dict.fromkeys((TRAIN, VALID, judge)))
    import_comments(project, [folder / f"{name}.json" for name in names], "youtube", n_gold=0)
    project.featurize(task, "youtube")
    known = {name: frame_of(rows) for name, rows in read_splits(folder, names, len(CLASSES)).items()}
    train = pd.DataFrame({"table_name": "youtube", "id": [f"train-{one}" for one in known[TRAIN]["id"]]})
    classes = [*CLASSES.values()]
    gold, judged = (
        gold_of(known[name].assign(id=[f"{name}-{one}" for one in known[name]["id"]]), "youtube", classes)
        for name in (VALID, judge)
    )
    gold, judged = halves(gold) if judge == VALID else (gold, judged)
    return DataSet("tasks/youtube_spam", project, task, train, gold, judged)


def example_set(home: Path, setting: str) -> DataSet:
    """The example in one setting: its gold also judges, which `in_parts` keeps apart.

    Args:
        home: an empty folder for the project.
        setting: `multiclass` or `multilabel`.
    """
    from example_data.example_data_import import import_example_data
    from example_data.make_annotations import EXPORT

    whole, project = load_task("example", TASKS), new_project(home)
    frames = import_example_data(project).frames
    project.process_annotations(whole, EXPORT, ANNOTATOR, write=True)
    task, frame = whole.with_setting(setting), project.gold(whole).frame[[*KEYS, GOLD_LABEL]]
    usable = task.problem.usable(indicator([*frame[GOLD_LABEL]], task.class_names))
    gold = frame[usable].reset_index(drop=True)
    return DataSet(f"example, {setting}", project, task, str(frames[setting]), gold, gold)


def in_parts(data: DataSet, n: int, seed: int) -> Iterator[tuple[npt.NDArray[np.int64], DataSet]]:
    """A set whose gold judges, in n parts: each is judged by choices that only the others made.

    Yields:
        Which rows of `judged` the part has, and the set with these as `judged` and the others as `gold`.
    """
    Y = indicator([*data.gold[GOLD_LABEL]], data.task.class_names)
    part = folds(Y, n, seed)
    for number in range(n):
        inside, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
        gold, judged = (data.gold.iloc[rows].reset_index(drop=True) for rows in (others, inside))
        yield inside, replace(data, gold=gold, judged=judged)
