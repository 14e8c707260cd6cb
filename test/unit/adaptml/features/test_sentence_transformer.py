"""Sentence-transformers without PyTorch: which folders are read, what they make, and what is refused."""

import gc
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import load_file
from tiny_models import (  # fmt: skip
    BERT,
    DISTILBERT,
    HEADS,
    HIDDEN,
    IDENTITY,
    KINDS,
    MPNET,
    POSITIONS,
    TANH,
    add_dense,
    change_json,
    change_tensors,
    take_parts_away,
    write_json,
    write_model,
    write_modules,
)
from tokenizers import Tokenizer
from tolerances import FLOAT32_ATOL

from adaptml.features import bert, onnx_session
from adaptml.features.sentence_transformer import SentenceTransformer

TEXTS = ["purr meow", "", "purr", "the cat and the dog", "purr meow the " * 60, "bark <pad> meow", "bark"]


def encoded(folder: Path, texts: Sequence[str] = TEXTS) -> np.ndarray:
    model = SentenceTransformer(folder)
    vectors = np.full((len(texts), model.dimensions), np.nan, dtype=np.float32)
    for batch in model.batches(texts):
        vectors[batch.rows] = batch.sentences
    return vectors


def states(folder: Path, text: str) -> np.ndarray:
    """What the model makes of each piece of one text: (l, HIDDEN)."""
    (batch,) = SentenceTransformer(folder).batches([text])
    return batch.states.last[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_one_vector_in_any_company(kind: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", kind)
    vectors = encoded(folder)
    assert vectors.shape == (len(TEXTS), HIDDEN)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    alone = np.vstack([encoded(folder, [text]) for text in TEXTS])
    np.testing.assert_allclose(vectors, alone, rtol=0, atol=FLOAT32_ATOL)
    np.testing.assert_array_equal(vectors, encoded(folder))  # the same again, number for number
    far = np.abs(vectors[:, None] - vectors[None]).max(axis=2)[np.triu_indices(len(TEXTS), 1)]
    assert far.min() > 0.001  # no two texts are alike


def test_batches_are_bounded_and_hold_each_text_once(tmp_path: Path) -> None:
    texts = ["purr " * (at % 50) for at in range(120)]
    batches = list(SentenceTransformer(write_model(tmp_path / "model")).batches(texts))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(120))
    assert max(batch.states.last.shape[0] * batch.states.last.shape[1] for batch in batches) <= 512
    lengths = [len(pieces) for batch in batches for pieces in batch.pieces]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == 49 + 2


def renamed(tensors: dict[str, np.ndarray], names: dict[str, str]) -> dict[str, np.ndarray]:
    """BERT's tensors with another family's names of the parts."""
    others = {BERT[part]: name for part, name in names.items()}
    pattern = re.compile("|".join(sorted(map(re.escape, others), key=len, reverse=True)))
    return {
        pattern.sub(lambda found: others[found.group()], name): tensor for name, tensor in tensors.items()
    }


def test_distilbert_is_bert_with_other_names_and_no_token_types(tmp_path: Path) -> None:
    one, other = write_model(tmp_path / "bert"), write_model(tmp_path / "distilbert", "distilbert")
    change_json(one / "config.json", layer_norm_eps=1e-12)

    def same(_: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = load_file(one / "model.safetensors")
        tensors["embeddings.position_embeddings.weight"] += tensors[
            "embeddings.token_type_embeddings.weight"
        ][0]
        named = renamed(tensors, DISTILBERT)
        return {name.replace("encoder.layer", "transformer.layer"): tensor for name, tensor in named.items()}

    change_tensors(other, same)
    np.testing.assert_allclose(encoded(one), encoded(other), rtol=0, atol=FLOAT32_ATOL)


def test_positions_of_roberta_start_behind_the_padding_s_number(tmp_path: Path) -> None:
    """BERT counts 0, 1, 2 …; RoBERTa, whose padding is 1, counts 2, 3, 4 …: it has two positions less."""
    one, other = write_model(tmp_path / "bert"), write_model(tmp_path / "roberta", "roberta")

    def moved(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        places = load_file(one / "model.safetensors")["embeddings.position_embeddings.weight"]
        return tensors | {"embeddings.position_embeddings.weight": np.roll(places, 2, axis=0)}

    change_tensors(other, moved)
    texts = [text for text in TEXTS if "<pad>" not in text]
    np.testing.assert_allclose(encoded(one, texts), encoded(other, texts), rtol=0, atol=FLOAT32_ATOL)


def test_a_padding_that_a_text_spells_out_takes_no_position_of_roberta(tmp_path: Path) -> None:
    """It has the position of its own number, 1; what comes behind it counts on as if it were not there."""
    folder = write_model(tmp_path / "model", "roberta")
    before = encoded(folder, ["purr meow", "purr <pad> meow"])
    name = "embeddings.position_embeddings.weight"

    def change(row: int) -> None:
        moved = np.eye(POSITIONS, HIDDEN, dtype=np.float32)[:1] * (np.arange(POSITIONS) == row)[:, None]
        change_tensors(folder, lambda old: old | {name: old[name] + moved})

    change(1)
    after = encoded(folder, ["purr meow", "purr <pad> meow"])
    np.testing.assert_array_equal(after[0], before[0])
    assert np.abs(after[1] - before[1]).max() > 0.001
    change(6)  # <s> purr <pad> meow </s> are at 2, 3, 1, 4 and 5
    np.testing.assert_array_equal(encoded(folder, ["purr <pad> meow"])[0], after[1])


def test_mpnet_with_the_same_bias_at_every_distance_is_roberta(tmp_path: Path) -> None:
    one, other = write_model(tmp_path / "roberta", "roberta"), write_model(tmp_path / "mpnet", "mpnet")
    no_types = {"embeddings.token_type_embeddings.weight": np.zeros((2, HIDDEN), np.float32)}
    change_tensors(one, lambda old: old | no_types)
    bias = "encoder.relative_attention_bias.weight"
    change_tensors(
        other, lambda old: {bias: old[bias]} | renamed(load_file(one / "model.safetensors"), MPNET)
    )
    by_distance = encoded(other)
    change_tensors(other, lambda old: old | {bias: np.full((32, HEADS), 3.0, np.float32)})
    np.testing.assert_allclose(encoded(one), encoded(other), rtol=0, atol=FLOAT32_ATOL)
    assert np.abs(by_distance - encoded(other)).max() > 0.01


def test_near_distances_have_a_kind_each_and_far_ones_share_one() -> None:
    """16 kinds backward and 16 forward: 0 … 7 as they are, then each doubling from 8 on cut in two."""
    back, forward = bert._distances(200)[199, ::-1], bert._distances(200)[0]
    assert back[:13].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 9]
    assert [back[at] for at in (15, 16, 22, 23, 32, 64, 127, 128, 199)] == [9, 10, 10, 11, 12, 14, 15, 15, 15]
    assert forward[0] == 0
    assert (forward[1:] == back[1:] + 16).all()


def test_weights_of_a_model_with_a_head_and_of_half_precision_are_read(tmp_path: Path) -> None:
    plain, half = write_model(tmp_path / "plain"), write_model(tmp_path / "half")
    change_tensors(
        plain,
        lambda old: {name: tensor.astype(np.float16).astype(np.float32) for name, tensor in old.items()},
    )
    change_tensors(
        half, lambda old: {f"bert.{name}": tensor.astype(np.float16) for name, tensor in old.items()}
    )
    np.testing.assert_array_equal(encoded(plain), encoded(half))


def test_a_text_is_cut_where_the_folder_says_or_where_positions_end(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    long, of_ten, all_that_fits = "purr meow " * 200, "purr meow " * 5, "purr meow " * 99
    change_json(folder / "sentence_bert_config.json", max_seq_length=12)
    assert len(states(folder, long)) == 12
    np.testing.assert_array_equal(encoded(folder, [long]), encoded(folder, [of_ten]))
    (folder / "sentence_bert_config.json").unlink()
    assert len(states(folder, long)) == POSITIONS
    np.testing.assert_array_equal(encoded(folder, [long]), encoded(folder, [all_that_fits]))
    change_json(folder / "tokenizer_config.json", model_max_length=7)
    assert len(states(folder, long)) == 7
    change_json(folder / "tokenizer_config.json", model_max_length=1e30)  # as transformers writes "no limit"
    assert len(states(folder, long)) == POSITIONS
    roberta = write_model(tmp_path / "roberta", "roberta")
    (roberta / "sentence_bert_config.json").unlink()
    assert len(states(roberta, long)) == POSITIONS - 2


def test_padding_and_cutting_that_a_tokenizer_was_saved_with_do_not_count(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    before = encoded(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=32, pad_id=1, pad_token="<pad>")
    tokenizer.enable_truncation(5)
    tokenizer.save(str(folder / "tokenizer.json"))
    np.testing.assert_array_equal(encoded(folder), before)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode": "mean"}, lambda pieces: pieces.mean(axis=0)),
        ({"pooling_mode": "cls"}, lambda pieces: pieces[0]),
        ({"pooling_mode": ["max"]}, lambda pieces: pieces.max(axis=0)),
        ({"pooling_mode": ["max", "cls"]}, lambda pieces: np.hstack([pieces.max(axis=0), pieces[0]])),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
            lambda pieces: pieces.mean(axis=0),
        ),
        (
            {
                "pooling_mode_mean_tokens": True,
                "pooling_mode_cls_token": True,
                "pooling_mode_max_tokens": True,
            },
            lambda pieces: np.hstack([pieces[0], pieces.max(axis=0), pieces.mean(axis=0)]),
        ),
    ],
)
def test_poolings_by_hand(
    pooling: dict[str, object], expected: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "model")
    write_modules(
        folder,
        [
            ("", "sentence_transformers.models.Transformer"),
            ("1_Pooling", "sentence_transformers.models.Pooling"),
        ],
    )
    write_json(folder / "1_Pooling" / "config.json", pooling)
    texts = ["purr", "the cat and the dog"]
    by_hand = [expected(states(folder, text)) for text in texts]
    np.testing.assert_allclose(encoded(folder, texts), by_hand, rtol=0, atol=FLOAT32_ATOL)


def test_a_model_alone_is_pooled_by_mean(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    take_parts_away(folder)
    mean = states(folder, "the cat").mean(axis=0)
    np.testing.assert_allclose(encoded(folder, ["the cat"])[0], mean, rtol=0, atol=FLOAT32_ATOL)


@pytest.mark.parametrize(("activation", "bias"), [(TANH, True), (IDENTITY, False)])
def test_a_dense_part_by_hand(activation: str, bias: bool, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    add_dense(folder, in_features=HIDDEN, out_features=3, bias=bias, activation_function=activation)
    weights = load_file(folder / "2_Dense" / "model.safetensors")
    mapped = weights["linear.weight"] @ states(folder, "the cat").mean(axis=0) + (
        weights["linear.bias"] if bias else 0
    )
    expected = np.tanh(mapped) if activation == TANH else mapped
    np.testing.assert_allclose(encoded(folder, ["the cat"])[0], expected, rtol=1e-5)


def test_a_prompt_and_lower_case_are_put_on_before_a_text_is_read(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    plain = encoded(folder, ["the purr meow", "<unk>"])
    assert (encoded(folder, ["PURR"]) == plain[1]).all()
    prompts = {"prompts": {"query": "the ", "other": ""}, "default_prompt_name": "query"}
    write_json(folder / "config_sentence_transformers.json", prompts)
    change_json(folder / "sentence_bert_config.json", do_lower_case=True)
    np.testing.assert_array_equal(encoded(folder, ["purr MEOW"])[0], plain[0])


def test_markers_are_the_pieces_that_stand_for_no_text(tmp_path: Path) -> None:
    model = SentenceTransformer(write_model(tmp_path / "model"))
    assert model.markers == {0, 1, 2}  # all but <unk>, which stands for a word


def test_onnxruntime_keeps_its_own_copy_of_the_weights() -> None:
    """So that ours can be forgotten, which halves the memory of a model."""
    table = np.arange(4_000_000, dtype=np.float32).reshape(-1, 4)
    seen = weakref.ref(table)
    kept = TensorProto(
        name="table", data_type=TensorProto.FLOAT, dims=table.shape, data_location=TensorProto.EXTERNAL
    )
    kept.external_data.add(key="location", value="memory")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "rows"], ["found"])],
        "look-up",
        [helper.make_tensor_value_info("rows", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, ["n", 4])],
        [kept],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = onnx_session.onnx_session(model.SerializeToString(), {"table": table})
    del table
    gc.collect()
    assert seen() is None
    others = [np.full((1_000_000, 4), 7, np.float32) for _ in range(3)]
    assert session.run(None, {"rows": np.array([999_999])})[0].tolist() == [
        [3_999_996, 3_999_997, 3_999_998, 3_999_999]
    ]
    del others


def test_a_model_runs_on_as_many_threads_as_the_process_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sklearn; from adaptml.features.onnx_session import threads; print(threads())"
    for given in ("1", "2"):
        environment = os.environ | {"OMP_NUM_THREADS": given}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert int(done.stdout) == min(int(given), os.cpu_count() or 1)
    monkeypatch.setattr(onnx_session, "threads", lambda: 3)
    session = SentenceTransformer(write_model(tmp_path / "model"))._model._session
    assert session.get_session_options().intra_op_num_threads == 3
