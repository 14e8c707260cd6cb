"""Folders of tiny sentence-transformers with random weights, for tests that need no library to make one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel

HIDDEN, INNER, HEADS, LAYERS, POSITIONS = 8, 12, 2, 2, 200
WORDS = ["<s>", "<pad>", "</s>", "<unk>", "purr", "meow", "bark", "the", "cat", "dog"]
BERT = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
        "out": "attention.output.dense", "first": "attention.output.LayerNorm",
        "up": "intermediate.dense", "down": "output.dense", "second": "output.LayerNorm"}  # fmt: skip
DISTILBERT = {"query": "attention.q_lin", "key": "attention.k_lin", "value": "attention.v_lin",
              "out": "attention.out_lin", "first": "sa_layer_norm",
              "up": "ffn.lin1", "down": "ffn.lin2", "second": "output_layer_norm"}  # fmt: skip
MPNET = BERT | {"query": "attention.attn.q", "key": "attention.attn.k", "value": "attention.attn.v",
                "out": "attention.attn.o", "first": "attention.LayerNorm"}  # fmt: skip
TANH, IDENTITY = "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
KINDS = ("bert", "camembert", "distilbert", "mpnet", "roberta", "xlm-roberta")


def write_model(folder: Path, kind: str = "bert", *, seed: int = 0) -> Path:
    """A folder as the library sentence-transformers saves it: mean of the pieces, of length 1."""
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config(kind))
    save_file(tensors(kind, np.random.default_rng(seed)), folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    modules = [
        ("", "base.modules.transformer.Transformer"),
        ("1_Pooling", "models.Pooling"),
        ("2_Normalize", "models.Normalize"),
    ]
    write_modules(folder, [(path, f"sentence_transformers.{kind}") for path, kind in modules])
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": HIDDEN, "pooling_mode": "mean"})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 160})
    named = dict(zip(("cls_token", "pad_token", "sep_token", "unk_token"), WORDS, strict=False))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | named)
    return folder


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def change_json(path: Path, **changes: Any) -> None:
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | changes)


def write_modules(folder: Path, modules: list[tuple[str, str]]) -> None:
    """Parts by folder and type."""
    write_json(
        folder / "modules.json",
        [{"idx": at, "name": str(at), "path": path, "type": kind} for at, (path, kind) in enumerate(modules)],
    )


def change_tensors(folder: Path, change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)


def add_dense(folder: Path, **settings: object) -> None:
    """Puts a Dense with three numbers behind the pooling, in place of the Normalize."""
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")]
    write_modules(folder, [(path, f"sentence_transformers.models.{kind}") for path, kind in kinds])
    write_json(folder / "2_Dense" / "config.json", settings)
    random = np.random.default_rng(3)
    tensors = {"linear.weight": random.normal(size=(3, HIDDEN)), "linear.bias": random.normal(size=3)}
    save_file(
        {name: tensor.astype(np.float32) for name, tensor in tensors.items()},
        folder / "2_Dense" / "model.safetensors",
    )


def take_parts_away(folder: Path) -> None:
    """Leaves the model alone: its configuration, weights and tokenizer."""
    shutil.rmtree(folder / "1_Pooling")
    (folder / "modules.json").unlink()
    (folder / "sentence_bert_config.json").unlink()


def tokenizer() -> Tokenizer:
    """Words between spaces, with a marker in front and one behind; the pieces' numbers are those of WORDS."""
    made = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(WORDS[:4])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


def config(kind: str) -> dict[str, Any]:
    shared = {
        "model_type": kind,
        "vocab_size": len(WORDS),
        "max_position_embeddings": POSITIONS,
        "pad_token_id": 1,
    }
    if kind == "distilbert":
        return shared | {
            "dim": HIDDEN, "hidden_dim": INNER, "n_heads": HEADS, "n_layers": LAYERS, "activation": "gelu"
        }  # fmt: skip
    return shared | {
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
        "hidden_act": "gelu", "layer_norm_eps": 1e-5, "type_vocab_size": 2, "relative_attention_num_buckets": 32,
    }  # fmt: skip


def tensors(kind: str, random: np.random.Generator) -> dict[str, np.ndarray]:
    names = {"distilbert": DISTILBERT, "mpnet": MPNET}.get(kind, BERT)
    sizes = {"up": (INNER, HIDDEN), "down": (HIDDEN, INNER)}

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": normal(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": normal(POSITIONS, HIDDEN),
        "embeddings.LayerNorm.weight": normal(HIDDEN),
        "embeddings.LayerNorm.bias": normal(HIDDEN),
    }
    if kind == "mpnet":
        made["encoder.relative_attention_bias.weight"] = normal(32, HEADS)
    elif kind != "distilbert":
        made["embeddings.token_type_embeddings.weight"] = normal(2, HIDDEN)
    layers = "transformer.layer" if kind == "distilbert" else "encoder.layer"
    for at in range(LAYERS):
        for part, name in names.items():
            shape = (HIDDEN,) if part in ("first", "second") else sizes.get(part, (HIDDEN, HIDDEN))
            made[f"{layers}.{at}.{name}.weight"] = normal(*shape)
            made[f"{layers}.{at}.{name}.bias"] = normal(shape[0])
    return made
