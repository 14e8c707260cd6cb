"""The table of label models on the page of a `label` run: each on gold that it has not seen."""

from collections.abc import Sequence

from adaptml.reports.charts import interval_glyph
from adaptml.reports.html import Cell, Column, Html, element, joined, number, table
from adaptml.reports.page import paragraph
from dataprogramming.on_gold import Figure, ModelOnGold, OnGold


def models_table(found: OnGold) -> list[Html | None]:
    """Content of a section: a row per label model, the constant one first and the choice last."""
    metrics = list(found.judged.figures)
    columns = [
        Column("Label model", numeric=False),
        *(
            Column(metric.title[0].upper() + metric.title[1:], help=f"{metric.title}, with its 95 % interval")
            for metric in metrics
        ),
        Column("Log loss", help="mean of -log of the probability of the truth; lower is better"),
    ]
    rows = [_row(model, model.title) for model in found.models]
    rows.append(_row(found.judged, f"the choice, {found.judged.name}"))
    return [
        paragraph(
            "Each label model was judged by cross-validation: it had not seen the gold that it is judged by. "
            f"What decides is {found.metric.title}, and the log loss where gold cannot tell two apart. "
            "The last row is the figure to expect: there, no gold point has a say in choosing the label "
            "model that it is judged by."
        ),
        table(columns, rows, caption=f"Label models on {found.n:,} gold points"),
    ]


def _row(model: ModelOnGold, title: str) -> Sequence[object]:
    figures = [_cell(figure) for figure in model.figures.values()]
    return [title, *figures, number(model.log_loss, f"{model.log_loss:.3f}")]


def _cell(figure: Figure) -> Cell:
    text = str(figure)
    if not 0 <= figure.low <= figure.high <= 1:  # a log loss has no place between 0 and 1
        return Cell(text, figure.value)
    glyph = interval_glyph(figure.value, figure.low, figure.high, text)
    return Cell(joined([glyph, " ", element("span", text, class_="share")]), figure.value)
