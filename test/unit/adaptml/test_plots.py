"""Plots: what is written on them, that they become PNG files, and that nothing global is touched."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adaptml.plots import confusion_plot, confusion_plots_per_class, det_plot, roc_plot, write_plot

EYE = np.eye(3, dtype=np.int8)


def texts(axes: object) -> list[str]:
    return [text.get_text() for text in axes.texts]  # type: ignore[attr-defined]


def test_multiclass_matrix_shows_counts_and_row_shares() -> None:
    figure = confusion_plot(["a", "b", "c"], EYE[[0, 0, 0, 0, 1]], EYE[[0, 0, 0, 2, 1]], "LM")
    (axes,) = figure.axes
    # row a: 3 right, 1 called c; row b: 1 right; row c has no true point, so no share
    assert texts(axes) == ["3", "75 %", "0", "0 %", "1", "25 %", "0", "0 %", "1", "100 %", "0", "0 %", *"000"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert figure.get_suptitle() == "LM"


def test_multilabel_has_a_panel_for_each_class() -> None:
    true = np.array([[1, 0], [1, 1], [0, 1]], dtype=np.int8)
    pred = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.int8)
    figure = confusion_plots_per_class(["cat", "dog"], true, pred, "LM")
    assert [axes.get_title() for axes in figure.axes] == ["cat", "dog"]
    # cat: the one row without is right; of the two rows with, one is found
    assert texts(figure.axes[0]) == ["1", "100 %", "0", "0 %", "1", "50 %", "1", "50 %"]


@pytest.mark.parametrize("k", [13, 41])
def test_many_classes_still_fit(k: int, tmp_path: Path) -> None:
    truth = np.eye(k, dtype=np.int8)
    names = [f"a class with a very long name {i}" for i in range(k)]
    figure = confusion_plot(names, truth, truth, "many")
    assert len(texts(figure.axes[0])) == (k * k if k <= 40 else 0)
    assert max(len(label.get_text()) for label in figure.axes[0].get_xticklabels()) <= 24
    write_plot(figure, tmp_path / "many.png")


def test_roc_goes_through_the_points_of_its_thresholds() -> None:
    figure = roc_plot(np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.1]), "spam", "EM")
    _, curve = figure.axes[0].lines
    assert np.asarray(curve.get_xydata()).tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]
    assert "area under the curve 0.750" in texts(figure.axes[0])


def test_det_keeps_rates_of_zero_and_one_on_the_plot() -> None:
    figure = det_plot(np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.1]), "spam", "EM")
    _, curve = figure.axes[0].lines
    points = np.asarray(curve.get_xydata())
    # two rows a side: the edge is a quarter of the way, at the normal quantile -0.674
    assert points[0].tolist() == pytest.approx([-0.6745, 0.6745], abs=1e-4)
    assert points[1].tolist() == pytest.approx([-0.6745, 0.0], abs=1e-4)


@pytest.mark.parametrize("draw", [roc_plot, det_plot])
def test_a_curve_needs_both_sides(draw: object) -> None:
    with pytest.raises(ValueError, match="a curve needs at least one positive and one negative row"):
        draw(np.array([1, 1], np.int8), np.array([0.5, 0.6]), "spam", "EM")  # type: ignore[operator]


def test_a_plot_is_a_png_file(tmp_path: Path) -> None:
    figure = confusion_plot(["a", "b", "c"], EYE, EYE, "LM")
    path = write_plot(figure, tmp_path / "deep" / "cm.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_importing_does_not_load_matplotlib() -> None:
    code = "import sys, adaptml.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
