"""Draw the photos of the diary into the folder of pictures: `python tasks/weather/draw_photos.py`.

They are drawings of 64 × 48 dots, the same ones each time: a blue sky with a sun, streaks of rain before
grey, flakes and a white field. Three do not look like the weather that they show.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from adaptml.cli.support import output, run_command
from adaptml.files import replacing
from adaptml.project import Project

WIDTH, HEIGHT, GROUND = 64, 48, 34
SKIES = {
    "sun": "d01 d07 d10 d13 d19 d22 d31 d34 d37 d43 d46",
    "sunset": "d25",
    "rain": "d02 d08 d11 d14 d20 d23 d26 d32 d35 d38 d44",
    "bright rain": "d47",
    "snow": "d03 d09 d12 d15 d21 d24 d27 d33 d36 d39 d45",
    "snow at night": "d48",
}
COLOURS = {  # of the sky and of the ground: red, green, blue
    "sun": ((90, 160, 235), (90, 150, 60)),
    "sunset": ((200, 110, 80), (60, 55, 50)),
    "rain": ((95, 98, 104), (70, 72, 70)),
    "bright rain": ((205, 208, 210), (190, 190, 188)),
    "snow": ((200, 204, 210), (245, 246, 250)),
    "snow at night": ((40, 42, 52), (90, 92, 100)),
}

Dots = npt.NDArray[np.float64]


def draw(kind: str, seed: int) -> Image.Image:
    """One picture.

    Args:
        kind: one of `SKIES`.
        seed: places of the sun, of drops and of flakes.
    """
    generator = np.random.default_rng(seed)
    dots = np.empty((HEIGHT, WIDTH, 3))
    dots[:GROUND], dots[GROUND:] = COLOURS[kind]
    if kind.startswith("sun"):
        _disc(dots, int(generator.integers(8, 20)), int(generator.integers(10, 54)), 5, (250, 220, 90))
    elif "rain" in kind:
        for top, left in zip(generator.integers(0, 40, 60), generator.integers(4, 60, 60), strict=True):
            for step in range(6):
                dots[top + step, left - step // 2] -= 30
    else:
        for top, left in zip(generator.integers(2, 46, 40), generator.integers(2, 62, 40), strict=True):
            _disc(dots, top, left, 1, (255, 255, 255))
    dots += generator.normal(0, 6, dots.shape)
    return Image.fromarray(dots.clip(0, 255).astype(np.uint8))


def _disc(dots: Dots, top: int, left: int, radius: int, colour: tuple[int, int, int]) -> None:
    """Fill a disc."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    dots[(rows - top) ** 2 + (columns - left) ** 2 <= radius**2] = colour


def draw_photos(folder: Path) -> int:
    """Draw all photos; gives how many.

    Args:
        folder: where `weather/d01.png` … are to lie.
    """
    drawn = [(key, kind) for kind, keys in SKIES.items() for key in keys.split()]
    for key, kind in drawn:
        with replacing(folder / "weather" / f"{key}.png") as path:
            draw(kind, int(key[1:])).save(path, format="PNG")
    return len(drawn)


def command() -> None:
    """Draw the photos of the diary, which the task `weather` is about."""
    with Project() as project:
        folder = project.settings.media
    output().print(f"{draw_photos(folder)} photos in {folder / 'weather'}")


if __name__ == "__main__":
    run_command(command)
