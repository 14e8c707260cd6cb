"""Plots of how predictions fit the truth: confusion matrices, ROC and DET curves.

Figures are made without pyplot, so no window system is asked for and no global state is changed.
"""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adaptml.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# One hue from light to dark: readable in print, in grey and for colour-blind eyes.
SHADES = ["#f7f9fc", "#c9d9ec", "#86acd3", "#3f79b3", "#1b4478"]
LINE = "#1f5a99"
TEXT = "#22303f"
QUIET = "#8592a0"
MOST_PANELS_IN_A_ROW = 4
MOST_CLASSES_WITH_SHARES = 12
MOST_CLASSES_WITH_NUMBERS = 40
MOST_CHARS = 24  # of a class name
DPI = 160


def confusion_plot(
    class_names: Sequence[str], y_true: npt.NDArray[np.int8], y_pred: npt.NDArray[np.int8], title: str
) -> "Figure":
    """Draw counts and row percentages of true classes against predicted ones as one (k, k) matrix.

    Args:
        class_names: the k class names, in column order.
        y_true: (n, k), values in {0, 1}, exactly one 1 a row.
        y_pred: as y_true.
        title: what is compared.
    """
    counts = y_true.astype(np.int64).T @ y_pred.astype(np.int64)
    side = 2.4 + len(class_names) * (0.85 if len(class_names) <= MOST_CLASSES_WITH_SHARES else 0.45)
    figure = _new_figure((side + 0.6, side), title)
    _draw_matrix(figure.add_subplot(), counts, class_names)
    _caption(figure, "numbers are points; shades are shares of the true class")
    return figure


def confusion_plots_per_class(
    class_names: Sequence[str], y_true: npt.NDArray[np.int8], y_pred: npt.NDArray[np.int8], title: str
) -> "Figure":
    """Draw one yes/no matrix per class; as `confusion_plot`, but a row may have any number of 1s."""
    lines = math.ceil(len(class_names) / MOST_PANELS_IN_A_ROW)
    columns = math.ceil(len(class_names) / lines)
    figure = _new_figure((2.75 * columns + 0.5, 2.85 * lines + 1.0), title)
    for i, name in enumerate(class_names):
        axes = figure.add_subplot(lines, columns, i + 1)
        true, pred = y_true[:, i].astype(np.int64), y_pred[:, i].astype(np.int64)
        _draw_matrix(axes, np.bincount(2 * true + pred, minlength=4).reshape(2, 2), ["no", "yes"])
        axes.set_title(_short(name), fontsize=12, color=TEXT, pad=8)
    _caption(figure, "numbers are points; shades are shares of the row")
    return figure


def roc_plot(
    is_positive: npt.NDArray[np.int8], prob: npt.NDArray[np.float64], positive: str, title: str
) -> "Figure":
    """Draw the share of positives found against the share of negatives taken for positive.

    Args:
        is_positive: (n,), values in {0, 1}, with at least one of each.
        prob: (n,), the probability of the positive class.
        positive: name of the positive class.
        title: what is compared.

    Raises:
        ValueError: if is_positive has one value only, for then there is no curve.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    _check_two_sides(is_positive)
    false, found, _ = roc_curve(is_positive, prob)
    figure = _new_figure((5.2, 5.2), title)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 4)))
    axes.annotate("chance", (0.62, 0.62), xytext=(6, -4), textcoords="offset points", color=QUIET, va="top")
    axes.fill_between(false, found, color=LINE, alpha=0.08, linewidth=0)
    axes.plot(false, found, color=LINE, linewidth=2.2, clip_on=False)
    area = float(roc_auc_score(is_positive, prob))
    axes.text(0.97, 0.05, f"area under the curve {area:.3f}", ha="right", color=TEXT, fontsize=11)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel(f"false positive rate (other rows called {_short(positive)})", color=TEXT)
    axes.set_ylabel(f"true positive rate ({_short(positive)} rows found)", color=TEXT)
    _quiet_frame(axes)
    return figure


def det_plot(
    is_positive: npt.NDArray[np.int8], prob: npt.NDArray[np.float64], positive: str, title: str
) -> "Figure":
    """Draw the detection error trade-off: missed positives against false alarms, both on a normal scale.

    The scale is that of Martin et al. (1997), "The DET curve in assessment of detection task performance".
    Rates of exactly 0 or 1 lie at infinity there and are drawn at the edge, half a row away from 0 or 1.

    Args and Raises: as `roc_plot`.
    """
    from scipy.stats import norm
    from sklearn.metrics import roc_curve

    _check_two_sides(is_positive)
    alarms, found, _ = roc_curve(is_positive, prob, drop_intermediate=False)
    n_positive = int(is_positive.sum())
    edge = 0.5 / max(n_positive, len(is_positive) - n_positive)
    x, y = (norm.ppf(np.clip(rate, edge, 1 - edge)) for rate in (alarms, 1 - found))
    figure = _new_figure((5.2, 5.2), title)
    axes = figure.add_subplot()
    limits = norm.ppf([edge, 1 - edge])
    axes.plot(limits, -limits, color=QUIET, linewidth=1, linestyle=(0, (4, 4)))
    axes.annotate("chance", (0, 0), xytext=(8, 4), textcoords="offset points", color=QUIET)
    axes.plot(x, y, color=LINE, linewidth=2.2, clip_on=False)
    ticks = [t for t in (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999) if edge <= t <= 1 - edge]
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    labels = [f"{100 * t:g} %" for t in ticks]
    axes.set_xticks(norm.ppf(ticks), labels)
    axes.set_yticks(norm.ppf(ticks), labels)
    axes.set_xlabel(f"false alarms (other rows called {_short(positive)})", color=TEXT)
    axes.set_ylabel(f"misses ({_short(positive)} rows not found)", color=TEXT)
    _quiet_frame(axes)
    return figure


def write_plot(figure: "Figure", path: Path) -> Path:
    """Write a figure as a PNG file, whole or not at all; returns the path."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, facecolor="white")
    return path


def _new_figure(size_inch: tuple[float, float], title: str) -> "Figure":
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=size_inch, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    figure.suptitle("\n".join(textwrap.wrap(title, int(size_inch[0] * 9))), fontsize=13, color=TEXT)
    return figure


def _draw_matrix(axes: "Axes", counts: npt.NDArray[np.int64], names: Sequence[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    axes.imshow(share, cmap=LinearSegmentedColormap.from_list("share", SHADES), vmin=0, vmax=1)
    places = range(len(names))
    axes.set_xticks(places, [_short(name) for name in names], rotation=0 if _is_terse(names) else 45)
    axes.set_yticks(places, [_short(name) for name in names])
    if not _is_terse(names):
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_xlabel("predicted", color=TEXT)
    axes.set_ylabel("true", color=TEXT)
    _quiet_frame(axes)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    if len(names) <= MOST_CLASSES_WITH_NUMBERS:
        _write_numbers(axes, counts, share)


def _write_numbers(axes: "Axes", counts: npt.NDArray[np.int64], share: npt.NDArray[np.float64]) -> None:
    shares = len(counts) <= MOST_CLASSES_WITH_SHARES
    for (row, column), count in np.ndenumerate(counts):
        style: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "color": "white" if share[row, column] > 0.55 else (TEXT if count else QUIET),
            "textcoords": "offset points",
            # It lies within its square: neither the layout nor the edges of the axes have to ask.
            "in_layout": False,
            "annotation_clip": False,
        }
        with_share = shares and bool(counts[row].any())
        place = (0, 6) if with_share else (0, 0)
        axes.annotate(f"{count:,}", (column, row), place, fontsize=13 if shares else 8, **style)
        if with_share:
            axes.annotate(f"{100 * share[row, column]:.0f} %", (column, row), (0, -10), fontsize=9, **style)


def _caption(figure: "Figure", text: str) -> None:
    figure.supxlabel(text, fontsize=9, color=QUIET)


def _quiet_frame(axes: "Axes") -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=10, labelcolor=TEXT)
    if not axes.images:
        axes.grid(color="#e3e8ee", linewidth=0.8)
        axes.set_axisbelow(True)


def _is_terse(names: Sequence[str]) -> bool:
    return max(map(len, names)) <= 7


def _short(name: str) -> str:
    return name if len(name) <= MOST_CHARS else name[: MOST_CHARS - 1].rstrip() + "…"


def _check_two_sides(is_positive: npt.NDArray[np.int8]) -> None:
    if len(np.unique(is_positive)) != 2:
        raise ValueError("a curve needs at least one positive and one negative row")
