"""Models of the BERT kind without PyTorch: onnxruntime runs a graph that is built from their weights."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.features.bert_config import BUCKETS, BertConfig
from adaptml.features.bert_graph import build
from adaptml.features.model_files import Floats, Weights
from adaptml.features.onnx_session import onnx_session, run_onnx

FAR = 128  # MPNet: from this distance on all are of one kind
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class States(NamedTuple):
    """What layers make of each piece of n texts, the longest of which has l pieces.

    Values behind a text's end mean nothing.

    Attributes:
        last: the last layer; float32 (n, l, hidden_size).
        middle: the layer at two thirds of all, of six the fourth; likewise. It knows more of grammar than the
            last one (Jawahar et al. 2019, https://aclanthology.org/P19-1356).
    """

    last: Floats
    middle: Floats


class Bert:
    """A model that is ready to run.

    Args:
        config: what its `config.json` says.
        path: its weights in safetensors, with the names that the library transformers gives them.

    Raises:
        FeatureError: weights that do not fit the configuration, or a graph that onnxruntime refuses.
    """

    def __init__(self, config: BertConfig, path: Path) -> None:
        self.config = config
        weights = Weights(path, config.family.prefix)
        self._bias = _distance_bias(config, weights) if config.family.distances else None
        model, tensors = build(config, weights)
        del weights  # the file's own pages, beside the copies that follow
        self._session = onnx_session(model, tensors)

    def hidden_states(self, ids: Ids, mask: Mask) -> States:
        """What it makes of each piece of n texts, the longest of which has l pieces.

        Args:
            ids: numbers of the pieces (n, l), in 0 … vocabulary-1; l is at most `max_pieces`.
            mask: which of them are a text's own (n, l); each text has some, in front.

        Raises:
            FeatureError: onnxruntime fails.
        """
        padding = self.config.padding
        ids = np.where(mask, ids, padding)
        places = np.arange(ids.shape[1], dtype=np.int64)
        positions: Ids = np.broadcast_to(places, ids.shape)
        if self.config.family.padded:
            own = ids != padding
            positions = np.cumsum(own, axis=1) * own + padding
        bias = np.where(mask, np.float32(0), np.finfo(np.float32).min)[:, None, None, :]
        if self._bias is not None:
            bias = bias + self._bias[:, _distances(ids.shape[1])]
        given = {"ids": ids, "positions": np.ascontiguousarray(positions), "bias": bias}
        return States(*map(np.asarray, run_onnx(self._session, given)))


def _distance_bias(config: BertConfig, weights: Weights) -> Floats:
    """MPNet's bias by head and kind of distance: (heads, BUCKETS)."""
    return weights.read("encoder.relative_attention_bias.weight", BUCKETS, config.heads).T


def _distances(length: int) -> Ids:
    """The kind of distance, 0 … BUCKETS-1, from each of `length` pieces to each: (length, length).

    Near ones have a kind each, farther ones share one by the logarithm: Raffel et al. 2020, section 2.1,
    https://arxiv.org/abs/1910.10683.
    """
    places = np.arange(length)
    back = places[:, None] - places[None, :]
    half = BUCKETS // 2
    near = half // 2
    away = np.abs(back)
    times = np.maximum(away, near).astype(np.float32) / np.float32(near)
    share = np.log(times) / np.float32(np.log(FAR / near))
    far = np.minimum(near + (share * np.float32(half - near)).astype(np.int64), half - 1)
    kinds: Ids = np.where(away < near, away, far) + np.where(back < 0, half, 0)
    return kinds
