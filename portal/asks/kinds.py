"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"

KINDS: dict[str, Kind] = {
    # What rules do on the sample, and the rows of a bucket.
    "look": Kind("portal.rules.answers:look", LABELLING, limited=True),
    "draw": Kind("portal.rules.answers:draw", LABELLING),
    "last_label_run": Kind("portal.rules.answers:last_run", LABELLING),
}
