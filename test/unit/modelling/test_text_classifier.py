"""Fine-tuned models as files: answers by hand, what may not be in a file, and where PyTorch is not needed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save
from tiny_models import HIDDEN, WORDS, config
from tiny_texts import text_classifier, text_file
from tolerances import FLOAT32_ATOL

from adaptml.errors import ModelError
from adaptml.features.sentence_transformer import SentenceTransformer
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel, get_algorithm
from modelling.algorithms.core import texts_of
from modelling.algorithms.transformer import held_out
from modelling.algorithms.transformer_model import TextClassifier

TEXTS = ["purr meow", "", "the cat and the dog", "bark " * 50]


def test_softmax_in_multiclass_and_each_class_by_itself_in_multilabel() -> None:
    many = text_classifier(k=3, bias=np.log([1, 2, 5])).predict_proba(TEXTS)
    np.testing.assert_allclose(many, [[0.125, 0.25, 0.625]] * 4, atol=FLOAT32_ATOL)
    each = text_classifier(setting="multilabel", bias=np.log([3, 1 / 4])).predict_proba(TEXTS)
    np.testing.assert_allclose(each, [[0.75, 0.2]] * 4, atol=FLOAT32_ATOL)
    assert text_classifier().predict_proba([]).shape == (0, 2)
    assert text_classifier(k=3).classes_.tolist() == [0, 1, 2]
    assert repr(text_classifier()) == "TextClassifier(multiclass, 2 classes)"


def test_the_head_reads_what_the_encoder_makes_of_a_text(tmp_path: Path) -> None:
    """The same tensors as a sentence-transformer, whose vectors the head takes."""
    content = text_file(pooling=["cls"], max_pieces=200)
    found = load(content)
    head = found["head.weight"], found["head.bias"]
    save_encoder(tmp_path, found)
    pooled = SentenceTransformer(tmp_path)
    vectors = np.empty((len(TEXTS), HIDDEN))
    for batch in pooled.batches(TEXTS):
        vectors[batch.rows] = batch.states.last[:, 0]
    powers = np.exp(vectors @ head[0].T + head[1])
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(TextClassifier(content).predict_proba(TEXTS), expected, atol=1e-5)


def save_encoder(folder: Path, tensors: dict[str, Any]) -> None:
    from tiny_models import tokenizer

    encoder = {name: tensor for name, tensor in tensors.items() if not name.startswith("head.")}
    (folder / "model.safetensors").write_bytes(save(encoder))
    (folder / "config.json").write_text(json.dumps(config("bert")))
    tokenizer().save(str(folder / "tokenizer.json"))


def test_texts_are_cut_and_prompted() -> None:
    short = text_classifier(max_pieces=4, prompt="the ")
    same = short.predict_proba(["cat", "cat dog", "cat bark bark"])
    np.testing.assert_allclose(same, same[[0] * 3], atol=FLOAT32_ATOL)
    assert abs(same[0] - text_classifier(max_pieces=4).predict_proba(["cat"])[0]).max() > 1e-5


def test_columns_of_texts_are_lines_of_one() -> None:
    assert texts_of(["a", None]) == ["a", ""]
    assert texts_of(np.array([["a", "b"], [None, "c"]], dtype=object)) == ["a\nb", "c"]
    assert texts_of([]) == []
    with pytest.raises(ModelError, match=r"^a text was expected, and float was given; .* columns of text"):
        texts_of(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"k": 3}, r"head.weight .* has the shape \(2, 8\); the configuration says \(3, 8\)"),
        ({"k": 128}, "k: Input should be less than or equal to 127"),
        ({"k": True}, "k: Input should be a valid integer"),
        ({"format": 2}, "format: Input should be less than or equal to 1"),
        ({"setting": "many"}, "setting: is 'many'; expected"),
        ({"pooling": ["sum"]}, "pooling: is sum; expected cls, max, mean"),
        ({"pooling": ["mean", "max"]}, r"the configuration says \(2, 16\)"),
        ({"config": {"model_type": "gpt2"}}, "model_type is 'gpt2'"),
        ({"config": config("bert") | {"num_hidden_layers": 3}}, "has no tensor encoder.layer.2"),
        ({"config": config("bert") | {"vocab_size": len(WORDS) - 1}}, "10 pieces of words .* expected 9"),
        ({"tokenizer": "{}"}, "its tokenizer cannot be used"),
        ({"max_pieces": 2}, "max_pieces: Input should be greater than or equal to 3"),
    ],
)
def test_a_file_that_is_put_together_otherwise_is_refused(change: dict[str, Any], problem: str) -> None:
    content, (start, end) = text_file(), header(text_file())
    said = json.loads(content[start:end])
    said["__metadata__"]["adaptml"] = json.dumps(json.loads(said["__metadata__"]["adaptml"]) | change)
    assert_refused(with_header(content[end:], said), problem)


def test_a_file_of_something_else_is_refused() -> None:
    content = text_file()
    start, end = header(content)
    said = json.loads(content[start:end])
    assert_refused(content[:-1], "no whole safetensors file")
    assert_refused(b"", "no whole safetensors file")
    assert_refused(
        with_header(content[end:], {k: v for k, v in said.items() if k[0] != "_"}), "have no 'adaptml'"
    )
    broken = said | {"__metadata__": said["__metadata__"] | {"adaptml": "[" * 100_000}}
    assert_refused(with_header(content[end:], broken), "its metadata are not of a model")


def header(content: bytes) -> tuple[int, int]:
    """Where the JSON is that a file of safetensors begins with."""
    return 8, 8 + int.from_bytes(content[:8], "little")


def with_header(tensors: bytes, said: dict[str, Any]) -> bytes:
    text = json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text + tensors


def assert_refused(content: bytes, problem: str) -> None:
    with pytest.raises(ModelError, match=problem) as raised:
        TextClassifier(content)
    text = str(raised.value)
    assert text.startswith("the fine-tuned model cannot be read: ")
    assert "train again" in text
    assert "\n" not in text


def test_an_end_model_of_texts_is_two_files(tmp_path: Path) -> None:
    model = EndModel("transformer", MULTILABEL)
    model.k_, model.parts_ = 2, (text_classifier(setting="multilabel"),)
    (folder := tmp_path / "model").mkdir()
    path = folder / "classifier.skops"
    model.save(path)
    assert sorted(found.name for found in folder.iterdir()) == ["classifier.safetensors", "classifier.skops"]
    X = np.array(TEXTS, dtype=object).reshape(-1, 1)
    np.testing.assert_array_equal(EndModel.load(path).predict_proba(X), model.predict_proba(X))
    EndModel.load(path).save(tmp_path / "again.skops")
    assert (tmp_path / "again.safetensors").read_bytes() == path.with_suffix(".safetensors").read_bytes()
    path.with_suffix(".safetensors").write_bytes(text_file(k=3, setting="multilabel"))
    with pytest.raises(ModelError, match=r"classifier.safetensors tells 3 classes, multilabel, and .* 2"):
        EndModel.load(path)
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(ModelError, match=r"classifier.safetensors cannot be read .* beside its classifier"):
        EndModel.load(path)


def test_a_tenth_of_gold_is_held_out_and_of_all_rows_where_gold_is_few() -> None:
    Y = np.eye(2)[np.arange(100) % 2]
    held = held_out(MULTICLASS, Y, 40, seed=0)
    assert held[:60].sum() == 0
    assert held[60:].sum() == 4
    assert Y[held].sum(axis=0).tolist() == [2, 2]
    assert held_out(MULTICLASS, Y, 19, seed=0).sum() == 10
    assert (held_out(MULTICLASS, Y, 40, seed=0) == held).all()
    assert (held_out(MULTICLASS, Y, 40, seed=1) != held).any()
    with pytest.raises(ModelError, match=r"^1 texts are too few to fine-tune on; expected hundreds"):
        held_out(MULTICLASS, Y[:1], 0, seed=0)


def test_fine_tuning_without_pytorch_says_what_to_install() -> None:
    with pytest.raises(
        ModelError, match=r"^fine-tuning needs a library .*torch.* pip install -e '.\[transformer\]'$"
    ):
        EndModel(get_algorithm("transformer")).fit(np.array([["a"], ["b"]], dtype=object), np.eye(2))


def test_setfit_without_its_extra_says_what_to_install() -> None:
    with pytest.raises(
        ModelError,
        match=r"^setfit needs a library .*torch.* install the extra: pip install -e '.\[setfit\]'$",
    ):
        EndModel(get_algorithm("setfit")).fit(np.array([["a"], ["b"]], dtype=object), np.eye(2))


def test_parameters_have_bounds() -> None:
    with pytest.raises(
        ModelError, match=r"epochs: .*greater than or equal to 1.* device: .*'auto', 'cpu' or 'cuda'"
    ):
        get_algorithm("transformer", {"epochs": "0", "device": "tpu"})
