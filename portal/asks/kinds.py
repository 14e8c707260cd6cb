"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"

KINDS: dict[str, Kind] = {
    "words": Kind("portal.assist.answers:words", LABELLING, limited=True),
    "draft": Kind("portal.assist.answers:draft", LABELLING, limited=True),
    "reach": Kind("portal.assist.answers:reach", LABELLING, limited=True),
    "near": Kind("portal.assist.answers:near", LABELLING),
}
