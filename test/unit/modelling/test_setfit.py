"""SetFit on texts: few gold labels are enough, nothing is asked of a hub, and onnxruntime answers as PyTorch would."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load
from text_oracle import oracle
from tiny_models import change_tensors
from tiny_texts import calm_encoder

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel, get_algorithm
from modelling.algorithms.setfit_training import pairs
from modelling.algorithms.transformer_model import TextClassifier

pytestmark = pytest.mark.torch

ATOL = 1e-5  # of probabilities; a thousandth is what is promised
TEXTS = ["purr meow", "bark the dog", "the cat", "", "meow", "bark bark", "purr the cat purr", "dog"] * 2
SIDES = np.array([0, 1, 0, 1, 0, 1, 0, 1] * 2)
X = np.array(TEXTS, dtype=object)[:, None]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread, as PyTorch's wait for each other on a busy machine; and no network."""
    import torch

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return calm_encoder(tmp_path / "encoder")


def made(folder: Path, problem: Any = MULTICLASS, Y: Any = None, **settings: Any) -> EndModel:
    given = {"encoder": str(folder), "learning_rate": 0.01, "batch_size": 8, "steps": 30} | settings
    return EndModel(get_algorithm("setfit", given), problem).fit(X, np.eye(2)[SIDES] if Y is None else Y)


def apart(vectors: np.ndarray) -> float:
    """How much nearer texts of one side are to each other than to those of the other, as a mean cosine."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    same = SIDES[:, None] == SIDES
    cosines = units @ units.T
    return float(cosines[same].mean() - cosines[~same].mean())


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_texts_of_a_class_come_together_and_onnxruntime_answers_as_pytorch(kind: str, tmp_path: Path) -> None:
    model = made(calm_encoder(tmp_path / "encoder", kind), max_length=20)
    content = model.parts_[0].content
    powers = np.exp(oracle(content, TEXTS[:8]))
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X[:8]), expected, rtol=0, atol=ATOL)
    assert (model.predict(X)[:, 1] == SIDES).mean() > 0.85
    before = made(tmp_path / "encoder", learning_rate=1e-9, steps=1, max_length=20)
    assert apart(TextClassifier(content).vectors(TEXTS)) > 0.2 + apart(before.parts_[0].vectors(TEXTS))
    assert model.parts_[0].note == "30 steps of 8 pairs of 16 texts, then a head on 16"


def test_the_seed_says_all_of_it_and_the_file_is_what_answers(folder: Path, tmp_path: Path) -> None:
    one, again = made(folder, steps=4), made(folder, steps=4)
    other = made(folder, steps=4, random_state=1)
    assert one.parts_[0].content == again.parts_[0].content != other.parts_[0].content
    one.save(tmp_path / "classifier.skops")
    assert {path.name for path in tmp_path.glob("classifier.*")} == {
        "classifier.skops",
        "classifier.safetensors",
    }
    loaded = EndModel.load(tmp_path / "classifier.skops")
    assert loaded.parts_[0].model.unit
    assert loaded.predict_proba(X).tolist() == one.predict_proba(X).tolist()
    assert load(one.parts_[0].content)["head.weight"].shape == (2, 8)


def test_a_model_goes_on_from_another(folder: Path) -> None:
    """One of texts begins with the encoder of the first, whose folder is not needed any more."""
    first = made(folder)
    second = EndModel(get_algorithm("setfit", {"steps": 1, "encoder": "nowhere"}), base_model=first)
    second.fit(X, np.eye(2)[SIDES])
    assert second.base_model is None
    assert apart(second.parts_[0].vectors(TEXTS)) == pytest.approx(
        apart(first.parts_[0].vectors(TEXTS)), abs=0.05
    )


def test_classes_that_do_not_exclude_each_other(folder: Path) -> None:
    """One that all texts have tells no two apart, and one that none has is never said."""
    Y = np.column_stack([SIDES, np.ones(16), np.zeros(16)])
    model = made(folder, MULTILABEL, Y)
    found = model.predict_proba(X)
    assert ((found[:, 0] > 0.5) == SIDES).mean() > 0.85
    assert found[:, 1].min() > 0.999
    assert found[:, 2].max() < 0.001
    logits = oracle(model.parts_[0].content, TEXTS[:8])
    np.testing.assert_allclose(found[:8], 1 / (1 + np.exp(-logits)), rtol=0, atol=ATOL)


def test_the_head_learns_soft_labels_and_weights(folder: Path) -> None:
    """Every text is 3 : 1, so that no two texts differ and the head alone is fitted; then 1 : 1, and 3 : 1 by weight."""
    soft = made(folder, Y=np.tile([0.75, 0.25], (16, 1)))
    np.testing.assert_allclose(soft.predict_proba(X)[:, 0], 0.75, atol=0.01)
    assert soft.parts_[0].note.startswith("0 steps")
    algorithm = get_algorithm("setfit", {"encoder": str(folder), "steps": 1})
    same = np.array(["cat"] * 16, dtype=object)[:, None]
    weighed = EndModel(algorithm).fit(same, np.eye(2)[SIDES], np.where(SIDES == 0, 3.0, 1.0))
    np.testing.assert_allclose(weighed.predict_proba(X[:1])[0], [0.75, 0.25], atol=0.2)
    np.testing.assert_allclose(weighed.predict_proba(same[:1])[0], [0.75, 0.25], atol=0.01)


def test_every_pair_is_counted_once() -> None:
    """Of two texts a, one b, one of both and one of neither: ten pairs of two, and five of a text and itself."""
    kinds = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    assert pairs(kinds) == (5 + 4, 6)


def test_the_steps_see_every_pair_once_and_end_at_three_hundred(folder: Path) -> None:
    """Eight texts of each of two classes: 72 pairs alike and 64 that differ, of which some are taken again."""
    assert made(folder, steps=None, batch_size=48).parts_[0].note.startswith("3 steps of 48 pairs")


def test_a_folder_that_cannot_be_used(folder: Path) -> None:
    change_tensors(folder, lambda found: {name: v for name, v in found.items() if "layer.1" not in name})
    with pytest.raises(ModelError, match=r"^the encoder in .*encoder cannot be fine-tuned: .* has no tensor"):
        made(folder)
