"""What the configuration of a model of the BERT kind says, and where the kinds differ from BERT.

BERT: Devlin et al. 2019, https://arxiv.org/abs/1810.04805. RoBERTa (Liu et al. 2019, https://arxiv.org/abs/1907.11692),
XLM-R and CamemBERT count positions from behind the padding's number. DistilBERT (Sanh et al. 2019,
https://arxiv.org/abs/1910.01108) names its parts differently and has no token types. MPNet (Song et al. 2020,
https://arxiv.org/abs/2004.09297) adds to every score a bias that depends on the distance of two pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adaptml.errors import FeatureError

ACTIVATIONS = {"gelu": "Gelu", "relu": "Relu"}  # as configurations name them, and ONNX
BUCKETS = 32  # MPNet: how many kinds of distance there are


@dataclass(frozen=True)
class Family:
    """Where models of one kind differ from BERT.

    Attributes:
        prefix: what all names of weights begin with in a model that was saved with a head.
        layers: name of the list of layers.
        parts: parts of a layer that are called otherwise: BERT's name → the family's.
        settings: settings that are called otherwise, likewise.
        token_types: whether there are embeddings of token types.
        padded: positions count the pieces that are no padding, from behind the padding's number.
        distances: scores get a bias by distance.
    """

    prefix: str
    layers: str = "encoder.layer"
    parts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    token_types: bool = True
    padded: bool = False
    distances: bool = False


_ROBERTA = Family("roberta.", padded=True)
FAMILIES = {
    "bert": Family("bert."),
    "camembert": _ROBERTA,
    "distilbert": Family(
        "distilbert.",
        layers="transformer.layer",
        parts={
            "attention.self.query": "attention.q_lin",
            "attention.self.key": "attention.k_lin",
            "attention.self.value": "attention.v_lin",
            "attention.output.dense": "attention.out_lin",
            "attention.output.LayerNorm": "sa_layer_norm",
            "intermediate.dense": "ffn.lin1",
            "output.dense": "ffn.lin2",
            "output.LayerNorm": "output_layer_norm",
        },
        settings={
            "hidden_size": "dim",
            "intermediate_size": "hidden_dim",
            "num_attention_heads": "n_heads",
            "num_hidden_layers": "n_layers",
            "hidden_act": "activation",
        },
        token_types=False,
    ),
    "mpnet": Family(
        "mpnet.",
        parts={
            "attention.self.query": "attention.attn.q",
            "attention.self.key": "attention.attn.k",
            "attention.self.value": "attention.attn.v",
            "attention.output.dense": "attention.attn.o",
            "attention.output.LayerNorm": "attention.LayerNorm",
        },
        token_types=False,
        padded=True,
        distances=True,
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}


@dataclass(frozen=True)
class BertConfig:
    """What a model's `config.json` says of it; all sizes are counts."""

    family: Family
    vocabulary: int
    positions: int
    token_types: int
    hidden_size: int
    inner_size: int
    layers: int
    heads: int
    activation: str
    epsilon: float
    padding: int

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "BertConfig":
        """The settings of a configuration as the library transformers writes it.

        Raises:
            FeatureError: a kind of model, or a setting, that is not built here.
        """
        kind = config.get("model_type")
        if not isinstance(kind, str) or kind not in FAMILIES:
            raise FeatureError(f"config.json: model_type is {kind!r}; expected one of {', '.join(FAMILIES)}")
        family = FAMILIES[kind]
        for key, expected in (("position_embedding_type", "absolute"), ("is_decoder", False)):
            if config.get(key, expected) != expected:
                raise FeatureError(f"config.json: {key} is {config[key]!r}; expected {expected!r}")
        named = family.settings

        def count(key: str, least: int = 1, default: int | None = None) -> int:
            key = named.get(key, key)
            value = config.get(key, default)
            if not isinstance(value, int) or value < least:
                raise FeatureError(f"config.json: {key} is {value!r}; expected a whole number from {least}")
            return value

        activation = config.get(named.get("hidden_act", "hidden_act"), "gelu")
        if activation not in ACTIVATIONS:
            raise FeatureError(
                f"config.json: the activation is {activation!r}; expected {' or '.join(ACTIVATIONS)}"
            )
        epsilon = config.get("layer_norm_eps", 1e-12)
        if not isinstance(epsilon, float):
            raise FeatureError(f"config.json: layer_norm_eps is {epsilon!r}; expected a small number")
        hidden, heads = count("hidden_size"), count("num_attention_heads")
        if hidden % heads:
            raise FeatureError(
                f"config.json: {hidden} hidden numbers in {heads} heads; expected the same for each"
            )
        return cls(
            family=family,
            vocabulary=count("vocab_size"),
            positions=count("max_position_embeddings"),
            token_types=count("type_vocab_size") if family.token_types else 0,
            hidden_size=hidden,
            inner_size=count("intermediate_size"),
            layers=count("num_hidden_layers"),
            heads=heads,
            activation=activation,
            epsilon=epsilon,
            padding=count("pad_token_id", 0, default=1) if family.padded else 0,
        )

    @property
    def max_pieces(self) -> int:
        """The longest text that there are positions for, in pieces of words."""
        return self.positions - self.padding - 1 if self.family.padded else self.positions
