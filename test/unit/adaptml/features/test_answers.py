"""Answers: an image classifier's best class, by hand; what is refused; and the words in pictures."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tiny_encoders import info, picture, png, save, write_classifier, write_text_model
from tiny_models import change_json

from adaptml.errors import FeatureError
from adaptml.features.answers import Answers, get_answers
from adaptml.features.encoders import Answer, check_encoder, encoder_checksum, encoder_takes, get_encoder
from adaptml.features.onnx_classifier import probabilities, read_labels
from adaptml.features.onnx_pictures import Preparation, usual_preparation

RED, BLUE = png(picture(255, 0, 0)), png(picture(0, 0, 255))
BEST = np.e / (np.e + 2 / np.e)  # softmax of 1, -1, -1


def answers(folder: Path, *cells: Any) -> list[Answer | None]:
    return get_answers(f"onnx:{folder}").of(cells)


def test_the_best_class_and_its_probability_by_hand(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    red, nothing, blue = answers(folder, RED, None, BLUE)
    assert nothing is None
    assert red == ("red", pytest.approx(BEST, abs=1e-6))
    assert blue == ("blue", pytest.approx(BEST, abs=1e-6))


def test_numbers_that_are_probabilities_are_left_as_they_are() -> None:
    np.testing.assert_array_equal(probabilities(np.array([0.25, 0.75])), [0.25, 0.75])
    np.testing.assert_allclose(probabilities(np.array([1000.0, 1000.0])), [0.5, 0.5])
    np.testing.assert_allclose(probabilities(np.array([-0.5, 1.5])).sum(), 1)


def test_a_classifier_makes_vectors_as_before(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    expected = [np.array([1, -1, -1]) / 3**0.5]
    np.testing.assert_allclose(get_encoder(f"onnx:{folder}").encode([RED]), expected, atol=1e-6)


def test_without_a_file_pictures_are_prepared_in_the_usual_way(tmp_path: Path) -> None:
    """Of a model of 7 × 7 dots the shorter side becomes 8; red is (1 - 0.485) / 0.229 and so on."""
    folder = write_classifier(tmp_path / "model", side=7)
    (folder / "preprocessor_config.json").unlink()
    assert encoder_takes(f"onnx:{folder}") == "image"
    assert usual_preparation(7, 7)["size"] == {"shortest_edge": 8}
    assert usual_preparation("h", None)["crop_size"] == {"height": 224, "width": 224}
    seen = Preparation(usual_preparation(7, 7))(np.array(picture(255, 0, 0)))
    assert seen.shape == (7, 7, 3)
    logits = np.array([0.515 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
    np.testing.assert_allclose(seen[3, 3], logits, rtol=1e-5)
    expected = np.exp(logits[0]) / np.exp(logits).sum()
    assert answers(folder, RED) == [("red", pytest.approx(expected, abs=1e-6))]


def test_other_labels_are_another_encoder(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    before = encoder_checksum(f"onnx:{folder}")
    (folder / "labels.txt").write_text("\ufeffrouge\r\nvert\r\nbleu\r\n\r\n", encoding="utf-8")
    assert encoder_checksum(f"onnx:{folder}") != before
    assert read_labels(folder / "labels.txt") == ["rouge", "vert", "bleu"]


def test_the_same_cells_are_read_once() -> None:
    asked = []

    def batch(pictures: Any) -> list[Answer]:
        asked.append(len(pictures))
        return [Answer("x", 1.0)] * len(pictures)

    found = Answers("ocr", "image", batch, None)
    assert found.of([RED, None]) == found.of([RED, None]) == [("x", 1.0), None]
    assert asked == [1]
    assert found.of([BLUE]) == [("x", 1.0)]
    assert asked == [1, 1]


Change = Callable[[Path], object]


def labels(text: str) -> Change:
    return lambda folder: (folder / "labels.txt").write_text(text)


def sized(**size: int) -> Change:
    return lambda folder: change_json(folder / "preprocessor_config.json", size=size)


def grey(folder: Path) -> None:
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["y"])]
    shapes = [info("x", TensorProto.FLOAT, 1, 1, 4, 4)], [info("y", TensorProto.FLOAT, 1, 1, 1, 1)]
    save(folder / "model.onnx", nodes, *shapes)


def of_texts(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    write_text_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (labels("a\nb\n"), "the model gives 3 numbers a picture, and labels.txt names 2 classes; "),
        (labels("a\n\nb\n"), "line 2 of model/labels.txt is empty; expected a class a line"),
        (labels("a\nb\na\n"), "model/labels.txt names the class 'a' 2 times; expected each once"),
        (labels("a\n"), "model/labels.txt names 1 classes; expected 2 or more"),
        (labels(""), "model/labels.txt names 0 classes; expected 2 or more"),
        (lambda f: (f / "labels.txt").write_bytes(b"\xff\xfe\xff"), "model/labels.txt is no text in UTF-8"),
        (lambda f: (f / "labels.txt").unlink(), "model/labels.txt is missing, which names the classes"),
        (sized(height=5, width=4), "the model takes pictures of 3 × 4 × 4, and .* makes 3 × 5 × 4; "),
        (grey, "the model takes pictures of 1 × 4 × 4, and preprocessor_config.json makes 3 × 4 × 4; "),
        (of_texts, "it is a model of texts; only classifiers of pictures give answers"),
        (lambda f: (f / "model.onnx").unlink(), "neither model.onnx nor onnx/model.onnx is there"),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_line(tmp_path: Path, change: Change, message: str) -> None:
    folder = write_classifier(tmp_path / "model", side=4)
    change(folder)
    with pytest.raises(FeatureError, match=message) as error:
        answers(folder, RED)
    assert str(error.value).startswith(f"the ONNX model in {folder} cannot be read: ")
    assert "\n" not in str(error.value)


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    with pytest.raises(FeatureError, match=r"^2 of 3 pictures cannot be read: of 3 bytes \(no picture that"):
        answers(folder, RED, b"abc", b"abcd")


@pytest.mark.parametrize("name", ["pictures", "hybrid"])
def test_an_encoder_that_gives_no_answers(name: str) -> None:
    with pytest.raises(
        FeatureError, match=f"^the encoder '{name}' gives no answers; expected one of ocr, onnx$"
    ):
        get_answers(name)


def test_the_words_in_a_picture_are_no_vector() -> None:
    for refuse in (check_encoder, get_encoder):
        with pytest.raises(
            FeatureError, match=r"^the encoder 'ocr' gives no vectors; expected one of frames, "
        ):
            refuse("ocr")


def test_the_reader_of_words_takes_no_source() -> None:
    with pytest.raises(FeatureError, match=r"^the encoder 'ocr' reads no other model, given 'x'; write only"):
        get_answers("ocr:x")


def test_without_the_library_that_reads_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(
        FeatureError, match=r"needs a library .*; install the extra: pip install -e '.\[ocr\]'$"
    ):
        get_answers("ocr")


def test_a_model_that_is_not_in_the_package_is_not_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import rapidocr

    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(FeatureError, match=r"has no model PP-OCRv6_det_small.onnx; install the version of "):
        get_answers("ocr")
