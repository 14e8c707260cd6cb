"""What the five figures of the example show: lettered panels, filled from what `make demo` wrote."""

import inspect
import json
import sqlite3
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adaptml.project import Project
from adaptml.runs.artifacts import GOLD_PREDICTIONS
from adaptml.runs.metric import CONSTANT
from adaptml.runs.registry import CHAMPION
from example_data.demo import ASKED, ask, service
from graphics.figure_page import Panel, bars, chips, code, cropped, intervals, matrix, strip, table
from modelling.compare import STRATEGIES
from modelling.predict import predict
from tasks.example import lfs as example_lfs

FOLDER = Path(__file__).resolve().parent
TABLE, TASK = "example_data", "example"
MEASURES = {"multiclass": ("accuracy", "accuracy"), "multilabel": ("F1 over samples", "f1_samples")}
SHOWN = ["005", "006", "012", ASKED]  # posts of which the first figure shows everything
ANNOTATED = ["001", "004", "005", "036"]
STRIP_CELLS = 125


class Example:
    """What `make demo` left behind in a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.classes = list(project.task(TASK).class_names)

    def train_run(self, setting: str) -> str:
        """The run of the champion."""
        version = self.project.runs.client.get_model_version_by_alias(f"{setting}_{TASK}", CHAMPION)
        return str(version.run_id)

    def label_run(self, setting: str) -> str:
        """The run of `label` that the champion learned from."""
        return str(self.project.runs.get(self.train_run(setting)).data.params["train_data"])

    def artifact(self, run: str, name: str) -> Path:
        """An artifact of a run."""
        return self.project.runs.artifact(run, name, FOLDER)

    def frame(self, run: str, name: str) -> pd.DataFrame:
        """An artifact that is a Parquet file."""
        return pd.read_parquet(self.artifact(run, name))

    def metrics(self, run: str) -> dict[str, float]:
        """The run's metrics."""
        return dict(self.project.runs.get(run).data.metrics)

    def rows(self, ids: list[str], columns: list[str]) -> pd.DataFrame:
        """Columns and features of posts, in the order of the ids."""
        keys = pd.DataFrame({"table_name": TABLE, "id": ids})
        return self.project.points.read(keys, columns)

    def texts(self, ids: list[str]) -> list[str]:
        """The posts with these ids, as HTML."""
        return [escape(text) for text in self.rows(ids, ["txt"])["txt"]]

    def chips(self, labels: list[str]) -> str:
        """Class names in their colours."""
        return chips(labels, self.classes)


def data_table(example: Example) -> list[Panel]:
    """Figure 1: posts, their lemmas and vectors."""
    rows = example.rows(SHOWN, ["txt_clean_lemma", "txt_vec"])
    lemmas = [escape(", ".join(value)) for value in rows["txt_clean_lemma"]]
    vectors = [np.asarray(value, np.float32) for value in rows["txt_vec"]]
    strips = [strip(vector, STRIP_CELLS) for vector in vectors]
    task = (FOLDER.parent / "tasks" / TASK / "task.yaml").read_text(encoding="utf-8").splitlines()
    how = next(line for line in task if line.startswith("featurize:"))
    texts = table(["id", "txt"], zip(SHOWN, example.texts(SHOWN), strict=True))
    alike = f"The last {STRIP_CELLS} of {len(vectors[0]):,} numbers. Similar texts get similar numbers."
    seen = table(["id", "txt_vec"], zip(SHOWN, strips, strict=True))
    made_by = code(f"$ adaptml featurize {TASK} --data {TABLE}") + code(how)
    return [
        Panel("1a", f"the table {TABLE}", texts, "440 short posts. The table is yours; no step changes it."),
        Panel("1b", "lemmas, for rules", table(["id", "txt_clean_lemma"], zip(SHOWN, lemmas, strict=True)),
              "A rule that looks for cat finds cats, too.", 6),
        Panel("1c", "vectors, for end models", seen, alike, 6),
        Panel("1d", "what makes them", made_by),
    ]  # fmt: skip


def annotation(example: Example) -> list[Panel]:
    """Figure 2: a task, the labelling page, what people said, gold, agreement."""
    folder = example.project.settings.annotations(TASK)
    task = json.loads(next(folder.glob("tasks_*.json")).read_text(encoding="utf-8"))[0]
    said = pd.read_parquet(folder / "ann_df.parquet").set_index("id").loc[ANNOTATED]
    gold = pd.read_parquet(folder / "gold_df.parquet").set_index("id").loc[ANNOTATED, "gold_label"]
    labels = [[example.chips(x) for x in column] for column in (said["1"], said["2"], gold)]
    rows = zip(ANNOTATED, example.texts(ANNOTATED), *labels, strict=True)
    differ = [i for i, (a, b) in enumerate(zip(said["1"], said["2"], strict=True)) if set(a) != set(b)]
    agreement = json.loads((folder / "agreement.json").read_text(encoding="utf-8"))
    measured = {"all": agreement["alphas"][agreement["measure"]]}
    measured |= {one["name"]: one["alpha"] for one in agreement["classes"]}
    lines = [(name, alpha["value"], alpha["low"], alpha["high"]) for name, alpha in measured.items()]
    sampling = code(f"$ adaptml sample-tasks {TASK} --data {TABLE} --n 30") + code(json.dumps(task, indent=1))
    verdict = (
        f"Verdict: {agreement['verdict']}. Lines at 0.667 and 0.8: below the first, annotate again; "
        "from the second on, rely on it."
    )
    return [
        Panel("2a", "a task for Label Studio", sampling, width=7),
        Panel("2b", "the labelling page", cropped(FOLDER / "label_studio.png", 480, 390, 350),
              "Made from the classes of task.yaml.", 5),
        Panel("2c", "what two people said, and the gold label",
              table(["id", "txt", "1", "2", "gold"], rows, strong=differ),
              "Here, gold is what annotator 1 said (--choice 1). Marked: they differ."),
        Panel("2d", "how far they agree: Krippendorff's alpha", intervals(lines, [0.667, 0.8]), verdict),
    ]  # fmt: skip


def label(example: Example) -> list[Panel]:
    """Figure 3: labelling functions, votes, how good they are, label models, training data."""
    run = example.label_run("multilabel")
    votes = example.frame(run, "votes.parquet").set_index(["table_name", "id"])
    shown = votes[(votes >= 0).sum(axis=1) >= 2].head(4)
    ids = list(shown.index.get_level_values("id"))
    voted = [_votes(row, example.classes) for _, row in shown.iterrows()]
    voted_on = zip(ids, example.texts(ids), voted, strict=True)
    summary = pd.read_csv(example.artifact(run, "lf_summary_dev.csv"))
    worst = summary.sort_values(["incorrect", "correct"], ascending=False).head(7)
    functions = [
        [str(r.lf), f"{r.coverage:.1%}", str(r.correct), str(r.incorrect), f"{r.empirical_accuracy:.2f}"]
        for r in worst.itertuples()
    ]
    trained = example.frame(run, "training_data.parquet").set_index("id").loc[ids]
    labels = [
        [str(i), example.chips(row["label"]), *(f"{p:.2f}" for p in row["label_probs"])]
        for i, row in trained.iterrows()
    ]
    return [
        Panel("3a", "labelling functions, in lfs.py", code(_lf_source()),
              f"Each votes for a class or abstains; there are {votes.shape[1]} of them."),
        Panel("3b", "their votes", table(["id", "txt", "votes"], voted_on)),
        Panel("3c", "how often they are right on gold",
              table(["function", "coverage#", "right#", "wrong#", "accuracy#"], functions),
              "Those that err most: trees have bark, too, and puppies come in a litter.", 6),
        Panel("3d", "label models, compared on gold",
              table(["", "label model", "by cross-validation#"], _label_models(example)),
              "multiclass: accuracy; multilabel: F1 over samples. Of those that gold cannot tell from "
              "the best, the one of the lowest log loss is taken.", 6),
        Panel("3e", "training_data.parquet: labels, and a probability for every class",
              table(["id", "label", *(f"{name}#" for name in example.classes)], labels)),
    ]  # fmt: skip


def train(example: Example) -> list[Panel]:
    """Figure 4: the command, what was tried and what is expected of the choice, confusion matrix, errors."""
    single = example.frame(example.train_run("multiclass"), GOLD_PREDICTIONS)
    counts = pd.crosstab(single["gold_label"].str[0], single["label"].str[0])
    counts = counts.reindex(index=example.classes, columns=example.classes, fill_value=0)
    several = example.frame(example.train_run("multilabel"), GOLD_PREDICTIONS)
    differ = [set(a) != set(b) for a, b in zip(several["label"], several["gold_label"], strict=True)]
    wrong = several[differ].head(4)
    labels = [[example.chips(x) for x in wrong[column]] for column in ("gold_label", "label")]
    errors = zip(example.texts(list(wrong["id"])), *labels, strict=True)
    tried = _strategies(example)
    return [
        Panel("4a", "the command", code(f"$ adaptml train {TASK} \\\n    --data RUN --gold task"),
              "Logistic regression on the vectors of 1c, the labels of 3e and gold. RUN is the run of label. "
              "How they are put together is chosen by gold; without gold, labels alone are learned from."),
        Panel("4b", "what was tried, and what to expect of the choice",
              table(["trained on", *(f"{setting}#" for setting in MEASURES)], tried, strong=[len(tried) - 2]),
              "Multiclass: accuracy; multilabel: F1 over samples; each on gold that the model had not seen. "
              "Marked: gold that had no say in the choice either.", 7),
        Panel("4c", "multiclass: right and wrong", matrix(counts), width=5),
        Panel("4d", "multilabel: what it gets wrong", table(["txt", "gold", "predicted"], errors),
              f"{sum(differ)} of {len(several)} gold points; report.html of the run has all of them."),
    ]  # fmt: skip


def serve(example: Example) -> list[Panel]:
    """Figure 5: champion, request, answer, table of predictions."""
    model = f"multilabel_{TASK}"
    with service() as address:
        answer = ask(address, model, [ASKED])
    predict(example.project, TASK, TABLE, write=True)
    query = (
        "SELECT id, is_cat, is_bird, round(prob_cat, 3) AS prob_cat, round(prob_bird, 3) AS prob_bird\n"
        f"FROM {TASK}_predictions WHERE is_cat = 1 AND is_bird = 1 ORDER BY prob_bird DESC LIMIT 4"
    )
    with sqlite3.connect(example.project.settings.home / "data.db") as database:
        cursor = database.execute(query)
        head = [str(column[0]) for column in cursor.description]
        rows = [[str(value) for value in row] for row in cursor]
    request: dict[str, Any] = {"table_name": [TABLE], "id": [ASKED]}
    asked = code(f"POST /predict_{model}\n{json.dumps(request)}")
    asked += f"<p>{TABLE}/{ASKED}: {example.texts([ASKED])[0]}</p>"
    answered = bars([(name, float(answer[f"prob_{name}"][0])) for name in example.classes], example.classes)
    said = example.chips([name for name in example.classes if answer[name][0] == 1])
    written = code(f"$ adaptml predict {TASK} --data {TABLE} --write") + code(query) + table(head, rows)
    return [
        Panel("5a", "a version becomes the champion", code(f"$ adaptml deploy {model}\n$ adaptml serve"),
              "The service takes a new champion within 10 seconds.", 5),
        Panel("5b", "a request names table and id", asked, width=7),
        Panel("5c", "the answer", f"{answered}<p>Classes: {said}</p>", width=5),
        Panel("5d", "the same for the whole table, for any SQL tool", written, width=7),
    ]  # fmt: skip


FIGURES: dict[str, tuple[str, Callable[[Example], list[Panel]]]] = {
    "example_1_data_table": ("1. The data table, and what is computed from it", data_table),
    "example_2_annotation": ("2. Some points are annotated", annotation),
    "example_3_label": ("3. Rules label the points", label),
    "example_4_train": ("4. An end model learns from the labels", train),
    "example_5_serve": ("5. The model answers", serve),
}


def _lf_source() -> str:
    """The example's `get_lfs` without its docstring, and the first of the keywords for a snake."""
    lines = inspect.getsource(example_lfs.get_lfs).splitlines()
    words = json.dumps(example_lfs.KEYWORDS["snake"][:4]).removesuffix("]")
    head = f'COLUMN = "{example_lfs.COLUMN}"\nKEYWORDS = {{…, "snake": {words}, …]}}\n'
    return "\n".join([head, lines[0], *lines[2:]])


def _votes(row: pd.Series, classes: list[str]) -> str:
    """The votes of one point: each function that does not abstain, in the colour of its class."""
    votes = {str(lf): classes[int(vote)] for lf, vote in row.items() if vote >= 0}
    return " ".join(chips([name], classes, text=lf) for lf, name in votes.items())


def _strategies(example: Example) -> list[list[str]]:
    """What was tried, its metric on gold by setting; then the choice's, and how many points there were."""
    found = {setting: example.metrics(example.train_run(setting)) for setting in MEASURES}

    def line(title: str, name: str) -> list[str]:
        values = [found[setting].get(f"{name}{key}") for setting, (_, key) in MEASURES.items()]
        return [title, *("" if value is None else f"{value:.3f}" for value in values)]

    tried = [line(title, f"strategy_{name}/") for name, title in STRATEGIES.items()]
    points = [f"{one['train_points']:.0f}, {one['gold_points']:.0f}" for one in found.values()]
    judged = line("the choice, on gold that did not choose", "gold_")
    return [*(row for row in tried if any(row[1:])), judged, ["labelled points, gold points", *points]]


def _label_models(example: Example) -> list[list[str]]:
    """Setting, label model and its metric on gold, of each that was compared."""
    rows = []
    for setting, (_, key) in MEASURES.items():
        found = example.metrics(example.label_run(setting))
        for name, value in found.items():
            model, _, metric = name.removeprefix("dev_").partition("/")
            if name.startswith("dev_") and metric == key:
                shown = "always the most frequent class" if model == CONSTANT else model
                rows.append([setting, shown, f"{value:.3f}"])
        rows.append([setting, "the choice, on gold that did not choose", f"{found[f'dev_{key}']:.3f}"])
    return rows
