"""Folders of tiny models in ONNX and of static vectors, and pictures, for tests that need no library to make them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.numpy import save_file
from tiny_models import WORDS, tokenizer, write_json

# Vectors of the words, three numbers each, for what can be worked out by hand: word 4 is (4, 0, 1).
TABLE = np.array([[n, 0, 1] for n in range(len(WORDS))], dtype=np.float32)


def save(
    path: Path, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **tensors: Any
) -> None:
    """A graph as a file of ONNX."""
    values = [numpy_helper.from_array(np.asarray(tensor), name) for name, tensor in tensors.items()]
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), values)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(made, path)


def info(name: str, kind: int, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def write_text_model(folder: Path, *, sentences: bool = False, place: str = "model.onnx") -> Path:
    """A model that gives each piece its row of TABLE; with `sentences` also 10 times the first piece's."""
    inputs = [
        info("input_ids", TensorProto.INT64, "b", "l"),
        info("attention_mask", TensorProto.INT64, "b", "l"),
    ]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    outputs = [info("last_hidden_state", TensorProto.FLOAT, "b", "l", 3)]
    tensors: dict[str, Any] = {"table": TABLE}
    if sentences:
        nodes.append(helper.make_node("Gather", ["last_hidden_state", "zero"], ["first"], axis=1))
        nodes.append(helper.make_node("Mul", ["first", "ten"], ["sentence_embedding"]))
        outputs.append(info("sentence_embedding", TensorProto.FLOAT, "b", 3))
        tensors |= {"zero": np.int64(0), "ten": np.float32(10)}
    save(folder / place, nodes, inputs, outputs, **tensors)
    tokenizer().save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", {"vocab_size": len(WORDS), "max_position_embeddings": 20})
    return folder


def write_picture_model(folder: Path, **settings: Any) -> Path:
    """A model that gives the mean of each colour of what it sees, as a picture of one dot."""
    nodes = [helper.make_node("GlobalAveragePool", ["pixel_values"], ["features"])]
    save(
        folder / "model.onnx",
        nodes,
        [info("pixel_values", TensorProto.FLOAT, "b", 3, "h", "w")],
        [info("features", TensorProto.FLOAT, "b", 3, 1, 1)],
    )
    given = {"size": {"height": 4, "width": 4}, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    write_json(folder / "preprocessor_config.json", given | settings)
    return folder


def write_classifier(folder: Path, labels: Sequence[str] = ("red", "green", "blue"), side: Any = "s") -> Path:
    """A classifier that gives each colour its mean, from -1 to 1, of pictures of `side` dots."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["means"]),
        helper.make_node("Flatten", ["means"], ["logits"]),
    ]
    save(
        folder / "model.onnx",
        nodes,
        [info("pixel_values", TensorProto.FLOAT, 1, 3, side, side)],
        [info("logits", TensorProto.FLOAT, 1, 3)],
    )
    half = [0.5, 0.5, 0.5]
    given = {"size": {"height": 4, "width": 4}, "image_mean": half, "image_std": half}
    write_json(folder / "preprocessor_config.json", given)
    (folder / "labels.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
    return folder


def write_static(
    folder: Path, *, dtype: Any = np.float32, config: dict[str, Any] | None = None, **tensors: Any
) -> Path:
    """Static vectors as model2vec saves them: TABLE, and perhaps `weights` and a `mapping`."""
    folder.mkdir(parents=True)
    tensors = {"embeddings": TABLE.astype(dtype)} | tensors
    save_file(
        {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder / "model.safetensors"
    )
    tokenizer().save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", {"model_type": "model2vec", "normalize": False} | (config or {}))
    return folder


def picture(red: int, green: int, blue: int, size: tuple[int, int] = (12, 8)) -> Image.Image:
    """A picture of one colour, width and height of `size`."""
    return Image.new("RGB", size, (red, green, blue))


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of its file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
