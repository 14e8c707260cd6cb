"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"

KINDS: dict[str, Kind] = {}
