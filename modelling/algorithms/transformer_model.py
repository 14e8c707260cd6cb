"""A fine-tuned classifier of texts as one file of safetensors, and onnxruntime that answers from it.

The file holds the tensors of the encoder, under the names that the library transformers gives them, and of
the head: `head.weight` (k, d) and `head.bias` (k,). Its metadata holds what `TextModel` says, as JSON.
PyTorch is not needed, and no code of the file is run.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sklearn.base import BaseEstimator, ClassifierMixin

from adaptml.errors import FeatureError, ModelError, one_line
from adaptml.features.bert import Bert
from adaptml.features.bert_config import BertConfig
from adaptml.features.model_files import Weights
from adaptml.features.sentence_parts import POOLINGS, by_length, of_length_1, padded
from adaptml.files import replacing
from adaptml.tasks import MAX_CLASSES, PROBLEM_TYPES, problem_type
from adaptml.user_code import said, user_code
from adaptml.validation import validation_problems
from modelling.algorithms.core import Floats, texts_of

FORMAT = 1
SAID = "adaptml"  # the one name in the metadata: of several, the order would be another each time
HEAD = "head"


class TextModel(BaseModel):
    """What a file says of its model.

    Attributes:
        format: of the file.
        setting: problem type of the task.
        k: number of classes.
        config: of the encoder, as the library transformers writes it.
        tokenizer: of the library tokenizers, as JSON.
        pooling: names of POOLINGS; their vectors, one behind the other, are what the head reads.
        max_pieces: how many pieces of a text are read; what comes behind them is not.
        prompt: stands in front of each text.
        unit: whether the head reads vectors of length 1.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    setting: str
    k: Annotated[int, Field(ge=2, le=MAX_CLASSES)]
    config: dict[str, Any]
    tokenizer: str
    pooling: Annotated[list[str], Field(min_length=1, max_length=len(POOLINGS))]
    max_pieces: Annotated[int, Field(ge=3)]
    prompt: str = ""
    unit: bool = False

    @field_validator("setting")
    @classmethod
    def _known(cls, setting: str) -> str:
        if setting not in PROBLEM_TYPES:
            raise ValueError(f"is {setting!r}; expected {' or '.join(PROBLEM_TYPES)}")
        return setting

    @field_validator("pooling")
    @classmethod
    def _poolings(cls, pooling: list[str]) -> list[str]:
        if not set(pooling) <= POOLINGS.keys():
            raise ValueError(f"is {', '.join(pooling)}; expected {', '.join(POOLINGS)}")
        return pooling


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fine-tuned classifier of texts that is ready to answer.

    Args:
        content: the bytes of the file.
        note: one sentence on how it was trained; empty for one that was loaded.

    Attributes:
        model: what the file says of it.
        tokenizer: cuts texts into pieces.
        head: weight (k, d) and bias (k,), float32.
        classes_: numbers of the classes, 0 … k-1.

    Raises:
        ModelError: a library that is not installed, or bytes that are not of such a file.
    """

    def __init__(self, content: bytes, note: str = "") -> None:
        self.content, self.note = content, note
        _check_libraries()
        try:
            with TemporaryDirectory(prefix="adaptml-") as scratch:
                path = Path(scratch) / "model.safetensors"
                path.write_bytes(content)
                self._read(path)
        except FeatureError as error:
            raise ModelError(
                f"the fine-tuned model cannot be read: {error}; expected a file that `train` "
                "wrote: train again"
            ) from error

    def __repr__(self) -> str:
        """Without its bytes."""
        return f"TextClassifier({self.model.setting}, {self.model.k} classes)"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            ModelError: it is absent, or another file.
        """
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise ModelError(
                f"{path} cannot be read ({error.strerror}); it holds the tensors of a fine-tuned model and "
                "belongs beside its classifier: copy both, or train again"
            ) from error

    def save(self, path: Path) -> None:
        """Write the file."""
        with replacing(path) as temporary:
            temporary.write_bytes(self.content)

    @cached_property
    def classes_(self) -> npt.NDArray[np.int64]:
        """Numbers of the classes."""
        return np.arange(self.model.k)

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of n texts.

        Args:
            X: as `texts_of` takes them.

        Returns:
            float64 (n, k), in class order; rows sum to 1 in multiclass.

        Raises:
            FeatureError: onnxruntime fails.
        """
        weight, bias = self.head
        logits = (self.vectors(X) @ weight.T + bias).astype(np.float64)
        return _probabilities(logits, exclusive=problem_type(self.model.setting).exclusive)

    def vectors(self, X: Any) -> npt.NDArray[np.float32]:
        """What the head reads of n texts, which are as `texts_of` takes them: float32 (n, d)."""
        texts = texts_of(X)
        pieces = [self.tokenizer.encode(self.model.prompt + text).ids for text in texts]
        found = np.empty((len(texts), self.head[0].shape[1]), np.float32)
        for rows in by_length(pieces):
            ids, mask = padded([pieces[row] for row in rows])
            states = self._encoder.hidden_states(ids, mask).last
            found[rows] = np.hstack([POOLINGS[name](states, mask) for name in self.model.pooling])
        return of_length_1(found) if self.model.unit else found

    def _read(self, path: Path) -> None:
        self.model = _metadata(path)
        config = BertConfig.read(self.model.config)
        pieces = min(self.model.max_pieces, config.max_pieces)
        self.tokenizer = _tokenizer(self.model.tokenizer, config.vocabulary, pieces)
        self._encoder = Bert(config, path)
        size = config.hidden_size * len(self.model.pooling)
        weights = Weights(path)
        self.head = (
            weights.read(f"{HEAD}.weight", self.model.k, size),
            weights.read(f"{HEAD}.bias", self.model.k),
        )


def written(model: TextModel, tensors: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """The bytes of a file.

    Args:
        model: what it says of it.
        tensors: those of the encoder and of the head, float32, by name.
    """
    from safetensors.numpy import save

    found: bytes = save(dict(tensors), {SAID: model.model_dump_json()})
    return found


def _probabilities(logits: Floats, *, exclusive: bool) -> Floats:
    """Softmax over the classes, (n, k), where they exclude each other; else each class by itself."""
    if not exclusive:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True)) if len(logits) else logits
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _metadata(path: Path) -> TextModel:
    """What a file says of its model."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            found = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise FeatureError(f"it is no whole safetensors file ({one_line(error)})") from error
    try:
        return TextModel.model_validate(json.loads(found[SAID]))
    except KeyError as error:
        raise FeatureError(f"its metadata have no {error}") from error
    except (ValueError, RecursionError) as error:  # pydantic's is a ValueError
        why = validation_problems(error)[0] if isinstance(error, ValidationError) else one_line(error)
        raise FeatureError(f"its metadata are not of a model ({why})") from error


def _tokenizer(text: str, vocabulary: int, max_pieces: int) -> Any:
    from tokenizers import Tokenizer

    with user_code(lambda error: FeatureError(f"its tokenizer cannot be used ({said(error)})")):
        made = Tokenizer.from_str(text)  # raises bare Exceptions
        made.no_padding()
        made.enable_truncation(max_pieces)
        around = len(made.encode("").ids)
    if made.get_vocab_size() > vocabulary or not around:
        raise FeatureError(
            f"its tokenizer has {made.get_vocab_size()} pieces of words and puts {around} markers around "
            f"a text; expected {vocabulary} at most, and a marker"
        )
    return made


def _check_libraries() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import safetensors  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"a fine-tuned model needs a library that is not installed ({error}); install the extra: "
            "pip install -e '.[deploy]'"
        ) from error
