"""The numbers of `hashing` shared among a text's words: nothing is lost, nothing added."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adaptml.features.encoders import get_encoder
from adaptml.features.hashing_encoder import FIRST, HASHED, PAIRS, PIECES, WORDS
from adaptml.features.hashing_words import word_shares

KINDS = np.cumsum([0, WORDS, PAIRS, FIRST, PIECES])
LENGTHS = (1.0, 0.5, 1.0, 1.0)


@given(st.text(max_size=60))
@example("Subscribe, subscribe: to MY channel!! 😾 שלום  a  İstanbul\x1cno")
@example("e\u0301 of cafe\u0301")
@example("hi")
def test_the_counts_are_what_the_encoder_counts_and_every_number_is_shared_out(text: str) -> None:
    found = word_shares(text)
    if not found.words:
        assert not found.counts.any()
        return
    damped = np.sign(found.counts) * np.log1p(np.abs(found.counts))
    for start, end, length in zip(KINDS[:-1], KINDS[1:], LENGTHS, strict=True):
        norm = np.linalg.norm(damped[start:end])
        damped[start:end] *= length / norm if norm else 0
    vector = get_encoder("hashing").encode([text])[0, :HASHED]
    assert damped == pytest.approx(vector, abs=1e-6)
    assert found.shares.sum(axis=0)[found.counts != 0] == pytest.approx(1)
    assert not found.shares.sum(axis=0)[found.counts == 0].any()


def test_a_word_has_its_own_number_half_of_a_pair_s_and_its_characters_of_a_piece() -> None:
    found = word_shares("ab c")
    of_word, of_pair = found.shares[:, [0]], found.shares[:, WORDS : WORDS + PAIRS].toarray()
    assert of_word.shape == (2, 1)
    assert sorted(found.shares[:, :WORDS].toarray().max(axis=0)[found.counts[:WORDS] != 0]) == [1, 1]
    pair = of_pair[:, found.counts[WORDS : WORDS + PAIRS] != 0]
    assert pair.tolist() == [[0.5], [0.5]]
    # " ab", "ab ", " ab " are of the first word alone; " c " is of the second: no piece spans a blank
    pieces = found.shares[:, -PIECES:].toarray()[:, found.counts[-PIECES:] != 0]
    assert sorted(map(tuple, pieces.T.tolist())) == [(0, 1), (1, 0), (1, 0), (1, 0)]
    # " a!", "a! ", " a! ": the sign is a word of its own and has half of each whole piece
    mixed = word_shares("a!").shares[:, -PIECES:].toarray()
    assert sorted(map(tuple, mixed[:, mixed.any(axis=0)].T.round(3).tolist())) == [(0.5, 0.5)] * 3
