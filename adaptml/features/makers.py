"""What makes features of texts: a spec says what, `maker` makes it ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError
from adaptml.features.catalogue import Kind, Spec
from adaptml.features.encoders import Encoder, encoder_checksum, get_encoder
from adaptml.features.lemmas import lemmatize

LEMMAS = "lemmas"
LEMMAS_CODE = 1  # one more whenever the same text gives other lemmas than before


@dataclass(frozen=True)
class Maker:
    """What makes one feature.

    Attributes:
        dimensions: numbers of a vector; 0 for lemmas.
        make: n texts → n values, list[str] or float32 (d,).
    """

    dimensions: int
    make: Callable[[Sequence[str]], list[Any]]


def lemmas_spec(source: str) -> Spec:
    """Lemmas of a column, as they are computed now; they change with simplemma's dictionary."""
    try:
        dictionary = version("simplemma")
    except PackageNotFoundError:
        dictionary = ""
    return Spec("lemmas", source, LEMMAS, f"{LEMMAS_CODE}, simplemma {dictionary}")


def vector_spec(source: str, encoder: str) -> Spec:
    """Vectors of a column, as an encoder makes them now.

    Raises:
        FeatureError: no such encoder, or files of its model that cannot be read.
    """
    return Spec("vector", source, encoder, encoder_checksum(encoder))


def can_make(spec: Spec) -> bool:
    """Whether the code and files that are there now compute what a spec says."""
    try:
        return spec == current(spec.kind, spec.source, spec.encoder)
    except FeatureError:
        return False


def current(kind: Kind, source: str, encoder: str) -> Spec:
    """The spec of a feature as it is computed now."""
    return lemmas_spec(source) if kind == "lemmas" else vector_spec(source, encoder)


def maker(spec: Spec) -> Maker:
    """What makes a feature, ready to use; `can_make` says whether it makes just that.

    Raises:
        FeatureError: a library that is not installed, or a model that cannot be read.
    """
    if spec.kind == "lemmas":
        return Maker(0, lambda texts: [lemmatize(text) for text in texts])
    encoder = get_encoder(spec.encoder)
    return Maker(encoder.dimensions, lambda texts: list(_encode(encoder, texts)))


def _encode(encoder: Encoder, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors (n, d); whatever an encoder makes of no text at all, it counts as zeros here."""
    vectors = encoder.encode(texts)
    vectors[[not text.strip() for text in texts]] = 0.0
    return vectors
