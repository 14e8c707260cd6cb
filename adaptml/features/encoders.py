"""Encoders: a text, a picture, a sound, a film or a number in, a vector or an answer out.

Adding one is a function under `@encoder`, or `@answering`.

>>> get_encoder("hybrid").encode(["The kitten purrs."]).shape
(1, 4869)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from adaptml.errors import FeatureError, listed
from adaptml.features.model_files import file_sums
from adaptml.features.values_to_encode import (
    BATCH_TEXTS,
    KINDS,
    WHAT,
    EncodeBatch,
    Modality,
    Vectors,
    encode_cells,
)
from adaptml.user_code import place, said, user_code

__all__ = [
    "BATCH_TEXTS",
    "Answer",
    "AnswerBatch",
    "EncodeBatch",
    "Encoder",
    "Gives",
    "Modality",
    "Vectors",
    "answering",
    "answers_of",
    "check_encoder",
    "encoder",
    "encoder_checksum",
    "encoder_code",
    "encoder_takes",
    "get_encoder",
    "list_encoders",
]  # fmt: skip

Gives = Literal["vectors", "answers"]


class Answer(NamedTuple):
    """What an encoder reads in one value.

    Attributes:
        text: the name of a class, or words.
        score: how sure it is of that, in 0 … 1; None where it reads nothing.
    """

    text: str
    score: float | None


AnswerBatch = Callable[[Sequence[Any]], list[Answer]]
Maker = Callable[[str | None], EncodeBatch]
AnswersMaker = Callable[[str | None], AnswerBatch]
Takes = Modality | Callable[[str | None], Modality]
Files = Callable[[str | None], Mapping[str, str]]

# Modules that hold encoders; each imports its libraries only when an encoder is made.
_MODULES = (
    "film_encoder", "hashing_encoder", "number_encoder", "onnx_encoder", "picture_encoder",
    "picture_words", "sentence_encoders", "sound_encoder", "static_encoder", "universal_sentence_encoder",
)  # fmt: skip


class _Traits(NamedTuple):
    takes: Takes
    files: Files
    of_media: bool


_MAKERS: dict[str, Maker] = {}
_ANSWERING: dict[str, AnswersMaker] = {}
_CODES: dict[str, str] = {}
_TRAITS: dict[str, _Traits] = {}


class Encoder(NamedTuple):
    """An encoder that is ready to use.

    Attributes:
        name: what it was asked for by.
        takes: what it encodes: `text`, `image`, `audio`, `video` or `number`.
        dimensions: length d of its vectors.
        encode_batch: some texts, pictures (uint8 (h, w, 3) each), sounds, films (some pictures each) or
            numbers (NaN where there is none) → float32 (n, d).
        folder: where relative paths of files start; None: nowhere.
    """

    name: str
    takes: Modality
    dimensions: int
    encode_batch: EncodeBatch
    folder: Path | None = None

    def encode(self, values: Sequence[Any]) -> Vectors:
        """Vectors of n values: float32 (n, d), finite.

        Args:
            values: texts; or pictures, sounds or films, as paths, bytes or `data:` addresses; or numbers,
                also written as text. None or no text is an empty text, zeros for a file, a missing number.

        Raises:
            FeatureError: pictures or numbers that cannot be read, or the encoder fails, or makes NaN or
                infinity.
        """
        with encoder_code(self.name):
            vectors = encode_cells(self.encode_batch, self.takes, self.dimensions, values, self.folder)
        broken = int(len(values) - np.isfinite(vectors).all(axis=1).sum())
        if broken:
            raise FeatureError(
                f"the encoder {self.name!r} makes NaN or infinity of {broken} of {len(values)} "
                f"{WHAT[self.takes]}; expected finite numbers: fix it, or name another"
            )
        return vectors


def encoder(
    name: str, *code: int, takes: Takes = "text", files: Files | None = None, of_media: bool = False
) -> Callable[[Maker], Maker]:
    """Register the function below as the maker of the encoder `name`.

    The function gets what follows the colon in `name:source` (None without a colon) and returns the
    callable that encodes a batch. It imports what it needs itself, so that nobody else has to have it.

    Args:
        name: what it is asked for by.
        code: numbers that are raised whenever the same value gives another vector than before.
        takes: what it encodes, or what says so by the source.
        files: source → the files of its model and their SHA-256; default: all files of the source.
        of_media: the source holds no model, but the pictures: their relative paths start there.
    """

    of_source: Files = (lambda _: {}) if of_media else _of_source

    def register(maker: Maker) -> Maker:
        _MAKERS[name], _CODES[name] = maker, ".".join(map(str, code))
        _TRAITS[name] = _Traits(takes, files or of_source, of_media)
        return maker

    return register


def answering(
    name: str, *code: int, takes: Takes, files: Files | None = None
) -> Callable[[AnswersMaker], AnswersMaker]:
    """Register the function below as what makes ready the answers of `name`.

    The function is as that of `encoder`, and returns the callable that answers for a batch. A name may be
    that of an encoder too, and then has the same traits.
    """

    def register(maker: AnswersMaker) -> AnswersMaker:
        _ANSWERING[name], _CODES[name] = maker, ".".join(map(str, code))
        _TRAITS[name] = _Traits(takes, files or _of_source, of_media=False)
        return maker

    return register


def _of_source(source: str | None) -> Mapping[str, str]:
    return file_sums(Path(source)) if source else {}


def list_encoders() -> list[str]:
    """Names of all encoders, sorted."""
    _load()
    return sorted({*_MAKERS, *_ANSWERING})


def check_encoder(name: str, gives: Gives = "vectors") -> None:
    """Refuse the name of an encoder that does not exist; none is made ready.

    Args:
        name: as `get_encoder` takes it.
        gives: what it is asked for.

    Raises:
        FeatureError: there is none, or it does not give that.
    """
    kind, _ = _kind_and_source(name)
    makers: Mapping[str, object] = _MAKERS if gives == "vectors" else _ANSWERING
    if kind not in makers:
        raise FeatureError(
            f"the encoder {kind!r} gives no {gives}; expected one of {listed(sorted(makers), 20)}"
        )


def encoder_takes(name: str) -> Modality:
    """What an encoder encodes: `text`, `image`, `audio`, `video` or `number`.

    Raises:
        FeatureError: no such encoder, or a folder that does not say.
    """
    kind, source = _kind_and_source(name)
    takes = _traits(kind).takes
    return takes(source) if callable(takes) else takes


def encoder_checksum(name: str) -> str:
    """What tells an encoder from others of its name: SHA-256 of its code's number and its model's files.

    Args:
        name: as `get_encoder` takes it; its source counts with every file where it is a model's folder.

    Raises:
        FeatureError: no such encoder, or files that cannot be read.
    """
    kind, source = _kind_and_source(name)
    said = json.dumps([kind, _CODES.get(kind, ""), _traits(kind).files(source) or source], sort_keys=True)
    return sha256(said.encode()).hexdigest()


def get_encoder(name: str, media: Path | None = None) -> Encoder:
    """An encoder by its name, or by `name:source` for one that reads from somewhere else.

    Args:
        name: one of `list_encoders()`, with or without a source.
        media: where relative paths of pictures start, unless the source says so.

    Raises:
        FeatureError: no encoder of that name, a source for one that takes none, a library that is not
            installed, a model that cannot be read, or an encoder that fails.
    """
    check_encoder(name)
    kind, source = _kind_and_source(name)
    takes = encoder_takes(name)
    folder = Path(source) if source and _traits(kind).of_media else media
    with encoder_code(name):
        encode_batch = _MAKERS[kind](source)
        dimensions = encode_batch([KINDS[takes].probe]).shape[1]
        return Encoder(name, takes, dimensions, encode_batch, folder)


def answers_of(name: str) -> AnswerBatch:
    """What answers for a batch, made ready.

    Raises:
        FeatureError: as `get_encoder`, or an encoder that gives no answers.
    """
    check_encoder(name, "answers")
    kind, source = _kind_and_source(name)
    with encoder_code(name):
        return _ANSWERING[kind](source)


@cache
def _load() -> None:
    for module in _MODULES:
        import_module(f"adaptml.features.{module}")


def _kind_and_source(name: str) -> tuple[str, str | None]:
    """The two parts of `name:source`.

    Raises:
        FeatureError: there is no such encoder.
    """
    kind, _, source = name.partition(":")
    known = list_encoders()
    if kind not in known:
        raise FeatureError(f"no encoder {kind!r}; expected one of {listed(known, 20)}")
    return kind, source or None


def _traits(kind: str) -> _Traits:
    return _TRAITS.get(kind, _Traits("text", _of_source, of_media=False))


def encoder_code(name: str) -> AbstractContextManager[None]:
    """Runs an encoder, which may be a person's own; what it raises is one line with its place."""

    def message(error: BaseException) -> FeatureError:
        kind = name.partition(":")[0]
        code = getattr(_MAKERS.get(kind) or _ANSWERING[kind], "__code__", None)
        where = place(error, None, *([code.co_filename] if code else []))
        return FeatureError(
            f"the encoder {name!r} failed{f', at {where}' if where else ''}: {said(error)}; "
            "fix it, or name another"
        )

    return user_code(message)
