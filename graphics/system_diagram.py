"""Draw `system_diagram.png`: the way of a data point through the rooms.

    python graphics/system_diagram.py

Rooms are columns, a column's boxes are its rows from the top; everything else follows from the tables below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

PICTURE = Path(__file__).with_suffix(".png")
SIZE_IN, DPI = (12.0, 8.83), 150
INK, SOFT, LINE, ACCENT, PALE, PAPER = "#1d2b36", "#5a6b78", "#8fa3b0", "#0f6b75", "#eef4f5", "#ffffff"

COLUMN_X, BOX_W, BOX_H = (0.55, 4.55, 8.55), 2.75, 0.92
ROW_Y = (5.95, 4.5, 3.05, 1.6)
TABLE = (0.2, 7.78, 11.6, 0.85)  # x, y, width, height
RECORD = (4.2, 0.2, 7.6, 0.8)
ENTRY = 2.25  # where arrows from the table meet a box, past the room's name
HEAD_IN = 0.08
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A step or a thing: where it stands, its name and one line about it."""

    column: int
    row: int
    name: str
    about: str
    strong: bool = False

    @property
    def x(self) -> float:
        """Left edge."""
        return COLUMN_X[self.column]

    @property
    def y(self) -> float:
        """Lower edge."""
        return ROW_Y[self.row]

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + BOX_W / 2, self.y + BOX_H / 2


ROOMS = ("labelstudio", "dataprogramming", "modelling")
BOXES = {
    "sample": Box(0, 0, "sample-tasks", "draws random rows"),
    "people": Box(0, 1, "Label Studio", "people annotate"),
    "gold": Box(0, 2, "process-annotations", "gold labels", strong=True),
    "agreement": Box(0, 3, "annotator-agreement", "α, verdict, what to fix"),
    "lfs": Box(1, 0, "labelling functions", "rules, in lfs.py"),
    "matrix": Box(1, 1, "label matrix", "points × functions"),
    "label": Box(1, 2, "label model", "weighs the votes"),
    "training": Box(1, 3, "training data", "labels, probabilities", strong=True),
    "answer": Box(2, 0, "predictions", "classes, probabilities", strong=True),
    "serve": Box(2, 1, "FastAPI service", "POST /predict_<name>"),
    "registry": Box(2, 2, "model registry", "deploy sets the champion"),
    "train": Box(2, 3, "end model", "trained, evaluated"),
}
# from, to, what passes between them; neighbours in a column or in a row
STEPS = (
    ("sample", "people", "tasks · json"),
    ("people", "gold", "export · json"),
    ("gold", "agreement", "ann_df · parquet"),
    ("lfs", "matrix", "votes"),
    ("matrix", "label", "parquet"),
    ("label", "training", "parquet"),
    ("gold", "label", "gold_df\nparquet"),
    ("training", "train", "by run id\nparquet"),
    ("train", "registry", "skops"),
    ("registry", "serve", "champion"),
    ("serve", "answer", "json"),
)


def draw() -> Figure:
    """The picture, with one unit of its axes an inch."""
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE_IN[0]), ylim=(0, SIZE_IN[1]))
    axes.set_axis_off()
    for column, name in enumerate(ROOMS):
        _room(axes, column, name)
    _band(
        axes,
        TABLE,
        "data table",
        "id  ·  text, images, audio, video, numbers  ·  beside it: features, results",
    )
    _band(axes, RECORD, "MLflow", "every run: parameters, seed, figures, artifacts, models")
    for box in BOXES.values():
        _box(axes, box)
    for start, end, label in STEPS:
        _step(axes, BOXES[start], BOXES[end], label)
    _from_and_to_table(axes)
    _to_record(axes)
    return figure


def _room(axes: Axes, column: int, name: str) -> None:
    x, bottom = COLUMN_X[column] - 0.35, ROW_Y[-1] - 0.2
    _rounded(axes, (x, bottom, BOX_W + 0.85, ROW_Y[0] + BOX_H + 0.5 - bottom), PALE, PALE)
    y = ROW_Y[0] + BOX_H + 0.27
    axes.text(x + 0.18, y, name, color=ACCENT, fontsize=13.5, weight="bold", va="center")


def _box(axes: Axes, box: Box) -> None:
    fill, name, about = (ACCENT, PAPER, "#d5e8ea") if box.strong else (PAPER, INK, SOFT)
    _rounded(axes, (box.x, box.y, BOX_W, BOX_H), fill, ACCENT if box.strong else LINE)
    x, y = box.middle
    axes.text(x, y + 0.17, box.name, color=name, fontsize=14.5, weight="bold", ha="center", va="center")
    axes.text(x, y - 0.2, box.about, color=about, fontsize=13, ha="center", va="center")


def _band(axes: Axes, place: tuple[float, float, float, float], name: str, about: str) -> None:
    _rounded(axes, place, INK, INK)
    x, y, width, height = place
    y += height / 2
    axes.text(x + 0.35, y, name, color=PAPER, fontsize=16, weight="bold", va="center")
    axes.text(x + width - 0.35, y, about, color="#cfd9df", fontsize=13.5, ha="right", va="center")


def _rounded(axes: Axes, place: tuple[float, float, float, float], fill: str, edge: str) -> None:
    x, y, width, height = place
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, "round,pad=0,rounding_size=0.1", fc=fill, ec=edge, lw=1.3)
    )


def _step(axes: Axes, start: Box, end: Box, label: str) -> None:
    """An arrow between neighbours: along a column with its label beside it, or across with it above."""
    (x0, y0), y1 = start.middle, end.middle[1]
    if start.column == end.column:
        up = 1 if y1 > y0 else -1
        _arrow(axes, [(x0, y0 + up * BOX_H / 2), (x0, y1 - up * BOX_H / 2)])
        axes.text(x0 + 0.14, (y0 + y1) / 2, label, color=SOFT, fontsize=12.5, va="center")
    else:
        _arrow(axes, [(start.x + BOX_W, y0), (end.x, y1)])
        x = (start.x + BOX_W + end.x) / 2
        axes.text(x, y0 + 0.1, label, color=SOFT, fontsize=12.5, ha="center", va="bottom", linespacing=1.15)


def _arrow(axes: Axes, corners: Sequence[Point], style: str = "-", color: str = INK) -> None:
    """A line through the corners with a head at its end."""
    (x0, y0), (x1, y1) = corners[-2:]
    length = abs(x1 - x0) + abs(y1 - y0)
    neck = (x1 - (x1 - x0) / length * HEAD_IN, y1 - (y1 - y0) / length * HEAD_IN)
    axes.plot(*zip(*corners[:-1], neck, strict=True), color=color, lw=1.6, ls=style, solid_capstyle="butt")
    head = {"arrowstyle": "-|>,head_width=0.28,head_length=0.5", "color": color, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", corners[-1], neck, arrowprops=head)


def _from_and_to_table(axes: Axes) -> None:
    """Rows to sample, features for both models, predictions written back."""
    bottom, top = TABLE[1], ROW_Y[0] + BOX_H
    for column, label in enumerate(("rows", "LF features")):
        x = COLUMN_X[column] + ENTRY
        _arrow(axes, [(x, bottom), (x, top)])
        _note(axes, x + 0.12, label, "left")
    x, edge = BOXES["answer"].middle[0], COLUMN_X[2] + BOX_W
    _arrow(axes, [(x, top), (x, bottom)])
    _note(axes, x - 0.12, "predict --write", "right")
    for key in ("serve", "train"):
        y = BOXES[key].middle[1]
        _arrow(axes, [(edge + 0.28, bottom), (edge + 0.28, y), (edge, y)])
    _note(axes, edge + 0.21, "features", "right")


def _note(axes: Axes, x: float, text: str, side: str) -> None:
    axes.text(x, TABLE[1] - 0.2, text, color=SOFT, fontsize=12.5, ha=side, va="center")


def _to_record(axes: Axes) -> None:
    for key in ("training", "train"):
        x, y = BOXES[key].middle[0], BOXES[key].y
        _arrow(axes, [(x, y), (x, RECORD[1] + RECORD[3])], style="--", color=LINE)


if __name__ == "__main__":
    draw().savefig(PICTURE, metadata={"Software": ""})
