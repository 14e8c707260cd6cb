"""How many texts a second encoders take, against the sentence-transformer of the default encoder alone.

python -m benchmarks.encoding [--texts 2000]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice

from sentence_transformers import SentenceTransformer

from adaptml.features.encoders import get_encoder, minilm_folder
from example_data.example_data_import import read_posts

REPEATS = 3


def rate(encode: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Texts per second, median of REPEATS."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        encode(texts)
        seconds.append(time.perf_counter() - started)
    return len(texts) / statistics.median(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2_000)
    given = parser.parse_args()
    texts = list(islice(cycle(read_posts()["txt"]), given.texts))
    model = SentenceTransformer(str(minilm_folder()))
    model.encode(texts[:100])  # first use costs more
    alone = rate(lambda texts: model.encode(list(texts), show_progress_bar=False), texts)
    print(f"{given.texts:,} posts of the example, median of {REPEATS}")
    print(f"  {'sentence-transformer alone':<28}{alone:8,.0f} texts/s")
    for name in ("hybrid", "hashing"):
        found = rate(get_encoder(name).encode, texts)
        print(f"  {name:<28}{found:8,.0f} texts/s; ratio {found / alone:.2f}")


if __name__ == "__main__":
    main()
