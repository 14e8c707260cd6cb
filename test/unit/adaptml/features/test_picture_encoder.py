"""Pictures: how they are read, what is refused, and what their vectors say."""

import base64
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_encoders import picture, png

from adaptml.errors import FeatureError
from adaptml.features.encoders import Encoder, encoder_checksum, encoder_takes, get_encoder
from adaptml.features.values_to_encode import read_picture

RED, BLUE = picture(255, 0, 0), picture(0, 0, 255)


def stripes(axis: int) -> Image.Image:
    """Black and white stripes of 8 dots, upright or lying."""
    line = np.repeat(np.arange(96) // 8 % 2 * 255, 96).reshape(96, 96).astype(np.uint8)
    return Image.fromarray(line if axis else line.T).convert("RGB")


def pictures() -> Encoder:
    return get_encoder("pictures")


def test_a_picture_has_four_parts_of_length_1() -> None:
    vectors = pictures().encode([png(stripes(0)), png(RED)])
    assert vectors.shape == (2, 1036)
    assert vectors.dtype == np.float32
    lengths = [np.linalg.norm(part) for part in np.split(vectors[0], [72, 120, 136])]
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    # Without an edge there is nothing to say of edges and shapes.
    assert not vectors[1, 120:].any()


def test_colours_by_hand() -> None:
    """Hue 0 of 8, full saturation and brightness is kind 0·9 + 2·3 + 2; all 16 cells are (1, 0, 0)."""
    vector = pictures().encode([png(RED)])[0]
    assert np.flatnonzero(vector[:72]).tolist() == [8]
    np.testing.assert_allclose(vector[72:120].reshape(16, 3), [[0.25, 0, 0]] * 16, rtol=1e-5)
    half = Image.new("RGB", (8, 8), "white")
    half.paste((0, 0, 255), (0, 0, 8, 6))  # three quarters blue: hue 5 of 8; white has no saturation
    found = pictures().encode([png(half)])[0, :72]
    assert np.flatnonzero(found).tolist() == [0 * 9 + 0 * 3 + 2, 5 * 9 + 2 * 3 + 2]
    np.testing.assert_allclose(found[found > 0], [0.25**0.5, 0.75**0.5], rtol=1e-6)


def test_what_looks_alike_is_closer() -> None:
    upright, wider, lying = pictures().encode(
        [png(stripes(0)), png(stripes(0).resize((120, 90))), png(stripes(1))]
    )
    assert upright @ wider > 3.5  # of 4: the same colours, edges and shapes
    assert upright @ lying < upright @ wider - 0.5
    np.testing.assert_allclose(upright[:72], lying[:72], atol=1e-5)


def test_paths_bytes_and_addresses_of_data_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "red.png"
    path.write_bytes(png(RED))
    address = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    for encoder in (get_encoder(f"pictures:{tmp_path}"), get_encoder("pictures", tmp_path)):
        vectors = encoder.encode(["sub/red.png", str(path), path.read_bytes(), address])
        assert (vectors == vectors[0]).all()
        assert vectors[0].any()


def test_no_picture_is_zeros() -> None:
    assert not pictures().encode([None, "", " "]).any()


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    given = [png(RED), None, png(BLUE), png(stripes(0)), png(stripes(1)), png(RED), png(BLUE)]
    together = pictures().encode(given)
    for cell, vector in zip(given, together, strict=True):
        np.testing.assert_array_equal(pictures().encode([cell])[0], vector)


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


def see_through(_: Image.Image) -> Image.Image:
    return Image.new("RGBA", (12, 8), (255, 0, 0, 0))


@pytest.mark.parametrize(
    ("change", "colour"),
    [(grey, (76, 76, 76)), (see_through, (255, 255, 255)), (lambda image: image.convert("P"), (255, 0, 0))],
)
def test_pictures_of_every_kind_become_red_green_blue(
    change: Callable[[Image.Image], Image.Image], colour: tuple[int, int, int]
) -> None:
    found = read_picture(png(change(RED)), None)
    assert found is not None
    assert found.shape == (8, 12, 3)
    assert (found == colour).all()


def test_a_picture_is_turned_as_its_file_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    RED.save(tmp_path / "turned.jpg", exif=exif)
    found = read_picture("turned.jpg", tmp_path)
    assert found is not None
    assert found.shape == (12, 8, 3)


def test_all_pictures_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(png(RED)[:45])
    (tmp_path / "good.png").write_bytes(png(RED))
    cells = ["good.png", "text.png", "cut.png", "gone.png", "x" * 5000, "http://a.example/b.png", b"abc"]
    with pytest.raises(FeatureError) as error:
        get_encoder("pictures", tmp_path).encode(cells)
    said = str(error.value)
    assert said.startswith(
        "6 of 7 pictures cannot be read: 'text.png' (no picture that can be read), 'cut.png' ("
    )
    assert f"'gone.png' (no such file in {tmp_path})" in said
    assert said.endswith("; correct them, or leave the cells empty (NULL)")
    assert "\n" not in said
    with pytest.raises(FeatureError, match=r"'a.png' \(nothing says in which folder it lies\)"):
        pictures().encode(["a.png"])
    with pytest.raises(FeatureError, match=r"'data:image/png;base64,a'… \(its bytes are no base64\)"):
        pictures().encode(["data:image/png;base64,a"])


def test_a_picture_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    with pytest.raises(FeatureError, match=r"of \d+ bytes \(DecompressionBombWarning"):
        pictures().encode([png(RED)])


def test_pictures_are_not_part_of_the_checksum(tmp_path: Path) -> None:
    before = encoder_checksum(f"pictures:{tmp_path}")
    (tmp_path / "new.png").write_bytes(png(RED))
    assert encoder_checksum(f"pictures:{tmp_path}") == before
    assert encoder_takes("pictures") == "image"


@pytest.mark.parametrize("library", ["PIL", "skimage.color"])
def test_without_the_libraries_of_pictures(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        FeatureError, match=r"needs a library .*; install the extra: pip install -e '.\[images\]'$"
    ):
        pictures().encode([png(RED)])


def test_numbers_by_hand() -> None:
    numbers = get_encoder("numbers")
    assert numbers.takes == "number"
    vectors = numbers.encode([0, np.e - 1, "-1", None, "", 10**6, float("nan")])
    expected = [[0, 0], [1, 0], [-np.log(2), 0], [0, 1], [0, 1], [np.log(10**6 + 1), 0], [0, 1]]
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(
        FeatureError, match=r"^2 of 3 numbers cannot be read: 'cheap' is no number, inf is not finite; "
    ):
        get_encoder("numbers").encode(["cheap", 1, float("inf")])
    with pytest.raises(FeatureError, match=r"^the encoder 'numbers' reads no model, given 'x'"):
        get_encoder("numbers:x")
