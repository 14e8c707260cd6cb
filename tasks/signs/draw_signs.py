"""Draw five photos of signs, and make a classifier of them: `python tasks/signs/draw_signs.py`.

The classifier is one matrix that looks at a photo's mean colour. A real one is used in the
same way.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont

from adaptml.cli.support import output, run_command
from adaptml.files import replacing
from adaptml.project import Project

GREEN, RED, GREY = (60, 170, 80), (200, 60, 60), (150, 150, 150)
SIGNS = {
    "a": (GREEN, "OPEN"),
    "b": (RED, "CLOSED"),
    "c": (GREY, "Come in,\nwe are open"),
    "d": (GREY, "Back soon"),
    "e": (GREEN, ""),
}
LABELS = ["green sign", "red sign", "another sign"]
# What the classifier adds up for each of them, of red, green and blue.
WEIGHTS = [[-4, 4, 0], [4, -4, 0], [0, 0, 0]]
BIASES = [0, 0, 3]


def draw(colour: tuple[int, int, int], words: str) -> Image.Image:
    """A photo of 320 × 200 dots."""
    image = Image.new("RGB", (320, 200), colour)
    font = ImageFont.load_default(40)
    ImageDraw.Draw(image).multiline_text((30, 50), words, fill=(255, 255, 255), font=font)
    return image


def draw_photos(folder: Path) -> int:
    """Draw all photos; gives how many.

    Args:
        folder: where `signs/a.png` … are to lie.
    """
    for key, (colour, words) in SIGNS.items():
        with replacing(folder / "signs" / f"{key}.png") as path:
            draw(colour, words).save(path, format="PNG")
    return len(SIGNS)


def write_classifier(folder: Path) -> None:
    """Write model.onnx and labels.txt.

    Args:
        folder: is made.
    """
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["colour"]),
        helper.make_node("Flatten", ["colour"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "biases"], ["logits"], transB=1),
    ]
    tensors = {"weights": WEIGHTS, "biases": BIASES}
    graph = helper.make_graph(
        nodes,
        "signs",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(LABELS)])],
        [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    with replacing(folder / "model.onnx") as path:
        onnx.save(model, path)
    with replacing(folder / "labels.txt") as path:
        path.write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")


def command() -> None:
    """Draw the photos of the task `signs`, and write its classifier."""
    with Project() as project:
        media, model = project.settings.media, project.settings.home / "models" / "signs"
    write_classifier(model)
    output().print(f"{draw_photos(media)} photos in {media / 'signs'}, a classifier in {model}")


if __name__ == "__main__":
    run_command(command)
