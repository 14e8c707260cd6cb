"""Static word vectors of a folder: by hand, with weights and a mapping; and what is refused in one line."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_encoders import TABLE, write_static
from tiny_models import WORDS, change_json

from adaptml.errors import FeatureError
from adaptml.features.encoders import get_encoder

PURR, MEOW = WORDS.index("purr"), WORDS.index("meow")
N = len(WORDS)


def encoded(folder: Path, *texts: str) -> np.ndarray:
    return get_encoder(f"static:{folder}").encode(texts)


def test_a_text_is_the_mean_of_its_words(tmp_path: Path) -> None:
    """An unknown word counts as none."""
    vectors = encoded(write_static(tmp_path / "model"), "purr meow", "purr nonsense", "", "nonsense")
    np.testing.assert_allclose(vectors, [TABLE[[PURR, MEOW]].mean(axis=0), TABLE[PURR], [0, 0, 0], [0, 0, 0]])
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.int8])
def test_vectors_may_be_kept_in_fewer_bits(tmp_path: Path, dtype: Any) -> None:
    vectors = encoded(write_static(tmp_path / "model", dtype=dtype), "purr meow")
    np.testing.assert_allclose(vectors, [TABLE[[PURR, MEOW]].mean(axis=0)])


def test_weights_and_mapping_count(tmp_path: Path) -> None:
    """Purr shares the vector of word 1, and meow that of word 2, which weighs three times."""
    mapping, weights = np.zeros(N, np.int64), np.ones(N, np.float32)
    mapping[[PURR, MEOW]], weights[MEOW] = [1, 2], 3
    folder = write_static(tmp_path / "model", embeddings=TABLE[:3], mapping=mapping, weights=weights)
    np.testing.assert_allclose(encoded(folder, "purr meow"), [(TABLE[1] + 3 * TABLE[2]) / 2])


def test_vectors_have_length_1_where_the_folder_says_so(tmp_path: Path) -> None:
    vectors = encoded(write_static(tmp_path / "model", config={"normalize": True}), "purr", "")
    np.testing.assert_allclose(vectors, [TABLE[PURR] / np.linalg.norm(TABLE[PURR]), [0, 0, 0]], rtol=1e-6)


Change = Callable[[Path], object]


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def written(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (without("model.safetensors"), "Could not find expected model files"),
        (without("tokenizer.json"), "Could not find expected model files"),
        (written("config.json", "{no"), "JSONDecodeError"),
        (written("tokenizer.json", "{}"), "Exception: "),
        (written("model.safetensors", "no tensors"), "SafetensorError"),
        (lambda folder: change_json(folder / "config.json", max_length="x"), "TypeError"),
    ],
)
def test_a_broken_folder_is_one_line(tmp_path: Path, break_it: Change, reason: str) -> None:
    folder = write_static(tmp_path / "model")
    break_it(folder)
    with pytest.raises(FeatureError, match=reason) as error:
        get_encoder(f"static:{folder}")
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(f"the static vectors in {folder} cannot be read: ")
    assert said.endswith("; give a folder that model2vec saved")


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"embeddings": TABLE[:3]}, "ValueError: Number of tokens"),
        ({"embeddings": TABLE[:, 0]}, r"its vectors have the shape \(10,\)"),
        ({"embeddings": TABLE * np.float32(np.nan)}, "or are not finite"),
        (
            {"weights": np.ones(3, np.float32)},
            r"its weights has the shape \(3,\) and its tokenizer 10 pieces",
        ),
        ({"weights": np.full(N, np.inf, np.float32)}, "its weights are not finite"),
        ({"mapping": np.full(N, N, np.int64)}, "its mapping names vectors beyond the 10 that there are"),
    ],
)
def test_tensors_that_do_not_fit_are_one_line(tmp_path: Path, tensors: dict[str, Any], reason: str) -> None:
    folder = write_static(tmp_path / "model", **tensors)
    with pytest.raises(FeatureError, match=reason) as error:
        get_encoder(f"static:{folder}")
    assert "\n" not in str(error.value)


def test_a_folder_must_be_named_and_be_there_and_the_network_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import huggingface_hub

    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("asked the network")
    )
    with pytest.raises(FeatureError, match=r"^the encoder 'static' needs the folder of its vectors"):
        get_encoder("static")
    with pytest.raises(
        FeatureError, match=r"^the static vectors in minishlab/potion cannot be read: there is no such"
    ):
        get_encoder("static:minishlab/potion")


def test_without_its_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(FeatureError, match=r"install the extra: pip install -e '.\[static\]'$"):
        get_encoder(f"static:{tmp_path}")
