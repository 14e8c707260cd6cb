"""Films: which of their pictures are looked at, what becomes of these, and what is refused."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest
from tiny_encoders import png, write_picture_model

from adaptml.errors import FeatureError
from adaptml.features import films
from adaptml.features.encoders import encoder_checksum, encoder_takes, get_encoder
from adaptml.features.films import read_film

FORMATS = {"a.mp4": "mpeg4", "a.mkv": "mpeg4", "a.avi": "mpeg4", "a.ts": "mpeg2video"}
LOSS = 12  # of a brightness in 0 … 255, by compression


def write_film(path: Path, n: int = 32, size: tuple[int, int] = (64, 48), codec: str = "mpeg4") -> Path:
    """Four seconds of n grey pictures, each 8 brighter than the one before."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8)
        (stream.width, stream.height), stream.pix_fmt, stream.gop_size = size, "yuv420p", 12
        stream.options = {"sc_threshold": "1000000000"}  # or it would take each for a new scene
        for number in range(n):
            dots = np.full((size[1], size[0], 3), number * 8 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(dots, format="rgb24")))
        container.mux(stream.encode())
    return path


def brightness(film: films.Film | None) -> list[float]:
    assert film is not None
    return [float(picture.mean()) for picture in film]


@pytest.mark.parametrize("name", FORMATS)
def test_eight_pictures_at_even_distances(tmp_path: Path, name: str) -> None:
    """The pictures at 1/16, 3/16 … of 32 are those of numbers 2, 6, 10 …, 16, 48, 80 … bright."""
    write_film(tmp_path / name, codec=FORMATS[name])
    found = read_film(name, tmp_path)
    np.testing.assert_allclose(brightness(found), np.arange(2, 32, 4) * 8, atol=LOSS)
    assert found is not None
    assert found[0].shape == (48, 64, 3)
    assert found[0].dtype == np.uint8


def test_bytes_give_the_same_and_a_short_film_has_fewer(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4")
    assert brightness(read_film(path.read_bytes(), None)) == brightness(read_film("a.mp4", tmp_path))
    assert len(read_film(str(write_film(tmp_path / "short.mp4", n=3)), None) or []) == 3
    assert read_film(None, None) is None


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    found = read_film(str(write_film(tmp_path / "large.mp4", n=2, size=(1024, 256))), None)
    assert found is not None
    assert found[0].shape == (128, 512, 3)


def test_a_film_is_turned_as_its_file_says(tmp_path: Path) -> None:
    """The left half is bright; turned by a quarter to the right, it is the upper half."""
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        dots = np.zeros((48, 64, 3), np.uint8)
        dots[:, :32] = 250
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(dots, format="rgb24")))
        container.mux(stream.encode())
    # The matrix of the track in the file's header, for which PyAV has no name: (0, 1, -1, 0) is the quarter.
    content = path.read_bytes()
    at = content.index(b"tkhd") + 4 + 40
    matrix = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(content[:at] + matrix + content[at + 36 :])
    found = read_film(str(path), None)
    assert found is not None
    assert found[0].shape == (64, 48, 3)
    assert found[0][:28].mean() > 200 > 50 > found[0][36:].mean()


def test_the_vector_is_the_mean_and_the_largest_of_the_pictures_vectors(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4")
    frames, pictures = get_encoder("frames", tmp_path), get_encoder("pictures")
    assert (frames.takes, frames.dimensions) == ("video", 2 * pictures.dimensions)
    found = frames.encode(["a.mp4", None])
    of_each = pictures.encode_batch(read_film("a.mp4", tmp_path) or [])
    np.testing.assert_allclose(found[0], np.r_[of_each.mean(axis=0), of_each.max(axis=0)], atol=1e-6)
    assert not found[1].any()


def test_another_encoder_of_pictures_may_look_at_them(tmp_path: Path) -> None:
    folder = write_picture_model(tmp_path / "model")
    name = f"frames:onnx:{folder}"
    assert encoder_takes(name) == "video"
    write_film(tmp_path / "a.mp4", n=1)  # black, (-1, -1, -1) to the model
    found = get_encoder(name, tmp_path).encode(["a.mp4"])
    np.testing.assert_allclose(found, [np.full(6, -(3**-0.5))], atol=0.01)
    before = encoder_checksum(name)
    (folder / "more.txt").write_text("another file of the model")
    assert encoder_checksum(name) != before
    with pytest.raises(
        FeatureError, match=r"^the encoder 'frames' needs one of pictures, given 'hashing'; write"
    ):
        get_encoder("frames:hashing")


def test_no_more_pictures_are_decoded_than_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a bound of 5, four go to the first picture, with the one behind it; the way to the next ends at once."""
    monkeypatch.setattr(films, "MAX_DECODED", 5)
    path = write_film(tmp_path / "a.mp4")
    np.testing.assert_allclose(brightness(read_film(str(path), None)), [16, 0], atol=LOSS)
    monkeypatch.setattr(films, "MAX_DOTS", 64 * 48 - 1)
    with pytest.raises(FeatureError, match=r"\(its pictures are of 64 × 48 dots, more than 3,071\)$"):
        read_film(str(path), None)


def test_a_film_that_ends_early_is_told_by_what_is_there(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    found = brightness(read_film("cut.mkv", tmp_path))
    assert found[0] == pytest.approx(16, abs=LOSS)


def test_all_films_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with av.open(str(tmp_path / "sound.mka"), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    cells = ["a.mp4", "cut.mp4", "text.mp4", "list.m3u8", "sound.mka", "gone.mp4", b""]
    with pytest.raises(FeatureError, match=r"^6 of 7 films cannot be read: ") as error:
        get_encoder("frames", tmp_path).encode(cells)
    said = str(error.value)
    for name in ("cut.mp4", "text.mp4", "list.m3u8"):
        assert f"'{name}' (no film that can be read)" in said
    assert "'sound.mka' (it holds no pictures)" in said
    assert "\n" not in said


def test_a_picture_is_a_film_of_one(tmp_path: Path) -> None:
    from tiny_encoders import picture

    found = read_film(png(picture(250, 250, 250, (32, 32))), None)
    assert brightness(found) == pytest.approx([250], abs=2)


def test_without_the_library_of_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        FeatureError, match=r"needs a library .*; install the extra: pip install -e '.\[video\]'$"
    ):
        get_encoder("frames")
