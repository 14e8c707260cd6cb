"""Speed and memory of the encoders, beside the library sentence-transformers with the same model.

    python -m benchmarks.encoding [--rows 2000]

Each runs in a process of its own; the library and PyTorch have to be installed.
"""

from collections.abc import Callable, Sequence
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt
import typer

from adaptml.features.encoders import get_encoder
from adaptml.features.sentence_encoders import minilm_folder
from adaptml.features.sentence_transformer import SentenceTransformer
from benchmarks.form import Json, Measured, Rows, report
from benchmarks.measuring import measure

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
REPEATS = 3
LIBRARY, OURS = "sentence-transformers", "the same model, ours"
NAMES = {OURS: OURS, "hybrid": "the default encoder, `hybrid`", "hashing": "`hashing`"}
MOST_APART = 1e-3
ABOUT = (
    "Posts of the example made into vectors, loading left out; beside the library with the model of `hybrid`."
)


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


def ready(name: str, texts: Sequence[str]) -> tuple[Encode, Sequence[str]]:
    """An encoder that has worked, and the texts."""
    encode = load(name)
    encode(texts[:100])
    return encode, texts


def encoded(given: tuple[Encode, Sequence[str]]) -> Vectors:
    """What an encoder makes of texts."""
    encode, texts = given
    return encode(texts)


def posts(n: int) -> list[str]:
    """The example's posts, over and over."""
    from example_data.example_data_import import read_posts

    return list(islice(cycle(read_posts()["txt"]), n))


def main(rows: Rows = 2_000, to: Json = None) -> None:
    """Encode with the library, and with each of ours."""
    with report("encoding", ABOUT, to, rows, unit="texts") as found:
        texts, _ = measure(posts, rows)
        expected, theirs = measure(encoded, LIBRARY, texts, prepare=ready, repeats=REPEATS)
        for name, what in NAMES.items():
            vectors, cost = measure(encoded, name, texts, prepare=ready, repeats=REPEATS)
            note = f"{rows / cost.seconds:,.0f} texts a CPU second; the library {rows / theirs.seconds:,.0f}"
            if name == OURS:
                apart = float(np.abs(vectors - expected).max())
                found.check(apart < MOST_APART, f"the vectors are {apart:.1e} apart")
                note += f"; vectors at most {apart:.0e} apart"
            found.add(Measured(what, rows, cost, LIBRARY, theirs, note=note, readme=name != OURS))


if __name__ == "__main__":
    typer.run(main)
