"""Models of texts in ONNX: a tokenizer, the model, and the pooling that its folder names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.bert import Ids, Mask
from adaptml.features.model_files import Floats, read_settings
from adaptml.features.onnx_session import numpy_type, onnx_session, run_onnx
from adaptml.features.sentence_parts import (
    Behind,
    by_length,
    dense,
    of_length_1,
    padded,
    parts,
    pooling,
    prompt,
    tokenizer,
)
from adaptml.features.values_to_encode import Vectors

TOKENIZER = "tokenizer.json"
SENTENCES = "sentence_embedding"  # of each text; as models name it that were exported with their pooling
MOST_PIECES = 512  # where no file says how many the model takes
# Models that count positions from behind the padding's number, so that they take fewer than they have.
COUNTED_FROM_PADDING = {"camembert", "mpnet", "roberta", "xlm-roberta"}


def model_file(folder: Path) -> Path:
    """Where a folder keeps its model.

    Raises:
        FeatureError: nowhere.
    """
    for path in (folder / "model.onnx", folder / "onnx" / "model.onnx"):
        if path.is_file():
            return path
    raise FeatureError("neither model.onnx nor onnx/model.onnx is there")


class OnnxTexts:
    """A model of texts that is ready to run.

    Args:
        folder: holds the model, tokenizer.json, and what sentence-transformers saves beside them.

    Raises:
        FeatureError: a library that is not installed, or a folder that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        own, pooled, others = parts(folder)
        config = read_settings(own / "config.json") if (own / "config.json").is_file() else {}
        self._prompt = prompt(folder)
        self._tokenizer = tokenizer(own, _count(config, "vocab_size"), _max_pieces(config))
        self._padding = config.get("pad_token_id") or 0
        self._session = onnx_session(model_file(own))
        self._inputs = {given.name: numpy_type(given.type) for given in self._session.get_inputs()}
        unknown = self._inputs.keys() - {"input_ids", "attention_mask", "token_type_ids", "position_ids"}
        if unknown or "input_ids" not in self._inputs:
            raise FeatureError(
                f"the model takes {', '.join(self._inputs)}; expected input_ids and attention_mask, as "
                "models of texts do"
            )
        self._names = [result.name for result in self._session.get_outputs()]
        self._whole, self._place = self._found()
        size = self._run([self._tokenizer.encode("").ids])[0].shape[-1]
        self._pool, size = pooling(pooled, size, prompted=bool(self._prompt))
        self._behind: list[Behind] = []
        for kind, path in others:
            behind, size = dense(path, size) if kind == "Dense" else (of_length_1, size)
            self._behind.append(behind)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of n texts: float32 (n, d).

        Raises:
            FeatureError: onnxruntime fails.
        """
        pieces = [self._tokenizer.encode(self._prompt + text).ids for text in texts]
        vectors: list[Any] = [None] * len(texts)
        for rows in by_length(pieces):
            for row, vector in zip(rows, self._vectors([pieces[row] for row in rows]), strict=True):
                vectors[row] = vector
        return np.array(vectors, dtype=np.float32)

    def _vectors(self, pieces: list[list[int]]) -> Floats:
        states, mask = self._run(pieces)
        if self._whole:
            return states
        sentences = self._pool(states, mask) if states.ndim == 3 else states
        for behind in self._behind:
            sentences = behind(sentences)
        return sentences

    def _run(self, pieces: list[list[int]]) -> tuple[Floats, Mask]:
        """What the model makes of some texts, float32 (b, l, h) or (b, d), and which pieces are theirs."""
        ids, mask = padded(pieces)
        result = run_onnx(self._session, self._given(ids, mask))[self._place]
        return np.asarray(result, dtype=np.float32), mask

    def _given(self, ids: Ids, mask: Mask) -> dict[str, Any]:
        values = {
            "input_ids": np.where(mask, ids, self._padding),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.broadcast_to(np.arange(ids.shape[1]), ids.shape),
        }
        return {name: np.ascontiguousarray(values[name], dtype=kind) for name, kind in self._inputs.items()}

    def _found(self) -> tuple[bool, int]:
        """Whether the model itself makes vectors of texts, and which of its results is taken."""
        if SENTENCES in self._names:
            return True, self._names.index(SENTENCES)
        ids, mask = padded([self._tokenizer.encode("").ids])
        results = run_onnx(self._session, self._given(ids, mask))
        for ndim in (3, 2):  # pieces of words, which the folder's pooling is about, before whole texts
            for place, result in enumerate(results):
                if np.ndim(result) == ndim and len(result) == 1:
                    return False, place
        raise FeatureError(f"the model gives {', '.join(self._names)}, of which none is a vector a text")


def _count(config: dict[str, Any], key: str) -> int | None:
    value = config.get(key)
    if value is not None and (not isinstance(value, int) or value < 1):
        raise FeatureError(f"config.json: {key} is {value!r}; expected a whole number from 1")
    return value


def _max_pieces(config: dict[str, Any]) -> int:
    """How many pieces of words a text may have."""
    positions = _count(config, "max_position_embeddings")
    if positions is None:
        return MOST_PIECES
    if config.get("model_type") in COUNTED_FROM_PADDING:
        return positions - (config.get("pad_token_id") or 0) - 1
    return positions
