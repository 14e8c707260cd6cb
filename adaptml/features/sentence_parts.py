"""What a sentence-transformer has beside its model: a tokenizer, a pooling and what comes behind that."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.bert import Ids, Mask
from adaptml.features.model_files import Floats, Weights, read_json, read_settings, shown
from adaptml.user_code import said, user_code

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH_PIECES = 512  # with padding; more at once are slower, for they leave the processor's caches
Behind = Callable[[Floats], Floats]
Pool = Callable[[Floats, Mask], Floats]
TINY = 1e-12


def of_length_1(vectors: Floats) -> Floats:
    """Each row of (n, d) scaled to length 1; rows of zeros stay so."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY))


def parts(folder: Path) -> tuple[Path, Path | None, list[tuple[str, Path]]]:
    """Folders of the Transformer and the Pooling, and kind and folder of each part behind, by modules.json.

    A model alone has neither that file nor others of such parts; its pooling is None.

    Raises:
        FeatureError: other parts, or a file that is no list of parts.
    """
    if not any(any(folder.glob(name)) for name in ("modules.json", "*_Pooling", "sentence_*_config.json")):
        return folder, None, []
    path = folder / "modules.json"
    try:
        found = [(str(module["type"]), folder / module["path"]) for module in read_json(path)]
    except (KeyError, TypeError) as error:
        raise FeatureError(f"{shown(path)} is no list of parts with type and path each") from error
    kinds = [
        kind.rpartition(".")[2] if kind.startswith("sentence_transformers.") else kind for kind, _ in found
    ]
    if kinds[:2] != ["Transformer", "Pooling"] or not set(kinds[2:]) <= {"Dense", "Normalize"}:
        raise FeatureError(
            f"{shown(path)} names {', '.join(kinds) or 'no parts'}; "
            "expected Transformer, Pooling, and then only Dense or Normalize"
        )
    own, pooled, *behind = (path for _, path in found)
    return own, pooled, list(zip(kinds[2:], behind, strict=True))


def prompt(folder: Path) -> str:
    """What the model wants in front of each text; mostly nothing.

    Raises:
        FeatureError: a prompt that is not there, or vectors that are to be cut.
    """
    path = folder / "config_sentence_transformers.json"
    config = read_settings(path) if path.exists() else {}
    if config.get("truncate_dim") is not None:
        raise FeatureError(f"{shown(path)}: truncate_dim is {config['truncate_dim']!r}; expected none")
    name = config.get("default_prompt_name")
    prompts = config.get("prompts") or {}
    if name is not None and name not in prompts:
        raise FeatureError(f"{shown(path)} has no prompt {name!r}, which its default_prompt_name names")
    return "" if name is None else str(prompts[name])


def tokenizer(folder: Path, vocabulary: int | None, max_pieces: int) -> "Tokenizer":
    """The tokenizer, which cuts texts to the length that the folder says, or for which there are positions.

    Args:
        folder: holds tokenizer.json, and perhaps files that say the length.
        vocabulary: how many pieces of words the model knows; None where nothing says so.
        max_pieces: the longest text that the model takes.

    Raises:
        FeatureError: no tokenizer, or one that does not fit the model.
    """
    from tokenizers import Tokenizer, normalizers

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise FeatureError(f"{shown(path)} is missing")
    with user_code(lambda error: FeatureError(f"{shown(path)} is no tokenizer ({said(error)})")):
        made = Tokenizer.from_file(str(path))  # raises bare Exceptions
    if vocabulary is not None and made.get_vocab_size() > vocabulary:
        raise FeatureError(
            f"{shown(path)} has {made.get_vocab_size()} pieces of words and config.json {vocabulary}; "
            "expected the files of one model"
        )
    saved = sorted(folder.glob("sentence_*_config.json"))  # sentence_bert_config.json, rarely of another kind
    settings = read_settings(saved[0]) if saved else {}
    if settings.get("do_lower_case"):
        own = [made.normalizer] if made.normalizer else []
        made.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])
    made.no_padding()
    around = len(made.encode("").ids)
    if not around:
        raise FeatureError(f"{shown(path)} puts no marker around a text; expected one, as BERT's [CLS]")
    made.enable_truncation(_max_pieces(folder, settings, max_pieces, around))
    return made


def _max_pieces(folder: Path, settings: dict[str, Any], most: int, around: int) -> int:
    """How many pieces of a text are read, the markers `around` it among them."""
    limit, path = settings.get("max_seq_length"), folder / "tokenizer_config.json"
    if limit is None and path.exists():
        limit = read_settings(path).get("model_max_length")
    limit = most if limit is None else limit
    if not isinstance(limit, int | float) or min(limit, most) <= around:
        raise FeatureError(
            f"texts are cut to {limit!r} pieces of words and there are positions for {most}; "
            f"expected more than the {around} markers around a text"
        )
    return int(min(limit, most))


def by_length(pieces: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Numbers of n texts in batches, the longest first, so that little is padded."""
    order = sorted(range(len(pieces)), key=lambda row: -len(pieces[row]))
    while order:
        size = max(1, BATCH_PIECES // len(pieces[order[0]]))
        rows, order = order[:size], order[size:]
        yield rows


def padded(pieces: Sequence[Sequence[int]]) -> tuple[Ids, Mask]:
    """Numbers of pieces of b texts (b, l), with zeros behind, and which are a text's own (b, l)."""
    lengths = np.array([len(own) for own in pieces])
    mask: Mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, dtype=np.int64)
    ids[mask] = np.concatenate(pieces)
    return ids, mask


def _mean(states: Floats, mask: Mask) -> Floats:
    return np.asarray((states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, dtype=np.float32)[:, None])


def _max(states: Floats, mask: Mask) -> Floats:
    return np.asarray(np.where(mask[:, :, None], states, -np.inf).max(axis=1))


def _first(states: Floats, _mask: Mask) -> Floats:
    return states[:, 0]


POOLINGS: dict[str, Pool] = {"cls": _first, "max": _max, "mean": _mean}
# As they were named before version 6, with an entry true or false for each.
_BEFORE = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
}


def pooling(folder: Path | None, size: int, *, prompted: bool) -> tuple[Pool, int]:
    """What makes a text's vector of its pieces, states (n, l, size) and a mask (n, l) → (n, d); and d.

    Several poolings are put one behind the other; without a folder it is the mean.

    Raises:
        FeatureError: another pooling, or one that leaves a prompt out.
    """
    modes = pooling_modes(folder, prompted=prompted)
    chosen = [POOLINGS[mode] for mode in modes]
    return lambda states, mask: np.hstack([pool(states, mask) for pool in chosen]), size * len(chosen)


def pooling_modes(folder: Path | None, *, prompted: bool) -> list[str]:
    """Names of POOLINGS, whose vectors are put one behind the other; without a folder the mean alone.

    Raises:
        FeatureError: another pooling, or one that leaves a prompt out.
    """
    config = read_settings(folder / "config.json") if folder else {"pooling_mode": "mean"}
    if "pooling_mode" in config:
        given = config["pooling_mode"]
        modes = given if isinstance(given, list) else [given]
    else:
        modes = [mode for mode, key in _BEFORE.items() if config.get(key)]
        modes += [
            key
            for key, on in config.items()
            if on is True and key.startswith("pooling_mode") and key not in _BEFORE.values()
        ]
    if not modes or not set(modes) <= POOLINGS.keys():
        raise FeatureError(
            f"the pooling is {', '.join(map(str, modes)) or 'none'}; expected {', '.join(POOLINGS)}"
        )
    if prompted and not config.get("include_prompt", True):
        raise FeatureError("the pooling leaves out the prompt (include_prompt); expected one of all pieces")
    return modes


ACTIVATIONS: dict[str, Behind] = {
    "torch.nn.modules.activation.Tanh": np.tanh,
    "torch.nn.modules.linear.Identity": lambda vectors: vectors,
}


def dense(folder: Path, size: int) -> tuple[Behind, int]:
    """A linear map and its activation, (n, size) → (n, d); and d.

    Raises:
        FeatureError: another activation, a residual, or weights that do not fit.
    """
    config = read_settings(folder / "config.json")
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    if name not in ACTIVATIONS:
        raise FeatureError(f"the activation of Dense is {name!r}; expected {' or '.join(ACTIVATIONS)}")
    if (
        config.get("use_residual")
        or config.get("module_input_name", "sentence_embedding") != "sentence_embedding"
    ):
        raise FeatureError("Dense has a residual or another input; expected a plain one of a text's vector")
    given, made, weights = (
        config.get("in_features"),
        config.get("out_features"),
        Weights(folder / "model.safetensors"),
    )
    if given != size or not isinstance(made, int):
        raise FeatureError(f"Dense takes {given!r} numbers and gives {made!r}; expected to take {size}")
    matrix = weights.read("linear.weight", made, size).T
    shift = weights.read("linear.bias", made) if config.get("bias", True) else np.float32(0)
    activation = ACTIVATIONS[name]
    return lambda vectors: activation(vectors @ matrix + shift), made
