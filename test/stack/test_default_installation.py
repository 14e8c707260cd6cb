"""What `make demo` installs, and nothing else, runs the whole example, on a machine without a network.

The environment of the tests proves nothing of it: there is PyTorch in it, to compare with.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_report import check_report

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE = "adaptml/demo"
ABSENT = ("torch", "transformers", "sentence_transformers", "tensorboard", "networkx", "flask", "tensorflow")


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    docker("build", "--quiet", "--target", "demo", "--tag", IMAGE, ".")
    yield IMAGE
    docker("image", "rm", IMAGE)  # its layers stay in the cache of builds


def test_what_nothing_imports_is_not_installed(image: str) -> None:
    code = f"from importlib.util import find_spec; print([m for m in {ABSENT} if find_spec(m)])"
    assert docker("run", "--rm", "--network", "none", image, "python", "-c", code) == "[]\n"


def test_the_example_reaches_its_figures(image: str) -> None:
    check_report(docker("run", "--rm", "--init", "--network", "none", image))
