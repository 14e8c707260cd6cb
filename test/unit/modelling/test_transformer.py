"""Fine-tuning on texts: it learns, onnxruntime answers as PyTorch would, and the seed says all of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load
from text_oracle import oracle
from tiny_models import KINDS, change_tensors
from tiny_texts import calm_encoder

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel, get_algorithm
from modelling.algorithms.transformer_model import TextClassifier
from modelling.algorithms.transformer_training import Rows, Settings, Tuned, batches, fine_tune

pytestmark = pytest.mark.torch

ATOL = 1e-5  # of probabilities; a thousandth is what is promised
TEXTS = ["purr meow", "bark the dog", "the cat", "", "meow", "bark bark", "purr the cat purr", "dog"] * 3
SIDES = np.array([0, 1, 0, 1, 0, 1, 0, 1] * 3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine PyTorch's threads wait for each other, many times as long as one takes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return calm_encoder(tmp_path / "encoder")


def tuned(
    folder: Path, Y: Any = None, problem: Any = MULTICLASS, weights: Any = None, **settings: Any
) -> Tuned:
    given = {"epochs": 3, "learning_rate": 0.01, "batch_size": 4, "max_length": 20, "trained_layers": None}
    Y = np.eye(2)[SIDES] if Y is None else np.asarray(Y, np.float64)
    rows = Rows(TEXTS, Y, np.ones(len(Y)) if weights is None else weights)
    made = Settings(**given | {"device": "cpu", "seed": 0} | settings)
    return fine_tune(folder, problem, rows, rows, made, show_progress=False)


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_answers_as_pytorch(kind: str, tmp_path: Path) -> None:
    content = tuned(calm_encoder(tmp_path / "encoder", kind), epochs=1).content
    powers = np.exp(oracle(content, TEXTS[:8]))
    expected = powers / powers.sum(axis=1, keepdims=True)
    found = TextClassifier(content).predict_proba(TEXTS[:8])
    np.testing.assert_allclose(found, expected, rtol=0, atol=ATOL)
    assert found.std(axis=0).min() > 10 * ATOL  # it does not say the same of every text


def test_it_learns_sides_and_which_seed_it_was(folder: Path) -> None:
    one, again, other = tuned(folder, epochs=8), tuned(folder, epochs=8), tuned(folder, epochs=8, seed=1)
    assert one.content == again.content
    assert one.content != other.content
    assert (TextClassifier(one.content).predict_proba(TEXTS).argmax(axis=1) == SIDES).all()
    assert min(one.losses) < 0.2 < np.log(2) < one.losses[0] + 0.2


def test_soft_labels_are_learned_as_they_are(folder: Path) -> None:
    """Of a text that is 3 : 1 in every row, the probability is 0.75, as one model says of all of them."""
    content = tuned(folder, np.tile([0.75, 0.25], (24, 1)), epochs=12).content
    np.testing.assert_allclose(TextClassifier(content).predict_proba(TEXTS[:8])[:, 0], 0.75, atol=0.05)


def test_a_row_counts_as_much_as_its_weight(folder: Path) -> None:
    """Three rows of four say left, and those that say right weigh nine times as much: 3 : 9."""
    left = np.arange(24) % 4 > 0
    content = tuned(
        folder, np.column_stack([left, ~left]), weights=np.where(left, 1.0, 9.0), epochs=1
    ).content
    plain = tuned(folder, np.column_stack([left, ~left]), epochs=1).content
    assert TextClassifier(content).predict_proba(TEXTS)[:, 0].mean() < 0.45
    assert TextClassifier(plain).predict_proba(TEXTS)[:, 0].mean() > 0.55


def test_classes_that_do_not_exclude_each_other(folder: Path) -> None:
    Y = np.column_stack([SIDES, ["the" in text for text in TEXTS], np.ones(24)])
    made = get_algorithm(
        "transformer", {"encoder": str(folder), "epochs": 10, "learning_rate": 0.01, "batch_size": 4}
    )
    model = EndModel(made, MULTILABEL).fit(np.array(TEXTS, dtype=object)[:, None], Y)
    found = model.predict_proba(np.array(TEXTS[:8], dtype=object)[:, None])
    assert (found[:, 0] > 0.5).tolist() == (SIDES[:8] == 1).tolist()
    assert found[:, 2].min() > 0.8
    logits = oracle(model.parts_[0].content, TEXTS[:8])
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=0, atol=ATOL)


def test_a_model_goes_on_from_another(folder: Path) -> None:
    """With steps that move nothing it stays what it was; the end model keeps what comes out alone."""
    first = EndModel(
        get_algorithm("transformer", {"encoder": str(folder), "learning_rate": 0.01, "batch_size": 4})
    )
    X = np.array(TEXTS, dtype=object)[:, None]
    first.fit(X, np.eye(2)[SIDES])
    still = get_algorithm("transformer", {"encoder": "nowhere", "learning_rate": 1e-7, "epochs": 1})
    second = EndModel(still, base_model=first).fit(X, np.eye(2)[1 - SIDES])
    assert second.base_model is None
    np.testing.assert_allclose(second.predict_proba(X), first.predict_proba(X), rtol=0, atol=1e-3)
    assert first.predict_proba(X).max() > 0.9


def test_only_the_upper_layers_are_trained_and_no_embeddings(folder: Path) -> None:
    before, after = (
        load(data)
        for data in ((folder / "model.safetensors").read_bytes(), tuned(folder, trained_layers=1).content)
    )
    changed = {name for name, tensor in after.items() if name in before and (tensor != before[name]).any()}
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)
    assert (
        load(tuned(folder).content)["encoder.layer.0.output.dense.weight"]
        != before["encoder.layer.0.output.dense.weight"]
    ).any()


def test_the_best_epoch_is_kept_and_it_stops_after_three_that_are_no_better(folder: Path) -> None:
    """Held-out texts with the opposite labels: each step is one to the worse, so the first epoch stays."""
    rows = Rows(TEXTS, np.eye(2)[SIDES], np.ones(24))
    against = Rows(TEXTS, np.eye(2)[1 - SIDES], np.ones(24))
    settings = Settings(9, 0.01, 4, 20, None, "cpu", 0)
    found = fine_tune(folder, MULTICLASS, rows, against, settings, show_progress=False)
    assert len(found.losses) == 4
    assert found.losses[0] == min(found.losses)
    once = fine_tune(
        folder, MULTICLASS, rows, against, Settings(9, 0.01, 4, 20, None, "cpu", 0), show_progress=False
    )
    assert once.content == found.content


def test_an_algorithm_alone_follows_scikit_learns_conventions(folder: Path, tmp_path: Path) -> None:
    names = np.array(["left", "right"])[SIDES]
    made = get_algorithm(
        "transformer", {"encoder": str(folder), "epochs": 8, "learning_rate": 0.01, "batch_size": 4}
    )
    model = made.fit(TEXTS, names)
    assert model.score(TEXTS, names) > 0.9
    model.save(tmp_path / "model.skops")
    loaded = type(model).load(tmp_path / "model.skops")
    assert loaded.predict(TEXTS).tolist() == model.predict(TEXTS).tolist()
    assert loaded.get_params() == model.get_params()
    with pytest.raises(ValueError, match="needs two classes or more"):
        made.fit(TEXTS, ["left"] * 24)


def test_every_text_is_in_one_batch_of_about_equally_long_ones() -> None:
    lengths = np.random.default_rng(0).integers(3, 200, 1000).tolist()
    found = list(batches(lengths, 32, np.random.default_rng(0)))
    assert sorted(np.concatenate(found).tolist()) == list(range(1000))
    spans = [np.ptp([lengths[row] for row in rows]) for rows in found]
    assert max(spans) < 20


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda path: path.joinpath("config.json").write_text('{"model_type": "gpt2"}'), "model_type is 'gpt2'"),
        (lambda path: path.joinpath("model.safetensors").unlink(), "model.safetensors cannot be read"),
        (lambda path: change_tensors(path, lambda t: {n: v for n, v in t.items() if "layer.1" not in n}), "has no tensor"),
        (lambda path: change_tensors(path, lambda t: {n: v[:2] for n, v in t.items()}), "does not fit config.json"),
        (lambda path: path.joinpath("tokenizer.json").unlink(), "tokenizer.json is missing"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_fine_tuned(change: Any, problem: str, folder: Path) -> None:
    change(folder)
    with pytest.raises(
        ModelError, match=rf"^the encoder in .*encoder cannot be fine-tuned: .*{problem}"
    ) as raised:
        tuned(folder)
    assert "saved in safetensors" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_graphics_card_that_is_not_there(folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        assert tuned(folder, device="cuda", epochs=1).losses[0] == pytest.approx(
            tuned(folder, epochs=1).losses[0], abs=1e-3
        )
        return
    with pytest.raises(
        ModelError, match=r"^device is cuda, and PyTorch .* finds no graphics card; .* device cpu"
    ):
        tuned(folder, device="cuda")
