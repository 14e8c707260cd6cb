"""What the library sentence-transformers makes of a folder, ours makes too, without PyTorch."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import (
    HIDDEN,
    IDENTITY,
    KINDS,
    TANH,
    add_dense,
    change_json,
    take_parts_away,
    write_json,
    write_model,
    write_modules,
)

from adaptml.features.encoders import get_encoder
from adaptml.features.hashing_encoder import OPENING
from adaptml.features.model_files import Floats
from adaptml.features.sentence_encoders import minilm_folder
from adaptml.features.sentence_transformer import SentenceTransformer
from example_data.example_data_import import read_posts

pytestmark = pytest.mark.torch

ATOL = 1e-5  # what tables and models that were made with that library allow
TEXTS = [
    "purr meow",
    "",
    "purr",
    "the cat and the dog",
    "purr meow the " * 70,
    "<pad> meow cat",
    "meow </s> cat",
    "PURR",
]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine PyTorch's threads wait for each other, many times as long as one takes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def assert_same(folder: Path, texts: Sequence[str] = TEXTS) -> None:
    import sentence_transformers

    oracle = sentence_transformers.SentenceTransformer(str(folder), local_files_only=True)
    model = SentenceTransformer(folder)
    expected = oracle.encode(list(texts), show_progress_bar=False)
    assert (len(texts), model.dimensions) == expected.shape
    for batch in model.batches(texts):
        np.testing.assert_allclose(batch.sentences, expected[batch.rows], rtol=0, atol=ATOL)


def middle_states(model: Any, pieces: Any) -> Floats:
    """What the fourth of six layers makes of the pieces of one text: (l, 384)."""
    import torch

    own = pieces[pieces != 0][None]
    with torch.inference_mode():
        found = model[0].auto_model(own, torch.ones_like(own), output_hidden_states=True).hidden_states
    middle = np.zeros((len(pieces), 384), dtype=np.float32)
    middle[: own.shape[1]] = found[4][0].numpy()  # the first of these is of the embeddings
    return middle


def test_the_default_encoder_is_as_before_on_the_posts_of_the_example() -> None:
    """All 4869 numbers; the opening by hand: the first five pieces that are no marker, in two layers."""
    import sentence_transformers

    texts = list(read_posts()["txt"])
    model = sentence_transformers.SentenceTransformer(str(minilm_folder()))
    rows = model.encode(texts, output_value=None, show_progress_bar=False)
    openings = []
    for row in rows:
        middle = middle_states(model, row["input_ids"])
        of_words = [
            at for at, piece in enumerate(row["input_ids"].tolist()) if piece not in (0, 101, 102, 103)
        ]
        first = (row["token_embeddings"].numpy() + middle)[of_words[:5]]
        opening = np.array(OPENING[: len(first)]) @ first
        openings.append(opening / max(np.linalg.norm(opening), 1e-12))
    expected = [
        get_encoder("hashing").encode(texts),
        [row["sentence_embedding"].numpy() for row in rows],
        openings,
    ]
    np.testing.assert_allclose(get_encoder("hybrid").encode(texts), np.hstack(expected), rtol=0, atol=ATOL)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model(kind: str, tmp_path: Path) -> None:
    assert_same(write_model(tmp_path / "model", kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_as_the_library_transformers_writes_it(kind: str, tmp_path: Path) -> None:
    """Its own names and shapes of weights, and its own settings."""
    from transformers import AutoConfig, AutoModel

    folder = write_model(tmp_path / "model", kind)
    sizes = {"dim": 16, "hidden_dim": 24, "n_heads": 4, "n_layers": 3} if kind == "distilbert" else {
        "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 3
    }  # fmt: skip
    config = AutoConfig.for_model(kind, vocab_size=12, max_position_embeddings=180, pad_token_id=1, **sizes)
    AutoModel.from_config(config).save_pretrained(folder)
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": 16, "pooling_mode": "mean"})
    assert_same(folder)


@pytest.mark.parametrize("modes", ["cls", "max", ["mean", "max"]])
def test_poolings(modes: str | list[str], tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": HIDDEN, "pooling_mode": modes})
    assert_same(folder)


@pytest.mark.parametrize("activation", [TANH, IDENTITY])
def test_a_dense_part(activation: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    add_dense(folder, in_features=HIDDEN, out_features=3, bias=True, activation_function=activation)
    assert_same(folder)


def test_a_prompt_and_lower_case(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    change_json(folder / "sentence_bert_config.json", do_lower_case=True, max_seq_length=9)
    write_modules(
        folder,
        [
            ("", "sentence_transformers.models.Transformer"),
            ("1_Pooling", "sentence_transformers.models.Pooling"),
        ],
    )
    prompts = {"prompts": {"query": "the "}, "default_prompt_name": "query"}
    write_json(folder / "config_sentence_transformers.json", prompts)
    assert_same(folder)


def test_a_model_alone(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    take_parts_away(folder)
    assert_same(folder)


def test_a_folder_that_the_library_saved_itself(tmp_path: Path) -> None:
    """BERT with pieces of words, saved today: its own tokenizer, modules and settings."""
    import sentence_transformers
    import torch
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "purr", "##s", "meow", "the"]
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=9, max_position_embeddings=32, **sizes)).save_pretrained(
        tmp_path / "bert"
    )
    BertTokenizer(vocab={word: at for at, word in enumerate(words)}).save_pretrained(tmp_path / "bert")
    transformer = Transformer(str(tmp_path / "bert"))
    made = sentence_transformers.SentenceTransformer(modules=[transformer, Pooling(8, "mean"), Normalize()])
    made.save(str(tmp_path / "saved"))
    texts = ["The purrs meow", "", "purr [MASK] wolf", "Meow, meow! " * 30]
    assert_same(tmp_path / "saved", texts)
    assert SentenceTransformer(tmp_path / "saved").markers == {0, 2, 3, 4}
