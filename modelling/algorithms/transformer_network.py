"""The network that is fine-tuned, in PyTorch, which is imported only where one is made."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, ModelError, one_line
from adaptml.features.bert_config import BertConfig
from adaptml.features.model_files import read_settings, shown
from adaptml.features.sentence_parts import padded, parts, pooling_modes, prompt, tokenizer
from adaptml.tasks import ProblemType, problem_type
from modelling.algorithms.transformer_model import HEAD, TextClassifier, TextModel

if TYPE_CHECKING:
    from torch import Tensor, device, nn

# Parts that no file must have, as neither the pooling nor the graph that answers uses them.
_NOT_USED = ("pooler.", "embeddings.position_ids")


class Network:
    """An encoder, a pooling and a linear head.

    Args:
        model: what its file will say of it.
        tokenizer: which cuts texts.
        path: the encoder's weights.
        trained_layers: how many of the upper layers are trained; None: all, and the embeddings never.

    Raises:
        FeatureError: weights that do not fit the configuration.
    """

    def __init__(self, model: TextModel, tokenizer: Any, path: Path, trained_layers: int | None) -> None:
        from torch import nn

        self.model, self.tokenizer = model, tokenizer
        self.config = BertConfig.read(model.config)
        self.exclusive = problem_type(model.setting).exclusive
        self.encoder = _encoder(model, self.config, path)
        self.head = nn.Linear(self.config.hidden_size * len(model.pooling), model.k)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self._freeze(self.config.layers if trained_layers is None else trained_layers)
        self.encoder.eval()  # dropout is off

    def to(self, device: "device") -> None:
        """Move to a device."""
        self.encoder.to(device)
        self.head.to(device)

    def parameters(self) -> list["nn.Parameter"]:
        """The tensors that are trained: the encoder's, then the head's two."""
        return [t for t in (*self.encoder.parameters(), *self.head.parameters()) if t.requires_grad]

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the pieces of n texts."""
        return [self.tokenizer.encode(self.model.prompt + text).ids for text in texts]

    def losses(self, pieces: list[list[int]], targets: "Tensor", device: "device") -> "Tensor":
        """Cross-entropy of b texts with soft targets (b, k): (b,); in multilabel the mean over classes."""
        import torch
        from torch.nn import functional

        ids, mask = (torch.from_numpy(array).to(device) for array in padded(pieces))
        logits, targets = self._logits(ids, mask), targets.to(device)
        if self.exclusive:
            return functional.cross_entropy(logits, targets, reduction="none")
        return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)

    def _logits(self, ids: "Tensor", mask: "Tensor") -> "Tensor":
        """Logits (b, k) of pieces (b, l) and which of them are a text's own, bool (b, l)."""
        import torch

        padding = self.config.padding
        states = self.encoder(torch.where(mask, ids, padding), attention_mask=mask.long()).last_hidden_state
        pooled = [_POOLINGS[name](states, mask) for name in self.model.pooling]
        vectors = torch.hstack(pooled)
        if self.model.unit:
            vectors = torch.nn.functional.normalize(vectors)
        logits: Tensor = self.head(vectors)
        return logits

    def state(self) -> dict[str, npt.NDArray[np.float32]]:
        """Copies of all tensors as they are now, by the names that the file has."""
        tensors = self.encoder.state_dict() | {f"{HEAD}.{n}": t for n, t in self.head.state_dict().items()}
        return {
            name: tensor.detach().cpu().float().numpy().copy()
            for name, tensor in tensors.items()
            if not name.startswith(_NOT_USED)
        }

    def _freeze(self, trained_layers: int) -> None:
        """Embeddings of words that the labels do not hold would stay behind those that they do."""
        lists = self.config.family.layers
        frozen = range(max(0, self.config.layers - trained_layers))
        kept = ("embeddings.", *(f"{lists}.{at}." for at in frozen))
        for name, tensor in self.encoder.named_parameters():
            if name.startswith((*kept, *_NOT_USED)):
                tensor.requires_grad_(False)


def untrained(
    folder: Path, problem: ProblemType, k: int, max_length: int, trained_layers: int | None = None
) -> Network:
    """The encoder of a folder with an untrained head.

    Args:
        folder: of a sentence-transformer, or of a model of the BERT kind alone.
        problem: one class a text, or any number.
        k: number of classes.
        max_length: how many pieces of a text are read at most.
        trained_layers: as in `Network`.

    Raises:
        ModelError: the folder cannot be used.
    """
    try:
        own, pooled, _ = parts(folder)
        wanted = prompt(folder)
        config = read_settings(own / "config.json")
        sizes = BertConfig.read(config)
        made = tokenizer(own, sizes.vocabulary, sizes.max_pieces)
        cut = min(max_length, (made.truncation or {})["max_length"])
        made.enable_truncation(cut)
        model = TextModel(
            setting=problem.name,
            k=k,
            config=config,
            tokenizer=made.to_str(),
            pooling=pooling_modes(pooled, prompted=bool(wanted)),
            max_pieces=cut,
            prompt=wanted,
        )
        return Network(model, made, own / "model.safetensors", trained_layers)
    except FeatureError as error:
        raise ModelError(
            f"the encoder in {folder} cannot be fine-tuned: {error}; give a folder that the library "
            "sentence-transformers or transformers saved in safetensors"
        ) from error


def continued(start: TextClassifier, trained_layers: int | None = None) -> Network:
    """The network of a model that was fine-tuned already."""
    import torch

    with TemporaryDirectory(prefix="adaptml-") as scratch:
        path = Path(scratch) / "model.safetensors"
        start.save(path)
        made = Network(start.model, start.tokenizer, path, trained_layers)
    weight, bias = start.head
    made.head.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
    return made


def _encoder(model: TextModel, config: BertConfig, path: Path) -> Any:
    """The library's network with the weights of a file; nothing is asked of a model hub."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    settings = {name: value for name, value in model.config.items() if name not in ("dtype", "torch_dtype")}
    with torch.random.fork_rng(devices=[]):  # it draws weights that are then replaced
        made = AutoModel.from_config(AutoConfig.for_model(**settings))
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise FeatureError(f"{shown(path)} cannot be read ({one_line(error)})") from error
    weights = {name.removeprefix(config.family.prefix): tensor.float() for name, tensor in found.items()}
    try:
        missing, _ = made.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # tensors of other shapes
        raise FeatureError(f"{shown(path)} does not fit config.json ({one_line(error)})") from error
    missing = [name for name in missing if not name.startswith(_NOT_USED)]
    if missing:
        raise FeatureError(f"{shown(path)} has no tensor {missing[0]}")
    return made


def _mean(states: "Tensor", mask: "Tensor") -> "Tensor":
    own = mask[:, :, None].to(states.dtype)
    return (states * own).sum(dim=1) / own.sum(dim=1)


def _max(states: "Tensor", mask: "Tensor") -> "Tensor":
    return states.masked_fill(~mask[:, :, None], -np.inf).amax(dim=1)


def _first(states: "Tensor", _mask: "Tensor") -> "Tensor":
    return states[:, 0]


_POOLINGS = {"cls": _first, "max": _max, "mean": _mean}  # those of `sentence_parts`
