"""The ONNX graph of a model of the BERT kind: ids of pieces in, what two layers make of each piece out.

It takes n texts of l pieces: `ids` and `positions`, int64 (n, l), and `bias`, which is added to the score of
each piece for each, float32 that fits (n, heads, l, l). It gives float32 (n, l, hidden_size) twice: of the
last layer, and of the one at two thirds of all.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adaptml.features.bert_config import ACTIVATIONS, BertConfig
from adaptml.features.model_files import Floats, Weights

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

OPSET, IR_VERSION = 20, 10  # of ONNX: the first with Gelu, and the format that goes with it
SMALL_BYTES = 1024  # a tensor up to this size is part of the graph


def build(config: BertConfig, weights: Weights) -> tuple[bytes, dict[str, Floats]]:
    """The graph, serialized, and its larger tensors by name, which it refers to as external data.

    Beside the graph, tensors are neither serialized nor bound by protobuf's limit of 2 GB.

    Raises:
        FeatureError: weights that do not fit the configuration.
    """
    from onnx import TensorProto, helper

    graph = _Graph(config, weights)
    states = [graph.embeddings("ids", "positions")]
    for at in range(config.layers):
        states.append(graph.layer(at, states[-1]))

    def value(name: str, kind: int, *shape: str | int) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    given = [
        value("ids", TensorProto.INT64, "n", "l"),
        value("positions", TensorProto.INT64, "n", "l"),
        value("bias", TensorProto.FLOAT, "texts", "heads", "from", "to"),
    ]
    shown = (states[-1], states[config.layers * 2 // 3])
    made = [value(name, TensorProto.FLOAT, "n", "l", config.hidden_size) for name in shown]
    whole = helper.make_graph(graph.nodes, "bert", given, made, graph.initializers)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(whole, opset_imports=[opset], ir_version=IR_VERSION)
    return model.SerializeToString(), graph.external


class _Graph:
    """Nodes and tensors in the order of use; methods take names of values and give that of their result."""

    def __init__(self, config: BertConfig, weights: Weights) -> None:
        self.config, self.weights = config, weights
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.external: dict[str, Floats] = {}
        self._split = self._tensor("split", np.array([0, 0, config.heads, -1]))  # 0 keeps a size
        self._join = self._tensor("join", np.array([0, 0, config.hidden_size]))
        self._scale = self._tensor("scale", np.float32((config.hidden_size / config.heads) ** -0.5))

    def embeddings(self, ids: str, positions: str) -> str:
        """A piece's own embedding and its position's; the token type is the first one everywhere."""
        config, read = self.config, self.weights.read
        words = read("embeddings.word_embeddings.weight", config.vocabulary, config.hidden_size)
        places = read("embeddings.position_embeddings.weight", config.positions, config.hidden_size)
        if config.token_types:
            types = "embeddings.token_type_embeddings.weight"
            places += read(types, config.token_types, config.hidden_size)[0]
        found = self._node("Gather", self._tensor("words", words), ids)
        return self._added(
            found, self._node("Gather", self._tensor("places", places), positions), "embeddings.LayerNorm"
        )

    def layer(self, at: int, states: str) -> str:
        """Attention and a feed-forward part, each added to what it was given."""
        config = self.config

        def part(name: str) -> str:
            return f"{config.family.layers}.{at}.{config.family.parts.get(name, name)}"

        parts = (self._heads(part(f"attention.self.{name}"), states) for name in ("query", "key", "value"))
        attended = self._linear(
            part("attention.output.dense"), self._attention(*parts), config.hidden_size, config.hidden_size
        )
        states = self._added(attended, states, part("attention.output.LayerNorm"))
        inner = self._linear(part("intermediate.dense"), states, config.hidden_size, config.inner_size)
        inner = self._node(ACTIVATIONS[config.activation], inner)
        outer = self._linear(part("output.dense"), inner, config.inner_size, config.hidden_size)
        return self._added(outer, states, part("output.LayerNorm"))

    def _attention(self, query: str, key: str, value: str) -> str:
        """Scaled dot-product attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762)."""
        scores = self._node("MatMul", query, self._node("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self._node("Add", self._node("Mul", scores, self._scale), "bias")
        mixed = self._node("MatMul", self._node("Softmax", scores, axis=-1), value)
        return self._node("Reshape", self._node("Transpose", mixed, perm=[0, 2, 1, 3]), self._join)

    def _heads(self, name: str, states: str) -> str:
        """A linear map, cut into heads: (n, heads, l, hidden_size / heads)."""
        size = self.config.hidden_size
        cut = self._node("Reshape", self._linear(name, states, size, size), self._split)
        return self._node("Transpose", cut, perm=[0, 2, 1, 3])

    def _linear(self, name: str, states: str, given: int, made: int) -> str:
        weight = self.weights.read(f"{name}.weight", made, given)
        product = self._node("MatMul", states, self._tensor(f"{name}.weight", weight.T))
        bias = self.weights.read(f"{name}.bias", made)
        return self._node("Add", product, self._tensor(f"{name}.bias", bias))

    def _added(self, one: str, other: str, norm: str) -> str:
        """The sum of two, normalised (Ba et al. 2016, https://arxiv.org/abs/1607.06450)."""
        scale, shift = (
            self._tensor(f"{norm}.{kind}", self.weights.read(f"{norm}.{kind}", self.config.hidden_size))
            for kind in ("weight", "bias")
        )
        added = self._node("Add", one, other)
        return self._node("LayerNormalization", added, scale, shift, axis=-1, epsilon=self.config.epsilon)

    def _node(self, operator: str, *given: str, **attributes: Any) -> str:
        from onnx import helper

        made = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, given, [made], **attributes))
        return made

    def _tensor(self, name: str, value: npt.NDArray[Any] | np.generic) -> str:
        from onnx import TensorProto, helper, numpy_helper

        value = np.ascontiguousarray(value)
        if value.nbytes <= SMALL_BYTES:
            self.initializers.append(numpy_helper.from_array(value, name))
            return name
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        tensor = TensorProto(name=name, data_type=kind, dims=value.shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="memory")
        self.initializers.append(tensor)
        self.external[name] = value
        return name
