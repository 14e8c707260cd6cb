"""Models of pictures in ONNX, prepared as the library transformers says in preprocessor_config.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.media_source import missing_images
from adaptml.features.model_files import Floats, read_settings
from adaptml.features.onnx_session import numpy_type, onnx_session, run_onnx
from adaptml.features.onnx_texts import model_file
from adaptml.features.sentence_parts import of_length_1
from adaptml.features.values_to_encode import Picture, Vectors

PREPROCESSOR = "preprocessor_config.json"
LABELS = "labels.txt"
VECTORS = ("image_embeds", "pooler_output")  # results that are a vector a picture, the better first
BILINEAR = 2  # Pillow's number for the way to resize
MOST_DOTS = 4096  # of a side, for which the file asks
USUAL_SIDE, SHARE_LEFT = 224, 0.875  # dots of a side, and how much of it is left of the shorter one


class Preparation:
    """What becomes of a picture before the model sees it, as `preprocessor_config.json` says.

    Args:
        config: what that file holds.

    Raises:
        FeatureError: a size, or numbers, that are not understood.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        crops = bool(config.get("do_center_crop"))
        self._shortest, self._size = _size(config, crops) if config.get("do_resize", True) else (None, None)
        self._crop = _square(config.get("crop_size"), "crop_size") if crops else None
        self._resample = _resample(config)
        rescales = config.get("do_rescale", True)
        self._scale = np.float32(config.get("rescale_factor") or 1 / 255) if rescales else np.float32(1)
        normal = config.get("do_normalize", True)
        self._mean = _colours(config, "image_mean") if normal else np.zeros(3, np.float32)
        self._spread = _colours(config, "image_std") if normal else np.ones(3, np.float32)
        if not (self._spread > 0).all():
            raise FeatureError(
                f"{PREPROCESSOR}: image_std is {config.get('image_std')!r}; expected numbers above 0"
            )

    def __call__(self, picture: Picture) -> Floats:
        """A picture (h, w, 3) as numbers, float32 (h', w', 3)."""
        if self._size or self._shortest:
            picture = self._resized(picture)
        if self._crop:
            picture = _cropped(picture, *self._crop)
        return (picture.astype(np.float32) * self._scale - self._mean) / self._spread

    def _resized(self, picture: Picture) -> Picture:
        from PIL import Image

        height, width = picture.shape[:2]
        size = self._size
        if size is None:
            times = (self._shortest or 1) / min(height, width)
            size = (round(height * times), round(width * times))
        image = Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling(self._resample))
        return np.asarray(image)


def _size(config: dict[str, Any], crops: bool) -> tuple[int | None, tuple[int, int] | None]:
    """The length of the shorter side, or height and width."""
    size = config.get("size")
    if isinstance(size, dict) and set(size) == {"shortest_edge"}:
        return _square(size["shortest_edge"], "size")[0], None
    if isinstance(size, int) and crops:  # as it was written before there were names for it
        return _square(size, "size")[0], None
    return None, _square(size, "size")


def _square(given: Any, key: str) -> tuple[int, int]:
    """Height and width."""
    sides = [given.get("height"), given.get("width")] if isinstance(given, dict) else [given, given]
    height, width = [side if isinstance(side, int) and 1 <= side <= MOST_DOTS else 0 for side in sides]
    if height and width:
        return height, width
    raise FeatureError(
        f"{PREPROCESSOR}: {key} is {given!r}; expected height and width, or shortest_edge, in dots"
    )


def _resample(config: dict[str, Any]) -> int:
    given = config.get("resample", BILINEAR)
    if given not in range(6):
        raise FeatureError(f"{PREPROCESSOR}: resample is {given!r}; expected one of Pillow's numbers, 0 to 5")
    return int(given)


def _colours(config: dict[str, Any], key: str) -> Floats:
    given = config.get(key)
    if not (isinstance(given, list) and len(given) == 3 and all(isinstance(x, int | float) for x in given)):
        raise FeatureError(f"{PREPROCESSOR}: {key} is {given!r}; expected a number each for red, green, blue")
    return np.array(given, dtype=np.float32)


def _cropped(picture: Picture, height: int, width: int) -> Picture:
    """The middle of a picture, with black around it where it is smaller."""
    short = [max(0, wanted - given) for wanted, given in zip((height, width), picture.shape, strict=False)]
    around = [(n // 2, n - n // 2) for n in short]
    picture = np.pad(picture, [*around, (0, 0)])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def usual_preparation(height: Any, width: Any) -> dict[str, Any]:
    """How pictures are prepared for most classifiers, those of ImageNet: as torchvision does.

    Args:
        height: what the model takes; no number where it takes any, which then get 224.
        width: the same.
    """
    crop = [side if isinstance(side, int) and side > 0 else USUAL_SIDE for side in (height, width)]
    return {
        "size": {"shortest_edge": round(max(crop) / SHARE_LEFT)},
        "do_center_crop": True,
        "crop_size": {"height": crop[0], "width": crop[1]},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }


def _by(sides: Sequence[Any]) -> str:
    return " × ".join(str(side) for side in sides)


class OnnxPictures:
    """A model of pictures that is ready to run.

    Args:
        folder: holds the model and preprocessor_config.json, which one with labels.txt may lack.

    Raises:
        FeatureError: a library that is not installed, or a folder that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import PIL  # noqa: F401
        except ImportError as error:
            raise missing_images(error) from error
        self._session = onnx_session(model_file(folder))
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise FeatureError(
                f"the model takes {', '.join(given.name for given in inputs)}; expected one input, "
                "pixel_values, of pictures, colours, height and width"
            )
        self._input, self._type = inputs[0].name, numpy_type(inputs[0].type)
        self._shape = inputs[0].shape
        self._colours_last = self._shape[3] == 3 and self._shape[1] != 3
        self._prepare = Preparation(self._settings(folder / PREPROCESSOR))
        self._names = [result.name for result in self._session.get_outputs()]

    def _settings(self, path: Path) -> dict[str, Any]:
        """How pictures are prepared; the usual way where a folder with labels.txt does not say it."""
        if not path.is_file() and (path.parent / LABELS).is_file():
            height, width = self._shape[1:3] if self._colours_last else self._shape[2:]
            return usual_preparation(height, width)
        return read_settings(path)

    def encode(self, pictures: Sequence[Picture]) -> Vectors:
        """Vectors of n pictures, uint8 (h, w, 3) each: float32 (n, d) of length 1.

        Raises:
            FeatureError: onnxruntime fails, or gives no vectors.
        """
        return of_length_1(np.vstack(list(map(self._encoded, pictures))))

    def _encoded(self, picture: Picture) -> Floats:
        results = self.results(picture)
        name = next((name for name in VECTORS if name in results), self._names[0])
        return self._vector(np.asarray(results[name], dtype=np.float32))

    def results(self, picture: Picture) -> dict[str, Any]:
        """What the model gives for a picture; one at a time, for not every model takes more.

        Raises:
            FeatureError: onnxruntime fails, or the model takes pictures of another size.
        """
        dots = self._prepare(picture)[None]
        if not self._colours_last:
            dots = dots.transpose(0, 3, 1, 2)
        self._check_shape(dots.shape)
        given = {self._input: np.ascontiguousarray(dots, dtype=self._type)}
        return dict(zip(self._names, run_onnx(self._session, given), strict=True))

    def _check_shape(self, made: tuple[int, ...]) -> None:
        """Refuse pictures of a size that the model says it does not take."""
        wanted = self._shape[1:]
        if any(isinstance(side, int) and side != n for side, n in zip(wanted, made[1:], strict=True)):
            raise FeatureError(
                f"the model takes pictures of {_by(wanted)}, and {PREPROCESSOR} makes {_by(made[1:])}"
            )

    def _vector(self, result: Floats) -> Floats:
        """(1, d) of what the model gives: the first of the parts of a picture, or the mean over its area."""
        if result.ndim == 4:
            return np.asarray(result.mean(axis=(1, 2) if self._colours_last else (2, 3)))
        if result.ndim == 3:
            return result[:, 0]
        if result.ndim != 2:
            raise FeatureError(f"the model gives {result.ndim} dimensions; expected a vector a picture")
        return result
