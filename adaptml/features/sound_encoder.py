"""An encoder of sounds that needs no model: what their spectrum is like, and how much it changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.features.encoders import encoder
from adaptml.features.media_source import missing_library
from adaptml.features.sounds import Samples, Sound
from adaptml.features.values_to_encode import EncodeBatch, Vectors

SOUNDS_CODE = 1
RATE = 16_000  # samples a second, to which every sound is brought
FRAME, STEP, POINTS = 400, 160, 512  # samples: 25 ms every 10 ms, and those of the Fourier transform
BANDS, CEPSTRA = 26, 13
ROLLOFF = 0.85
FLOOR = 1e-8  # of a power: what is 80 dB below the loudest counts as silence
BLOCK_FRAMES = 2_000  # in memory at once
NUMBERS = 2 * (CEPSTRA + 6) + 1

Floats = npt.NDArray[np.float64]


@encoder("sounds", SOUNDS_CODE, takes="audio", of_media=True)
def _sounds(_source: str | None) -> EncodeBatch:
    """39 numbers: means and standard deviations of 19 numbers a frame, and log(1 + seconds).

    The sound is brought to one channel and 16,000 samples a second and cut into frames of 25 ms every 10 ms
    (Hann window), of which S(k) is the power spectrum at the frequencies f(k). Of each frame:

    - 13 mel-frequency cepstral coefficients (Davis and Mermelstein 1980,
      https://doi.org/10.1109/TASSP.1980.1163420): the orthonormal cosine transform (DCT-II) of the natural
      logarithms of the mean power in 26 triangular bands that lie evenly on the mel scale, mel(f) =
      2595 log10(1 + f / 700), from 0 to 8,000 Hz; divided by 10;
    - centroid, c = Σ f S / Σ S, and spread, √(Σ (f - c)² S / Σ S), as shares of 8,000 Hz;
    - roll-off: below which share of 8,000 Hz 85 % of the power lies;
    - flatness: the geometric by the arithmetic mean of S, near 0 for a tone, 1 for an even spectrum;
    - zero crossings: the share of neighbouring samples whose signs differ, twice the frequency by the rate of
      a pure tone;
    - level: log10 of the mean square, which is 0 for a square wave that fills the range, divided by 10.

    Centroid to flatness as Peeters 2004, "A large set of audio features for sound description", defines
    them. In silence they are 0. Nothing is fitted. Sounds are alike where they sound alike as a whole; what
    is said or played is not known, and nor is the order.

    The source is the folder in which relative paths of sounds start.
    """
    try:
        import soundfile  # noqa: F401
    except (ImportError, OSError) as error:
        raise missing_library("encoding sounds", "sounds", ImportError(str(error))) from error
    filters = mel_bands()

    def encode_batch(sounds: Sequence[Sound]) -> Vectors:
        return np.vstack([_statistics(sound, filters) for sound in sounds]).astype(np.float32)

    return encode_batch


def _statistics(sound: Sound, filters: Floats) -> Floats:
    """The 39 numbers of a sound."""
    samples = _at_our_rate(sound)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]
    parts = [
        frame_numbers(frames[start : start + BLOCK_FRAMES].astype(np.float64), filters)
        for start in range(0, len(frames), BLOCK_FRAMES)
    ]
    numbers = np.vstack(parts)
    seconds = np.log1p(len(sound.samples) / sound.rate)
    return np.concatenate([numbers.mean(axis=0), numbers.std(axis=0), [seconds]])


def _at_our_rate(sound: Sound) -> Samples:
    """The samples at 16,000 a second, at least one frame of them."""
    from scipy.signal import resample_poly

    samples = sound.samples
    if sound.rate != RATE:
        common = int(np.gcd(RATE, sound.rate))
        up, down = RATE // common, sound.rate // common
        samples = resample_poly(samples, up, down).astype(np.float32)
    return np.pad(samples, (0, max(0, FRAME - len(samples))))


def frame_numbers(frames: Floats, filters: Floats) -> Floats:
    """The 19 numbers of each of n frames: (n, 400) and the bands (26, 257) → (n, 19)."""
    from scipy.fft import dct

    window = np.hanning(FRAME + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window, POINTS)) ** 2 / np.square(window).sum()
    cepstra = dct(np.log(power @ filters.T + FLOOR), axis=1, norm="ortho")[:, :CEPSTRA] / 10
    crossings = np.mean(np.signbit(frames[:, 1:]) != np.signbit(frames[:, :-1]), axis=1)
    level = np.log10(np.square(frames).mean(axis=1) + FLOOR) / 10
    return np.column_stack([cepstra, spectral_shape(power), crossings, level])


def spectral_shape(power: Floats) -> Floats:
    """Centroid, spread, roll-off and flatness of n power spectra from 0 to half of the rate: (n, k) → (n, 4).

    All in 0 … 1, frequencies as shares of the highest; zeros where there is no power.
    """
    places = np.linspace(0, 1, power.shape[1])
    total = power.sum(axis=1)
    heard = total > FLOOR
    shares = power / np.where(heard, total, 1)[:, None]
    centroid = shares @ places
    spread = np.sqrt((shares * (places - centroid[:, None]) ** 2).sum(axis=1))
    rolloff = places[(np.cumsum(shares, axis=1) < ROLLOFF).sum(axis=1).clip(max=len(places) - 1)]
    mean = power.mean(axis=1)
    flatness = np.exp(np.log(power + FLOOR * mean[:, None] + 1e-300).mean(axis=1)) / np.where(heard, mean, 1)
    return np.where(heard[:, None], np.column_stack([centroid, spread, rolloff, flatness]), 0)


def mel_bands() -> Floats:
    """The share of each frequency in each band: (26, 257), each band's shares sum to 1."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    frequencies: Any = np.linspace(0, RATE / 2, POINTS // 2 + 1)
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    up, down = (frequencies - left) / (middle - left), (right - frequencies) / (right - middle)
    heights = np.minimum(up, down).clip(min=0)
    return np.asarray(heights / heights.sum(axis=1, keepdims=True))
