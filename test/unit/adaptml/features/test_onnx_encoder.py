"""Models that a person brings in ONNX: texts and pictures, by hand; and what is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image
from tiny_encoders import TABLE, info, picture, png, save, write_picture_model, write_text_model
from tiny_models import HIDDEN, add_dense, change_json, write_json, write_model, write_modules

from adaptml.errors import FeatureError
from adaptml.features.bert_config import BertConfig
from adaptml.features.bert_graph import build
from adaptml.features.encoders import encoder_checksum, encoder_takes, get_encoder
from adaptml.features.hashing_encoder import DIMENSIONS
from adaptml.features.model_files import Weights
from adaptml.features.onnx_pictures import Preparation

# Numbers of the pieces, the markers <s> 0 and </s> 2 around them: purr 4, meow 5, the 7.
PURR, PURR_MEOW, NOTHING = [0, 4, 2], [0, 4, 5, 2], [0, 2]


def encoded(folder: Path, *values: Any) -> np.ndarray:
    return get_encoder(f"onnx:{folder}").encode(values)


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_texts_are_the_mean_of_their_pieces(tmp_path: Path, place: str) -> None:
    folder = write_text_model(tmp_path / "model", place=place)
    vectors = encoded(folder, "purr meow", "purr", "")
    expected = [TABLE[pieces].mean(axis=0) for pieces in (PURR_MEOW, PURR, NOTHING)]
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)
    assert vectors.dtype == np.float32
    assert encoder_takes(f"onnx:{folder}") == "text"


def test_the_pooling_is_the_folder_s(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path / "model", place="onnx/model.onnx")
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write_modules(folder, [(path, f"sentence_transformers.models.{kind}") for path, kind in kinds])
    write_json(
        folder / "1_Pooling" / "config.json",
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    )
    np.testing.assert_allclose(encoded(folder, "purr", "meow"), [[0, 0, 1], [0, 0, 1]])
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode": "max"})
    np.testing.assert_allclose(encoded(folder, "purr"), [np.array([4, 0, 1]) / 17**0.5], rtol=1e-6)


def test_a_model_s_own_sentence_vectors_are_taken(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path / "model", sentences=True)
    np.testing.assert_allclose(encoded(folder, "purr", "meow purr"), [[0, 0, 10]] * 2)


def test_what_a_sentence_transformer_makes_it_makes_in_onnx_too(tmp_path: Path) -> None:
    """The same weights, tokenizer, pooling and Dense by both ways."""
    folder = write_model(tmp_path / "model")
    dense = {
        "in_features": HIDDEN,
        "out_features": 3,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    add_dense(folder, **dense)
    texts = ["purr meow the cat", "bark", "", "the dog the dog the dog"]
    expected = get_encoder(f"hybrid:{folder}").encode(texts)[:, DIMENSIONS : DIMENSIONS + 3]
    config = BertConfig.read(json.loads((folder / "config.json").read_text()))
    graph, tensors = build(config, Weights(folder / "model.safetensors"))
    _export(folder / "model.onnx", graph, tensors)
    (folder / "model.safetensors").unlink()
    found = encoded(folder, *texts)
    np.testing.assert_allclose(found / np.linalg.norm(found, axis=1, keepdims=True), expected, atol=1e-6)


def _export(path: Path, graph: bytes, tensors: dict[str, np.ndarray]) -> None:
    """The graph as it is exported: with its tensors, and with input_ids and attention_mask as its inputs."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    kept = [value for value in model.graph.initializer if value.name not in tensors]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    model.graph.initializer.extend(numpy_helper.from_array(tensor, name) for name, tensor in tensors.items())
    nodes = [
        helper.make_node("Identity", ["input_ids"], ["ids"]),
        helper.make_node("Identity", ["position_ids"], ["positions"]),
        helper.make_node("Cast", ["attention_mask"], ["mask_float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["mask_float", "export_one"], ["mask_less"]),
        helper.make_node("Mul", ["mask_less", "export_far"], ["mask_far"]),
        helper.make_node("Unsqueeze", ["mask_far", "export_axes"], ["bias"]),
    ]
    values = {"export_one": np.float32(1), "export_far": np.float32(1e30), "export_axes": np.array([1, 2])}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in values.items())
    old = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + old)
    del model.graph.input[:]
    names = ("input_ids", "position_ids", "attention_mask")
    model.graph.input.extend(info(name, TensorProto.INT64, "b", "l") for name in names)
    onnx.save(model, path)


def test_long_texts_are_cut_to_what_the_model_takes(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path / "model")
    long, cut = encoded(folder, "purr " * 500, "purr " * 18)
    np.testing.assert_array_equal(long, cut)
    change_json(folder / "config.json", model_type="roberta", pad_token_id=1)
    np.testing.assert_allclose(
        encoded(folder, "purr " * 500), [TABLE[[0, *[4] * 16, 2]].mean(axis=0)], rtol=1e-6
    )


def test_another_file_of_the_model_is_another_encoder(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path / "model")
    before = encoder_checksum(f"onnx:{folder}")
    change_json(folder / "config.json", pad_token_id=1)
    assert encoder_checksum(f"onnx:{folder}") != before


def test_pictures_are_prepared_as_the_folder_says(tmp_path: Path) -> None:
    """Red is (1, 0, 0), less the mean 0.5 and by the spread 0.5 (1, -1, -1), of length 1."""
    folder = write_picture_model(tmp_path / "model")
    assert encoder_takes(f"onnx:{folder}") == "image"
    (tmp_path / "red.png").write_bytes(png(picture(255, 0, 0)))
    vectors = get_encoder(f"onnx:{folder}", tmp_path).encode(["red.png", None, png(picture(0, 0, 255))])
    np.testing.assert_allclose(vectors, np.array([[1, -1, -1], [0, 0, 0], [-1, -1, 1]]) / 3**0.5, atol=1e-6)


def test_preparation_by_hand() -> None:
    """The shorter side becomes 4, then the middle 2 × 2 is taken: of 16 × 8, the middle of 8 × 4."""
    half = np.zeros((8, 16, 3), np.uint8)
    half[:, 8:] = 200
    prepare = Preparation({"size": {"shortest_edge": 4}, "resample": 0, "do_center_crop": True, "crop_size": 2,
                           "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 2.0], "rescale_factor": 0.01})  # fmt: skip
    found = prepare(half)
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found[0], [[0, 0, 0], [2, 2, 1]], rtol=1e-6)
    assert Preparation({"do_resize": False, "do_normalize": False, "do_rescale": False})(half).shape == (
        8,
        16,
        3,
    )
    small = {
        "do_resize": False,
        "do_normalize": False,
        "do_center_crop": True,
        "crop_size": {"height": 10, "width": 4},
    }
    padded = Preparation(small)(half)
    assert padded.shape == (10, 4, 3)
    assert not padded[[0, -1]].any()


def test_pictures_with_the_colours_last_and_parts_of_a_picture(tmp_path: Path) -> None:
    """The first of the parts of a picture stands for all of it."""
    folder = write_picture_model(tmp_path / "model")
    nodes = [
        helper.make_node("Reshape", ["pixels", "shape"], ["parts"]),
    ]
    save(folder / "model.onnx", nodes, [info("pixels", TensorProto.FLOAT, "b", 4, 4, 3)],
         [info("parts", TensorProto.FLOAT, "b", 16, 3)], shape=np.array([0, 16, 3]))  # fmt: skip
    image = Image.new("RGB", (4, 4), (255, 255, 255))
    image.putpixel((0, 0), (0, 0, 255))
    np.testing.assert_allclose(encoded(folder, png(image)), [np.array([-1, -1, 1]) / 3**0.5], atol=1e-6)


Change = Callable[[Path], object]


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def written(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def changed(name: str, **changes: Any) -> Change:
    return lambda folder: change_json(folder / name, **changes)


def of_pieces(folder: Path) -> None:
    """A model of something else."""
    save(folder / "model.onnx", [helper.make_node("Identity", ["sounds"], ["out"])],
         [info("sounds", TensorProto.FLOAT, "b", "l")], [info("out", TensorProto.FLOAT, "b", "l")])  # fmt: skip


def of_scalars(folder: Path) -> None:
    """A model that gives a number a text."""
    save(folder / "model.onnx", [helper.make_node("ReduceSum", ["input_ids"], ["out"], keepdims=0)],
         [info("input_ids", TensorProto.INT64, "b", "l")], [info("out", TensorProto.INT64)])  # fmt: skip


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (without("model.onnx"), "neither model.onnx nor onnx/model.onnx is there"),
        (without("tokenizer.json"), "has neither preprocessor_config.json nor tokenizer.json"),
        (written("model.onnx", "no model"), "onnxruntime .* refuses the graph: "),
        (written("tokenizer.json", "{}"), "tokenizer.json is no tokenizer"),
        (written("config.json", "{no"), "config.json is no JSON"),
        (changed("config.json", vocab_size=3), "10 pieces of words and config.json 3; expected the files of one"),
        (changed("config.json", vocab_size="x"), "vocab_size is 'x'; expected a whole number from 1"),
        (changed("config.json", max_position_embeddings=2), "cut to 2 pieces of words"),
        (of_pieces, "the model takes sounds; expected input_ids and attention_mask"),
        (of_scalars, "the model gives out, of which none is a vector a text"),
    ],
)  # fmt: skip
def test_a_broken_folder_of_texts_is_one_line(tmp_path: Path, break_it: Change, reason: str) -> None:
    folder = write_text_model(tmp_path / "model")
    break_it(folder)
    with pytest.raises(FeatureError, match=reason) as error:
        get_encoder(f"onnx:{folder}")
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (written("preprocessor_config.json", "[]"), "holds a list; expected an object of settings"),
        (changed("preprocessor_config.json", size={"longest_edge": 4}), "size is .*; expected height and width"),
        (changed("preprocessor_config.json", size=10**9), "size is 1000000000; expected height"),
        (changed("preprocessor_config.json", image_mean=[1]), r"image_mean is \[1\]; expected a number each"),
        (changed("preprocessor_config.json", image_std=[1, 0, 1]), "image_std is .*; expected numbers above 0"),
        (changed("preprocessor_config.json", resample="best"), "resample is 'best'"),
        (changed("preprocessor_config.json", do_center_crop=True), "crop_size is None"),
        (of_pieces, "the model takes sounds; expected one input, pixel_values"),
    ],
)  # fmt: skip
def test_a_broken_folder_of_pictures_is_one_line(tmp_path: Path, break_it: Change, reason: str) -> None:
    folder = write_picture_model(tmp_path / "model")
    break_it(folder)
    with pytest.raises(FeatureError, match=reason) as error:
        get_encoder(f"onnx:{folder}")
    assert "\n" not in str(error.value)


def test_a_folder_must_be_named_and_be_there() -> None:
    with pytest.raises(
        FeatureError, match=r"^the encoder 'onnx' needs the folder of its model; write onnx:FOLDER$"
    ):
        get_encoder("onnx")
    with pytest.raises(
        FeatureError, match=r"^the folder nothing of the encoder 'onnx' is not there; give one"
    ):
        get_encoder("onnx:nothing")
