"""A tiny fine-tuned classifier of texts as a file, made without PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import HIDDEN, change_tensors, config, tensors, tokenizer, write_model

from modelling.algorithms.transformer_model import TextClassifier, TextModel, written


def calm(folder: Path) -> Path:
    """Weights of a size that training begins with, so that a few steps learn something."""

    def change(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: tensor * 0 + name.endswith(".weight") if "orm" in name else tensor * np.float32(0.3)
            for name, tensor in found.items()
        }

    change_tensors(folder, change)
    return folder


def calm_encoder(folder: Path, kind: str = "bert") -> Path:
    """A folder to fine-tune."""
    return calm(write_model(folder, kind))


def text_file(
    setting: str = "multiclass", k: int = 2, kind: str = "bert", *, bias: Any = None, **said: Any
) -> bytes:
    """The bytes of a file; with a bias its head knows nothing else and says the same of every text."""
    random = np.random.default_rng(1)
    weight = np.zeros((k, HIDDEN)) if bias is not None else random.normal(size=(k, HIDDEN))
    head = {"head.weight": weight, "head.bias": np.zeros(k) if bias is None else np.array(bias)}
    model = TextModel(
        **{
            "setting": setting,
            "k": k,
            "config": config(kind),
            "tokenizer": tokenizer().to_str(),
            "pooling": ["mean"],
            "max_pieces": 20,
        }
        | said
    )
    parts = tensors(kind, random) | {name: tensor.astype(np.float32) for name, tensor in head.items()}
    return written(model, parts)


def text_classifier(**said: Any) -> TextClassifier:
    """One that is ready to answer."""
    return TextClassifier(text_file(**said))
