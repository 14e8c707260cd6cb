"""What makes features: a spec says what, `maker` makes it ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError
from adaptml.features.answers import Answers, get_answers
from adaptml.features.catalogue import Kind, Spec
from adaptml.features.encoders import Encoder, encoder_checksum, get_encoder
from adaptml.features.lemmas import lemma_version, lemmatize

# What reads in pictures, by its name: one that gives two features is asked once for both.
Ready = dict[str, Answers]


@dataclass(frozen=True)
class Maker:
    """What makes one feature.

    Attributes:
        dimensions: numbers of a vector; 0 for the other kinds.
        make: n cells as text → n values, as `FeatureValues.put` takes them.
    """

    dimensions: int
    make: Callable[[Sequence[str]], list[Any]]


def lemmas_spec(source: str, language: str) -> Spec:
    """Lemmas of a column in a language, as they are computed now; they change with simplemma's dictionary.

    Raises:
        FeatureError: simplemma is not installed.
    """
    return Spec("lemmas", source, language, lemma_version(language))


def encoder_spec(kind: Kind, source: str, encoder: str) -> Spec:
    """Vectors, answers or scores of a column, as an encoder gives them now.

    Raises:
        FeatureError: no such encoder, or files of its model that cannot be read.
    """
    return Spec(kind, source, encoder, encoder_checksum(encoder))


def can_make(spec: Spec) -> bool:
    """Whether the code and files that are there now compute what a spec says."""
    try:
        return spec == current(spec.kind, spec.source, spec.encoder)
    except FeatureError:
        return False


def current(kind: Kind, source: str, encoder: str) -> Spec:
    """The spec of a feature as it is computed now."""
    return lemmas_spec(source, encoder) if kind == "lemmas" else encoder_spec(kind, source, encoder)


def maker(spec: Spec, media: Path, ready: Ready) -> Maker:
    """What makes a feature, ready to use; `can_make` says whether it makes just that.

    Args:
        spec: what it is computed from, and how.
        media: folder in which relative paths of pictures start.
        ready: what is ready already; what is made ready is added.

    Raises:
        FeatureError: a library that is not installed, or a model that cannot be read.
    """
    if spec.kind == "lemmas":
        return Maker(0, lambda texts: [lemmatize(text, spec.encoder) for text in texts])
    if spec.kind in ("answer", "score"):
        if spec.encoder not in ready:
            ready[spec.encoder] = get_answers(spec.encoder, media)
        answers, field = ready[spec.encoder], "text" if spec.kind == "answer" else "score"
        return Maker(0, lambda cells: [getattr(found, field, None) for found in answers.of(cells)])
    encoder = get_encoder(spec.encoder, media)
    return Maker(encoder.dimensions, lambda texts: list(_encode(encoder, texts)))


def _encode(encoder: Encoder, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors (n, d); whatever an encoder of texts makes of no text at all, it counts as zeros here."""
    vectors = encoder.encode(texts)
    if encoder.takes == "text":
        vectors[[not text.strip() for text in texts]] = 0.0
    return vectors
