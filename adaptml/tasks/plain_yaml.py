"""YAML as people write it in a task file: keys, lists and text, nothing that surprises."""

from typing import Any

import yaml

MAX_DEPTH = 20


class PlainLoader(yaml.SafeLoader):
    """YAML 1.1 without aliases, which can grow without end, and in which a date is text."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next value.

        Raises:
            yaml.MarkedYAMLError: an alias, or lists in lists without end.
        """
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias is found; write the value out", problem_mark=mark)
        if self.depth == MAX_DEPTH:
            problem = f"values are nested more than {MAX_DEPTH} deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A dictionary.

        Raises:
            yaml.MarkedYAMLError: a key is duplicated: YAML would take the last one without a word.
        """
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                problem = f"the key {key!r} is duplicated"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:
    """The value that a text in YAML describes.

    Raises:
        yaml.YAMLError: no YAML, a duplicated key, an alias, or more than MAX_DEPTH levels; with its place.
        ValueError: a number too long to be read.

    >>> read_yaml("title: 2026-11-05")
    {'title': '2026-11-05'}
    """
    return yaml.load(text, PlainLoader)  # noqa: S506 - a SafeLoader


def compose_yaml(text: str) -> yaml.MappingNode:
    """The keys and values of a text in YAML, each with its place in the text.

    Raises:
        yaml.YAMLError: as `read_yaml`.
    """
    found = yaml.compose(text, PlainLoader)
    if not isinstance(found, yaml.MappingNode):
        raise yaml.YAMLError(f"keys and values are expected, not {type(found).__name__}")
    return found
