"""Sentence-transformers without PyTorch: a folder as that library saves it, in safetensors, ready to run.

Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084. No code of the folder is run.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from adaptml.errors import FeatureError
from adaptml.features.bert import Bert, States
from adaptml.features.bert_config import BertConfig
from adaptml.features.model_files import Floats, read_settings
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

UNKNOWN = ("[UNK]", "<unk>")  # the markers that stand for a part of the text


class Batch(NamedTuple):
    """Some of the texts that were given, encoded.

    Attributes:
        rows: which ones they are, b numbers.
        pieces: b lists of 1 … l numbers of pieces of words.
        states: what the model makes of each piece, 1 … l.
        sentences: what it makes of each text, float32 (b, dimensions).
    """

    rows: list[int]
    pieces: list[list[int]]
    states: States
    sentences: Floats


class SentenceTransformer:
    """A model of the BERT kind, a pooling, and what comes behind it.

    Args:
        folder: holds config.json, model.safetensors and tokenizer.json. Its modules.json names the parts: a
            Transformer, a Pooling by mean, max or first piece, then any number of Dense and Normalize.
            A model alone, without the files of such parts, is pooled by mean.

    Attributes:
        hidden_size: how many numbers the model makes of a piece.
        dimensions: length of a text's vector.
        markers: numbers of pieces that stand for no part of a text, as [CLS] does.

    Raises:
        FeatureError: a library that is not installed, or a folder that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        _check_libraries()
        try:
            self._read(folder)
        except FeatureError as error:
            raise FeatureError(
                f"the sentence-transformer in {folder} cannot be read: {error}; "
                "give a folder that the library sentence-transformers saved in safetensors"
            ) from error

    def _read(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FeatureError("there is no such folder")
        own, pooled, others = parts(folder)
        config = BertConfig.read(read_settings(own / "config.json"))
        self._prompt = prompt(folder)
        self._tokenizer = tokenizer(own, config.vocabulary, config.max_pieces)
        self._pool, size = pooling(pooled, config.hidden_size, prompted=bool(self._prompt))
        self._behind: list[Behind] = []
        for kind, path in others:
            behind, size = dense(path, size) if kind == "Dense" else (of_length_1, size)
            self._behind.append(behind)
        self.dimensions, self.hidden_size = size, config.hidden_size
        added = self._tokenizer.get_added_tokens_decoder()
        self.markers = {at for at, token in added.items() if token.special and token.content not in UNKNOWN}
        self._model = Bert(config, own / "model.safetensors")

    def batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """All texts, batch by batch, the longest first, so that little is padded.

        Raises:
            FeatureError: onnxruntime fails.
        """
        pieces = [self._tokenizer.encode(self._prompt + text).ids for text in texts]
        for rows in by_length(pieces):
            yield self._encoded(rows, [pieces[row] for row in rows])

    def _encoded(self, rows: list[int], pieces: list[list[int]]) -> Batch:
        ids, mask = padded(pieces)
        states = self._model.hidden_states(ids, mask)
        sentences = self._pool(states.last, mask)
        for behind in self._behind:
            sentences = behind(sentences)
        return Batch(rows, pieces, states, sentences)


def _check_libraries() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import safetensors  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise FeatureError(
            f"a sentence-transformer needs a library that is not installed ({error}); "
            "install the extra: pip install -e '.[featurize]'"
        ) from error
