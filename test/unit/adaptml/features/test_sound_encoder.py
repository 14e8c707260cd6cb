"""Sounds: what their numbers say, worked out for tones, noise and silence; formats, and what is refused."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from adaptml.errors import FeatureError
from adaptml.features import sounds
from adaptml.features.encoders import encoder_takes, get_encoder
from adaptml.features.sound_encoder import BANDS, NUMBERS, mel_bands, spectral_shape
from adaptml.features.sounds import read_sound

RATE = 16_000
TIME = np.arange(RATE) / RATE
CENTROID, SPREAD, ROLLOFF, FLATNESS, CROSSINGS, LEVEL = range(13, 19)
NOISE = np.random.default_rng(0).normal(0, 0.1, RATE)


def tone(hertz: float, loudness: float = 0.5) -> np.ndarray:
    return loudness * np.sin(2 * np.pi * hertz * TIME)


def file(samples: np.ndarray, rate: int = RATE, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind)
    return buffer.getvalue()


def encoded(*samples: np.ndarray) -> np.ndarray:
    return get_encoder("sounds").encode([file(given) for given in samples])


def test_a_tone_by_hand() -> None:
    """1000 Hz is an eighth of 8000; its sign changes 2000 times in 16,000 samples; its mean square is 0.5² / 2."""
    vector = encoded(tone(1000))[0]
    assert vector.shape == (NUMBERS,)
    np.testing.assert_allclose(vector[CENTROID], 1 / 8, atol=0.001)
    np.testing.assert_allclose(vector[ROLLOFF], 1 / 8, atol=1.5 / 256)
    np.testing.assert_allclose(vector[CROSSINGS], 1 / 8, atol=1 / 399)
    np.testing.assert_allclose(vector[LEVEL], np.log10(1 / 8) / 10, atol=1e-4)
    assert vector[SPREAD] < 0.01
    assert vector[FLATNESS] < 0.001
    np.testing.assert_allclose(vector[19:38], 0, atol=0.03)  # nothing changes from frame to frame
    np.testing.assert_allclose(vector[38], np.log(2), rtol=1e-6)


def test_noise_by_hand() -> None:
    """Evenly spread: centroid 1/2, spread 1/√12; the logarithm of a power of noise is less by Euler's 0.5772."""
    vector = encoded(NOISE)[0]
    expected = [1 / 2, 1 / 12**0.5, 0.85, np.exp(-np.euler_gamma), 1 / 2, np.log10(0.01) / 10]
    np.testing.assert_allclose(vector[13:19], expected, atol=0.012)


def test_shapes_of_spectra_by_hand() -> None:
    """Of two equal lines at 0 and at the highest frequency the middle is 1/2, and so is the distance from it."""
    power = np.array([[1.0, 0, 0, 0, 1], [0, 0, 3, 0, 0], [2, 2, 2, 2, 2], [0, 0, 0, 0, 0]])
    found = spectral_shape(power)
    np.testing.assert_allclose(found[0, :3], [0.5, 0.5, 1])
    np.testing.assert_allclose(found[1, :3], [0.5, 0, 0.5])
    np.testing.assert_allclose(found[2], [0.5, np.sqrt(0.125), 1, 1], rtol=1e-6)
    assert not found[3].any()
    assert (found[:2, 3] < 1e-3).all()


def test_an_even_spectrum_has_no_shape() -> None:
    """A click holds all frequencies alike: its cepstrum is its level alone, and its flatness 1."""
    click = np.zeros(600)
    click[200] = 0.9
    vector = encoded(click)[0]  # two frames, and the click is in both
    np.testing.assert_allclose(vector[1:13], 0, atol=1e-5)
    np.testing.assert_allclose(vector[FLATNESS], 1, rtol=1e-4)
    np.testing.assert_allclose(vector[CENTROID], 0.5, rtol=1e-4)


def test_louder_is_another_level_and_nothing_else() -> None:
    """Twice as loud is 4 times the power: log10(4) / 10, and √26 log(4) / 10 in the first coefficient."""
    quiet, loud = encoded(NOISE, 2 * NOISE)
    change = np.zeros(NUMBERS)
    change[0], change[LEVEL] = np.sqrt(26) * np.log(4) / 10, np.log10(4) / 10
    np.testing.assert_allclose(loud - quiet, change, atol=2e-3)


def test_the_bands_lie_evenly_on_the_mel_scale() -> None:
    bands = mel_bands()
    np.testing.assert_allclose(bands.sum(axis=1), 1)
    hertz = bands @ np.linspace(0, 8000, 257)
    mel = 2595 * np.log10(1 + hertz / 700)
    steps = np.diff(mel)[3:]  # the first bands are narrower than the distance of two frequencies
    np.testing.assert_allclose(steps, 2595 * np.log10(1 + 8000 / 700) / (BANDS + 1), rtol=0.1)


def test_a_sound_that_changes_has_deviations() -> None:
    vector = encoded(np.r_[tone(500), tone(4000)])[0]
    np.testing.assert_allclose(vector[CENTROID], (1 / 16 + 1 / 2) / 2, atol=0.003)
    np.testing.assert_allclose(vector[19 + CENTROID], (1 / 2 - 1 / 16) / 2, atol=0.003)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_formats_rates_and_channels_make_little_difference(kind: str, tmp_path: Path) -> None:
    """The same chord in one channel, and in two at 44,100 samples a second."""
    time = np.arange(44_100) / 44_100
    chord = sum(0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (440, 1000, 3000))
    (tmp_path / "chord").write_bytes(file(np.column_stack([chord, chord]), 44_100, kind))
    found = get_encoder("sounds", tmp_path).encode(["chord", None, ""])
    expected = encoded(tone(440, 0.2) + tone(1000, 0.2) + tone(3000, 0.2))[0]
    np.testing.assert_allclose(found[0, 13:19], expected[13:19], atol=0.01)
    assert not found[1:].any()


def test_only_the_beginning_of_a_long_sound_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "MAX_SECONDS", 1)
    monkeypatch.setattr(sounds, "BLOCK_SAMPLES", 999)
    found = read_sound(file(np.r_[tone(1000), np.zeros(RATE)]), None)
    assert found is not None
    assert found.rate == RATE
    np.testing.assert_allclose(found.samples, tone(1000), atol=1e-4)


def test_silence_and_less_than_a_frame_are_finite() -> None:
    vectors = encoded(np.zeros(RATE), np.zeros(3))
    np.testing.assert_allclose(vectors[0, :38], vectors[1, :38], atol=1e-6)
    assert not vectors[0, CENTROID:CROSSINGS].any()
    np.testing.assert_allclose(vectors[0, LEVEL], -0.8)


def test_all_sounds_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").write_bytes(file(np.zeros(0)))
    buffer = io.BytesIO()
    soundfile.write(buffer, np.array([0, np.nan]), RATE, format="WAV", subtype="FLOAT")
    (tmp_path / "nan.wav").write_bytes(buffer.getvalue())
    (tmp_path / "fast.wav").write_bytes(file(np.zeros(9), 400_000))
    cells = ["text.wav", "empty.wav", "nan.wav", "fast.wav", "gone.wav", file(NOISE)]
    with pytest.raises(FeatureError, match=r"^5 of 6 sounds cannot be read: ") as error:
        get_encoder("sounds", tmp_path).encode(cells)
    said = str(error.value)
    for reason in (
        "'text.wav' (no sound that can be read)",
        "'empty.wav' (it holds no samples)",
        "'nan.wav' (it has samples that are not finite)",
        "'fast.wav' (400000 samples a second; expected 192000 at most)",
        f"'gone.wav' (no such file in {tmp_path})",
    ):
        assert reason in said
    assert said.endswith("; correct them, or leave the cells empty (NULL)")
    assert "\n" not in said


def test_without_the_library_of_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert encoder_takes("sounds") == "audio"
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(
        FeatureError, match=r"needs a library .*; install the extra: pip install -e '.\[sounds\]'$"
    ):
        get_encoder("sounds")
