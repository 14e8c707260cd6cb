"""Loading and speed of the encoders, beside the library sentence-transformers with the same model.

Each runs in a process of its own; the library and PyTorch have to be installed.

python -m benchmarks.encoding [--texts 2000]
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.features.encoders import get_encoder
from adaptml.features.sentence_encoders import minilm_folder
from adaptml.features.sentence_transformer import SentenceTransformer

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
REPEATS = 3
LIBRARY, OURS = "sentence-transformers", "the same model, ours"


class Measured(NamedTuple):
    """What one encoder took; CPU time is of all threads."""

    load_cpu_s: float
    load_mb: float
    peak_mb: float
    texts_per_s: float
    texts_per_cpu_s: float
    vectors: Vectors


def load_library() -> Encode:
    """The library itself."""
    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(str(minilm_folder()))

    def encode(texts: Sequence[str]) -> Vectors:
        return np.asarray(model.encode(list(texts), show_progress_bar=False))

    return encode


def load_ours() -> Encode:
    """The same model as the default encoder runs it."""
    model = SentenceTransformer(minilm_folder())

    def encode(texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), model.dimensions), dtype=np.float32)
        for batch in model.batches(texts):
            vectors[batch.rows] = batch.sentences
        return vectors

    return encode


def load(name: str) -> Encode:
    """An encoder by the name that is printed."""
    other = {LIBRARY: load_library, OURS: load_ours}.get(name)
    return other() if other else get_encoder(name).encode


def measure(name: str, texts: Sequence[str]) -> Measured:
    """What an encoder takes in this process, which has loaded nothing else: median of REPEATS."""
    started = time.process_time()
    encode = load(name)
    encode(texts[:1])
    load_cpu_s, load_mb = time.process_time() - started, peak_mb()
    encode(texts[:100])
    wall, cpu = [], []
    for _ in range(REPEATS):
        wall_started, cpu_started = time.perf_counter(), time.process_time()
        vectors = encode(texts)
        wall.append(time.perf_counter() - wall_started)
        cpu.append(time.process_time() - cpu_started)
    speed, per_cpu = len(texts) / statistics.median(wall), len(texts) / statistics.median(cpu)
    return Measured(load_cpu_s, load_mb, peak_mb(), speed, per_cpu, vectors)


def peak_mb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def in_a_process(function: Callable[..., Any], *arguments: object) -> Any:
    """What a function gives that is called in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def posts(n: int) -> list[str]:
    """The example's posts, over and over."""
    from example_data.example_data_import import read_posts

    return list(islice(cycle(read_posts()["txt"]), n))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2_000)
    texts = in_a_process(posts, parser.parse_args().texts)
    found: dict[str, Measured] = {}
    print(f"{len(texts):,} posts of the example, median of {REPEATS}")
    heads = (
        ("load", 12),
        ("memory", 10),
        ("peak", 10),
        ("texts/s", 10),
        ("texts/CPU-s", 13),
        ("load average", 14),
    )
    print(" " * 24 + "".join(f"{head:>{width}}" for head, width in heads))
    for name in (LIBRARY, OURS, "hybrid", "hashing"):
        busy = os.getloadavg()[0]
        found[name] = it = in_a_process(measure, name, texts)
        print(
            f"{name:<24}{it.load_cpu_s:>6.2f} CPU-s{it.load_mb:>7,.0f} MB{it.peak_mb:>7,.0f} MB"
            f"{it.texts_per_s:>10,.0f}{it.texts_per_cpu_s:>13,.0f}{busy:>14.1f}"
        )
    difference = float(np.abs(found[LIBRARY].vectors - found[OURS].vectors).max())
    ratio = found[OURS].texts_per_cpu_s / found[LIBRARY].texts_per_cpu_s
    print(f"the two models: vectors differ by at most {difference:.1e}, speed per CPU second by {ratio:.2f}")


if __name__ == "__main__":
    main()
