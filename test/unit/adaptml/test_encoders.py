"""Text encoders: what vectors look like, and what a user reads when there is none."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
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


def test_the_first_words_are_the_opening() -> None:
    assert encoders._opening("Who, me?") == [
        ("who", 1.0),
        (",", 1.0),
        ("me", 1.0),
        ("?", 0.5),
        ("who ,", 1.0),
        (", me", 1.0),
        ("me ?", 1.0),
    ]
    assert encoders._opening("word " * 100)[4:6] == [("word", 0.25), ("word word", 1.0)]
    assert len(encoders._opening("word " * 100)) == 5 + 4


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
    together = hybrid().encode(texts)
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(together[::-1], hybrid().encode(texts[::-1]))
    np.testing.assert_array_equal(together[0], hybrid().encode(texts[:1])[0])


def test_hybrid_adds_the_meaning_of_words_to_their_spelling() -> None:
    texts = ["The kitten purrs softly.", "A cat is purring", "Horses gallop fast", ""]
    vectors = hybrid().encode(texts)
    assert vectors.shape == (4, hybrid().dimensions) == (4, 4608)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[:, :4096], get_encoder("hashing").encode(texts))
    whole, opening = vectors[:, 4096:4352], vectors[:, 4352:]
    for part in (whole, opening):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), [0.7, 0.7, 0.7, 0.0], rtol=1e-5)
        assert part[0] @ part[1] > 3 * abs(part[0] @ part[2])


def test_word_vectors_of_a_text_by_hand() -> None:
    """Four words weigh alike in the text; in the opening, the fourth counts half and the sixth not at all."""
    one, two = (hybrid().encode([word])[0, 4096:4352] / 0.7 for word in ("cat", "dog"))
    vector = hybrid().encode(["cat cat cat dog cat dog"])[0]
    whole, opening = 4 * one + 2 * two, 3.25 * one + 0.5 * two
    np.testing.assert_allclose(vector[4096:4352], 0.7 * whole / np.linalg.norm(whole), atol=1e-6)
    np.testing.assert_allclose(vector[4352:], 0.7 * opening / np.linalg.norm(opening), atol=1e-6)


def test_hybrid_reads_its_files_without_running_the_package() -> None:
    program = (
        "import sys; from adaptml.encoders import get_encoder; get_encoder('hybrid').encode(['a cat']); "
    )
    done = subprocess.run(
        [sys.executable, "-c", program + "print('wordllama' in sys.modules)"], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_hybrid_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "find_spec", lambda _: None)
    with pytest.raises(FeatureError) as error:
        get_encoder("hybrid")
    assert str(error.value) == (
        "the encoder 'hybrid' needs the package wordllama, which is not installed; "
        "install the extra: pip install -e '.[featurize]'"
    )


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
        "no text encoder 'word2vec'; expected one of hashing, hybrid, universal-sentence-encoder"
    )


@cache
def hybrid() -> encoders.Encoder:
    return get_encoder("hybrid")


def test_only_use_takes_a_source() -> None:
    with pytest.raises(FeatureError) as error:
        get_encoder("hybrid:model.bin")
    assert str(error.value) == (
        "the encoder 'hybrid' reads its own model, given 'model.bin'; write only 'hybrid'"
    )
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
