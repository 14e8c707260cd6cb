"""Text encoders: what vectors look like, and what a user reads when there is none."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptml import encoders
from adaptml.encoders import BATCH_TEXTS, USE, Vectors, encoder, get_encoder, list_encoders
from adaptml.errors import FeatureError


def test_hashing_gives_one_vector_a_text() -> None:
    hashing = get_encoder("hashing")
    vectors = hashing.encode(["The kitten purrs.", ""])
    assert hashing.name == "hashing"
    assert vectors.shape == (2, hashing.dimensions) == (2, 4096)
    assert vectors.dtype == np.float32
    assert not vectors[1].any()


def test_hashing_scales_each_kind_of_feature() -> None:
    vector = get_encoder("hashing").encode(["Two dogs bark!"])[0]
    words, *others = np.split(vector, [1536, 2048, 3072])
    assert np.count_nonzero(words) == 4  # two, dogs, bark and the sign
    np.testing.assert_allclose(np.abs(words[words != 0]), 0.5)  # of length 1 together
    np.testing.assert_allclose([np.linalg.norm(part) for part in others], [0.5, 1.0, 1.0], rtol=1e-6)


def test_the_opening_counts_words_less_the_later_they_stand() -> None:
    assert encoders._opening("Who, me?") == [
        ("who", 1.0),
        (",", 0.7),
        ("me", pytest.approx(0.49)),
        ("?", pytest.approx(0.343)),
        ("who ,", 1.0),
        (", me", 0.7),
        ("me ?", pytest.approx(0.49)),
    ]
    assert len(encoders._opening("word " * 100)) == 16 + 15


def test_hashing_dampens_counts() -> None:
    words = get_encoder("hashing").encode(["meow meow meow dog"])[0, :1536]
    often, once = sorted(np.abs(words[words != 0]), reverse=True)
    assert often / once == pytest.approx(np.log(4) / np.log(2))


def test_texts_of_like_spelling_are_closer_than_others() -> None:
    cat, cats, horse = get_encoder("hashing").encode(
        ["The kitten purrs softly.", "Kittens purr!", "A stallion gallops"]
    )
    assert cat @ cats > 3 * abs(cat @ horse)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_a_vector_depends_on_its_own_text_only(texts: list[str]) -> None:
    hashing = get_encoder("hashing")
    together = hashing.encode(texts)
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(together[::-1], hashing.encode(texts[::-1]))
    np.testing.assert_array_equal(together[0], hashing.encode(texts[:1])[0])


def test_many_texts_are_encoded_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "_MAKERS", dict(encoders._MAKERS))
    sizes = []

    @encoder("length")
    def _length(source: str | None) -> encoders.EncodeBatch:
        def encode_batch(texts: Sequence[str]) -> Vectors:
            sizes.append(len(texts))
            return np.array([[len(text)] for text in texts], dtype=np.float32)

        return encode_batch

    made = get_encoder("length")
    assert made.encode(["a" * i for i in range(BATCH_TEXTS + 3)])[:, 0].tolist() == list(
        range(BATCH_TEXTS + 3)
    )
    assert sizes == [1, BATCH_TEXTS, 3]
    assert "length" in list_encoders()
    assert made.encode([]).shape == (0, 1)


def test_an_unknown_encoder_is_refused_with_those_there_are() -> None:
    with pytest.raises(FeatureError) as error:
        get_encoder("word2vec")
    assert str(error.value) == (
        "no text encoder 'word2vec'; expected one of hashing, universal-sentence-encoder"
    )


def test_hashing_takes_no_source() -> None:
    with pytest.raises(FeatureError) as error:
        get_encoder("hashing:model.bin")
    assert str(error.value) == (
        "the encoder 'hashing' reads no model, given 'model.bin'; write only 'hashing'"
    )


def test_use_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(FeatureError) as error:
        get_encoder(USE)
    assert str(error.value) == (
        "the encoder 'universal-sentence-encoder' needs a library that is not installed "
        "(import of tensorflow_hub halted; None in sys.modules); "
        "install the extra: pip install -e '.[use]'"
    )


def test_importing_the_module_loads_no_library() -> None:
    heavy = "{'sklearn', 'scipy', 'tensorflow', 'tensorflow_hub', 'pandas'}"
    code = f"import sys, adaptml.encoders; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SMALL_ENCODER = """
    import sys
    import tensorflow as tf

    class Small(tf.Module):
        '''Called as the Universal Sentence Encoder is: texts in, (n, 512) float32 out.'''

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            words = tf.strings.split(tf.strings.lower(texts))
            buckets = tf.strings.to_hash_bucket_fast(words, 512)
            return tf.map_fn(lambda row: tf.reduce_sum(tf.one_hot(row, 512), axis=0), buckets,
                             fn_output_signature=tf.TensorSpec([512], tf.float32))

    tf.saved_model.save(Small(), sys.argv[1])
"""

ENCODE = """
    import sys
    import numpy as np
    from adaptml.encoders import get_encoder
    from adaptml.errors import FeatureError

    use = get_encoder("universal-sentence-encoder:" + sys.argv[1])
    vectors = use.encode(["a cat and a dog", "", "a cat"])
    print(use.dimensions, vectors.shape, vectors.dtype, vectors.sum(axis=1).tolist(), vectors[0] @ vectors[2])
    try:
        get_encoder("universal-sentence-encoder:" + sys.argv[1] + "/nothing")
    except FeatureError as error:
        print(str(error).replace(sys.argv[1], "FOLDER"))
"""


def test_use_reads_a_saved_model_through_tensorflow_hub(tmp_path: Path) -> None:
    """In a process of its own: importing tensorflow warns, and what it starts outlives a test."""
    folder = str(tmp_path / "small-use")
    subprocess.run([sys.executable, "-c", dedent(SMALL_ENCODER), folder], check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", dedent(ENCODE), folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().splitlines()
    assert first == "512 (3, 512) float32 [5.0, 0.0, 2.0] 3.0"
    assert second.startswith("the encoder 'universal-sentence-encoder' cannot be read from FOLDER/nothing: ")
    assert second.endswith("give a folder with its SavedModel, as in universal-sentence-encoder:FOLDER")
