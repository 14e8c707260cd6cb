"""The words that stand in pictures, read by RapidOCR (https://github.com/RapidAI/RapidOCR)."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import Answer, AnswerBatch, answering
from adaptml.features.media_source import missing_library
from adaptml.features.onnx_session import threads
from adaptml.features.values_to_encode import Picture

OCR_CODE = 1
MODELS = {  # in RapidOCR's package: finds lines, says which way up they are, reads them
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


def _files(_source: str | None) -> Mapping[str, str]:
    """The models come with the package, so that its version stands for them."""
    try:
        return {"rapidocr": version("rapidocr")}
    except PackageNotFoundError as error:
        raise missing_library("reading the words in pictures", "ocr", error) from error


@answering("ocr", OCR_CODE, takes="image", files=_files)
def _ocr(source: str | None) -> AnswerBatch:
    """The lines of text in a picture, from top to bottom, and the mean of their scores.

    No text is an empty text without a score. PP-OCRv6 reads Latin script and Chinese; it is run by
    onnxruntime on the processor, from files of the package: nothing is fetched.
    """
    if source is not None:
        raise FeatureError(f"the encoder 'ocr' reads no other model, given {source!r}; write only 'ocr'")
    engine = _engine()

    def answer(picture: Picture) -> Answer:
        found = engine(np.ascontiguousarray(picture[:, :, ::-1]))  # it expects blue, green and red
        if not found.txts:
            return Answer("", None)
        return Answer("\n".join(found.txts), float(np.mean(found.scores)))

    def answer_batch(pictures: Sequence[Picture]) -> list[Answer]:
        return list(map(answer, pictures))

    return answer_batch


def _engine() -> Any:
    """RapidOCR with the models of its package, silent.

    Raises:
        FeatureError: it is not installed, or a model is not in the package: it would fetch it.
    """
    try:
        import rapidocr
        from rapidocr import RapidOCR
    except ImportError as error:
        raise missing_library("reading the words in pictures", "ocr", error) from error
    folder = Path(rapidocr.__file__).parent / "models"
    absent = [name for name in MODELS.values() if not (folder / name).is_file()]
    if absent:
        raise FeatureError(
            f"the package rapidocr {version('rapidocr')} has no model {absent[0]}; install the version of "
            "requirements/ again"
        )
    paths = {f"{part}.model_path": str(folder / name) for part, name in MODELS.items()}
    quiet = {"Global.log_level": "critical"}
    return RapidOCR(params={**paths, **quiet, "EngineConfig.onnxruntime.intra_op_num_threads": threads()})
