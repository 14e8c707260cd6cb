"""The page that a `train` run leaves: what the end model gets wrong on gold, with the texts."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.calibration import reliability
from adaptml.fixing.result import ToFix
from adaptml.reports.calibration import calibration_section
from adaptml.reports.charts import histogram
from adaptml.reports.confusion import Confusion, confusion, distribution, gold_section, metrics_table
from adaptml.reports.fixing import fixing_section
from adaptml.reports.html import Html
from adaptml.reports.page import Section, facts, fitting, page, paragraph, warnings_list
from adaptml.reports.rows import Limits, Points, Rows, Words, about, random_order
from adaptml.reports.texts import ReadTexts, Texts
from adaptml.tasks import MULTICLASS, MULTILABEL

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
GOLD = "gold"


def train_report(
    title: str,
    class_names: Sequence[str],
    training_labels: Indicator,
    gold_keys: pd.DataFrame | None = None,
    gold: Indicator | None = None,
    predicted: Indicator | None = None,
    probs: Floats | None = None,
    *,
    multilabel: bool,
    policy: str = "",
    metrics: Mapping[str, float] | None = None,
    read_texts: ReadTexts | None = None,
    lines: Sequence[tuple[str, str]] = (),
    warnings: Sequence[str] = (),
    to_fix: ToFix | None = None,
    choice: Sequence[Html | None] = (),
    seed: int = 0,
) -> str:
    """One self-contained HTML page on a training run. The four arguments on gold are all given or all None.

    Args:
        title: such as `End model of task example`.
        class_names: k names.
        training_labels: (n, k), values in {0, 1}: the classes that the model was trained on.
        gold_keys: `table_name` and `id` of g gold points.
        gold: (g, k), values in {0, 1}.
        predicted: (g, k), values in {0, 1}; in multiclass exactly one 1 per row, as in `gold`.
        probs: float64 (g, k), in [0, 1].
        multilabel: whether a point may have any number of classes.
        policy: a sentence on how gold was predicted, such as `By cross-validation.`
        metrics: all metrics of the run.
        read_texts: as in `label_report`: reads the texts of the rows that are shown; None leaves texts out.
        lines: names and sentences that the command printed.
        warnings: what looks wrong, one sentence each.
        to_fix: labels that look wrong, near-duplicates and weak slices; None for none.
        choice: content of the section on how the model was chosen (`modelling.choice_section`).
        seed: the same inputs and seed give the same page.

    Returns:
        The page, under 10 MB, to be written as UTF-8.
    """
    found, shown = None, {}
    believed = None
    if gold_keys is not None and gold is not None and predicted is not None and probs is not None:
        # The surest first: what the model is sure of and wrong in tells most.
        shown[GOLD] = Points(gold_keys, None, predicted, probs, gold, rank=-probs.max(axis=1))
        order = random_order(len(gold), seed)
        problem = MULTILABEL if multilabel else MULTICLASS
        believed = reliability(problem, class_names, gold, probs)
        found = confusion(GOLD, gold, predicted, class_names, multilabel, order)
    words = Words(classes=class_names, label_heading="Predicted")
    texts = None if read_texts is None else Texts(read_texts)
    labels = _label_section(class_names, training_labels, gold, predicted, probs)

    def render(limits: Limits) -> str:
        rows = Rows(shown, words, texts, limits, seed)
        sections = [
            Section("summary", "Summary", [facts(lines), warnings_list(warnings)]),
            Section("gold", "Against gold", _gold_section(found, rows, policy)),
            Section("to-fix", "What to fix next", [] if to_fix is None else fixing_section(to_fix, texts)),
            Section("choice", "How it was chosen", choice),
            Section("calibration", "Calibration", calibration_section(believed)),
            Section("labels", "Labels", labels),
            Section("metrics", "Metrics", [metrics_table(metrics or {})]),
            Section(
                "about",
                "About this page",
                [about(limits, read_texts is not None, f"drawn at random with seed {seed}")],
            ),
        ]
        return page(title, _subtitle(len(training_labels), found), sections, rows.data())

    return fitting(render)


def _subtitle(n: int, found: Confusion | None) -> str:
    gold = "nothing was compared with gold" if found is None else f"compared with {found.n:,} gold points"
    return f"Trained on {n:,} points; {gold}"


def _gold_section(found: Confusion | None, rows: Rows, policy: str) -> list[Html | None]:
    if found is None:
        return [
            paragraph("No gold: how good the model is, is not known. Name gold, or a test set that has it.")
        ]
    return gold_section(found, rows, "the end model", policy)


def _label_section(
    class_names: Sequence[str],
    training_labels: Indicator,
    gold: Indicator | None,
    predicted: Indicator | None,
    probs: Floats | None,
) -> list[Html | None]:
    sets = (
        ("training labels", training_labels, False),
        ("gold", gold, True),
        ("predicted", predicted, False),
    )
    kinds = [
        (name, Y.sum(axis=0, dtype=np.int64), len(Y), sampled) for name, Y, sampled in sets if Y is not None
    ]
    title = "Highest probability of each gold point"
    return [
        distribution(class_names, kinds),
        None if probs is None else histogram(title, probs.max(axis=1), "highest probability"),
    ]
