"""Sentence-transformers without PyTorch: what cannot be read is refused in one line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_models import (  # fmt: skip
    HIDDEN,
    IDENTITY,
    POSITIONS,
    TANH,
    WORDS,
    add_dense,
    change_json,
    change_tensors,
    write_json,
    write_model,
    write_modules,
)

from adaptml.errors import FeatureError
from adaptml.features import bert_graph
from adaptml.features.sentence_transformer import SentenceTransformer


def broken_json(name: str, text: str = "{no") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def changed(name: str, **changes: object) -> Callable[[Path], object]:
    return lambda folder: change_json(folder / name, **changes)


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def tensor(name: str, value: np.ndarray | None) -> Callable[[Path], object]:
    """A change of one tensor; None takes it away."""

    def change(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        kept = {key: old for key, old in tensors.items() if key != name}
        return kept if value is None else kept | {name: value}

    return lambda folder: change_tensors(folder, change)


def modules(*types: str) -> Callable[[Path], object]:
    return lambda folder: write_modules(folder, [("", kind) for kind in types])


def dense(**settings: object) -> Callable[[Path], object]:
    given = {"in_features": HIDDEN, "out_features": 3, "activation_function": TANH} | settings
    return lambda folder: add_dense(folder, **given)


def without_markers(folder: Path) -> None:
    saved = json.loads((folder / "tokenizer.json").read_text())
    write_json(folder / "tokenizer.json", saved | {"post_processor": None})


def removed(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


ST = "sentence_transformers.models."
KEY = "encoder.layer.1.attention.self.key.weight"
PROMPTED = {"prompts": {"query": "the "}, "default_prompt_name": "query"}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (removed("config.json"), "model/config.json is missing"),
        (removed("modules.json"), "model/modules.json is missing"),
        (removed("model.safetensors"), "model/model.safetensors is missing"),
        (removed("tokenizer.json"), "model/tokenizer.json is missing"),
        (removed("1_Pooling/config.json"), "1_Pooling/config.json is missing"),
        (broken_json("config.json"), "model/config.json is no JSON (Expecting property name"),
        (broken_json("modules.json"), "model/modules.json is no JSON (Expecting property name"),
        (broken_json("config.json", "[]"), "model/config.json holds a list; expected an object of settings"),
        (broken_json("modules.json", "[3]"), "model/modules.json is no list of parts with type and path each"),
        (broken_json("tokenizer.json", "{}"), "model/tokenizer.json is no tokenizer (Exception: "),
        (cut, "model/model.safetensors is no whole safetensors file ("),
        (tensor(KEY, None), f"model/model.safetensors has no tensor {KEY}"),
        (tensor(KEY, np.zeros((8, 7), np.float32)), f"tensor {KEY} of model/model.safetensors has the shape (8, 7); the configuration says (8, 8)"),
        (tensor(KEY, np.zeros((8, 8), np.int64)), f"tensor {KEY} of model/model.safetensors holds I64; expected F32 or F16"),
        (changed("config.json", model_type="t5"), "config.json: model_type is 't5'; expected one of bert, camembert, distilbert, mpnet, roberta, xlm-roberta"),
        (changed("config.json", model_type=None), "config.json: model_type is None; expected one of bert, "),
        (changed("config.json", hidden_act="silu"), "config.json: the activation is 'silu'; expected gelu or relu"),
        (changed("config.json", hidden_size="8"), "config.json: hidden_size is '8'; expected a whole number from 1"),
        (changed("config.json", num_attention_heads=3), "config.json: 8 hidden numbers in 3 heads; expected the same for each"),
        (changed("config.json", is_decoder=True), "config.json: is_decoder is True; expected False"),
        (changed("config.json", position_embedding_type="relative_key"), "config.json: position_embedding_type is 'relative_key'; expected 'absolute'"),
        (changed("config.json", layer_norm_eps="tiny"), "config.json: layer_norm_eps is 'tiny'; expected a small number"),
        (changed("config.json", num_hidden_layers=3), "model/model.safetensors has no tensor encoder.layer.2."),
        (changed("config.json", vocab_size=9), "model/tokenizer.json has 10 pieces of words and config.json 9; expected the files of one model"),
        (without_markers, "model/tokenizer.json puts no marker around a text; expected one, as BERT's [CLS]"),
        (changed("sentence_bert_config.json", max_seq_length=2), f"texts are cut to 2 pieces of words and there are positions for {POSITIONS}; expected more than the 2 markers around a text"),
        (changed("1_Pooling/config.json", pooling_mode="lasttoken"), "the pooling is lasttoken; expected cls, max, mean"),
        (broken_json("1_Pooling/config.json", '{"pooling_mode_weightedmean_tokens": true}'), "the pooling is pooling_mode_weightedmean_tokens; expected cls, max, mean"),
        (broken_json("1_Pooling/config.json", "{}"), "the pooling is none; expected cls, max, mean"),
        (modules(ST + "StaticEmbedding"), "model/modules.json names StaticEmbedding; expected Transformer, Pooling, and then only Dense or Normalize"),
        (modules(ST + "Transformer", ST + "Pooling", ST + "LSTM"), "model/modules.json names Transformer, Pooling, LSTM; expected"),
        (modules("own.Transformer", ST + "Pooling"), "model/modules.json names own.Transformer, Pooling; expected"),
        (dense(activation_function="torch.nn.modules.activation.GELU"), f"the activation of Dense is 'torch.nn.modules.activation.GELU'; expected {TANH} or {IDENTITY}"),
        (dense(use_residual=True), "Dense has a residual or another input; expected a plain one of a text's vector"),
        (dense(in_features=5), f"Dense takes 5 numbers and gives 3; expected to take {HIDDEN}"),
        (lambda folder: write_json(folder / "config_sentence_transformers.json", {"truncate_dim": 4}), "model/config_sentence_transformers.json: truncate_dim is 4; expected none"),
        (lambda folder: write_json(folder / "config_sentence_transformers.json", {"default_prompt_name": "query"}), "model/config_sentence_transformers.json has no prompt 'query', which its default_prompt_name names"),
        (lambda folder: (write_json(folder / "config_sentence_transformers.json", PROMPTED), change_json(folder / "1_Pooling/config.json", include_prompt=False)), "the pooling leaves out the prompt (include_prompt); expected one of all pieces"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(
    spoil: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "model")
    spoil(folder)
    assert refusal(folder).startswith(f"the sentence-transformer in {folder} cannot be read: {reason}")


def refusal(folder: Path) -> str:
    with pytest.raises(FeatureError) as error:
        SentenceTransformer(folder)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(
        "; give a folder that the library sentence-transformers saved in safetensors"
    )
    return str(error.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nothing cannot be read: there is no such folder; " in refusal(tmp_path / "nothing")


def test_a_graph_that_onnxruntime_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bert_graph, "OPSET", 99)  # there is no such version of ONNX
    assert "cannot be read: onnxruntime 1." in (text := refusal(write_model(tmp_path / "model")))
    assert " refuses the graph: " in text
    assert capfd.readouterr() == ("", "")


def test_what_onnxruntime_cannot_compute_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = SentenceTransformer(write_model(tmp_path / "model"))
    with pytest.raises(
        FeatureError, match=r"^onnxruntime fails: .*indices element out of data bounds"
    ) as error:
        model._model.hidden_states(np.array([[0, len(WORDS), 2]]), np.ones((1, 3), bool))
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("library", ["onnx", "onnxruntime", "safetensors", "tokenizers"])
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(FeatureError) as error:
        SentenceTransformer(tmp_path)
    assert str(error.value) == (
        f"a sentence-transformer needs a library that is not installed (import of {library} halted; None in "
        "sys.modules); install the extra: pip install -e '.[featurize]'"
    )
