"""Models of texts and of pictures that a person brings in ONNX."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptml.errors import FeatureError
from adaptml.features.encoders import AnswerBatch, answering, encoder
from adaptml.features.media_source import missing_library
from adaptml.features.onnx_classifier import OnnxClassifier
from adaptml.features.onnx_pictures import LABELS, PREPROCESSOR, OnnxPictures
from adaptml.features.onnx_texts import TOKENIZER, OnnxTexts
from adaptml.features.values_to_encode import EncodeBatch, Modality

ONNX_CODE = 1


def _takes(source: str | None) -> Modality:
    """What the model in a folder encodes, by the file that says how it is prepared."""
    if source is None:
        raise FeatureError("the encoder 'onnx' needs the folder of its model; write onnx:FOLDER")
    folder = Path(source)
    if (folder / PREPROCESSOR).is_file():
        return "image"
    if (folder / TOKENIZER).is_file():
        return "text"
    if (folder / LABELS).is_file():
        return "image"
    what = f"has neither {PREPROCESSOR} nor {TOKENIZER}" if folder.is_dir() else "is not there"
    raise FeatureError(
        f"the folder {source} of the encoder 'onnx' {what}; give one with model.onnx and, for texts, "
        f"{TOKENIZER} or, for pictures, {PREPROCESSOR} or {LABELS}"
    )


@encoder("onnx", ONNX_CODE, takes=_takes)
def _onnx(source: str | None) -> EncodeBatch:
    """As many numbers as the model gives. The source is its folder, with `model.onnx` in it or in `onnx/`.

    With `tokenizer.json` it is a model of texts, as the libraries sentence-transformers and optimum export
    it: its own sentence vectors, or a pooling as `1_Pooling/config.json` says (the mean without that file)
    and what comes behind it. With `preprocessor_config.json` it is a model of pictures. It is run by
    onnxruntime on the processor; no code of the folder is run.
    """
    is_image, folder = _takes(source) == "image", Path(source or "")
    with _reading(source):
        return (OnnxPictures(folder) if is_image else OnnxTexts(folder)).encode


@answering("onnx", ONNX_CODE, takes=_takes)
def _answers(source: str | None) -> AnswerBatch:
    """The best class of a picture and its probability, by a classifier with its classes in `labels.txt`."""
    is_image, folder = _takes(source) == "image", Path(source or "")
    with _reading(source):
        if not is_image:
            raise FeatureError("it is a model of texts; only classifiers of pictures give answers")
        return OnnxClassifier(folder).answer


@contextmanager
def _reading(source: str | None) -> Iterator[None]:
    """A block that reads a folder; what is wrong with it is said with its name."""
    try:
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise missing_library("the encoder 'onnx'", "featurize", error) from error
    try:
        yield
    except FeatureError as error:
        raise FeatureError(
            f"the ONNX model in {source} cannot be read: {error}; give a folder with model.onnx and the "
            "files that were saved with it"
        ) from error
