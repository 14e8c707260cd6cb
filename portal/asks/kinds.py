"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"

KINDS: dict[str, Kind] = {
    "annotation_server": Kind("portal.annotation.answers:server", ANNOTATION),
    "annotation_standing": Kind("portal.annotation.answers:standing", ANNOTATION),
    "annotation_preview": Kind("portal.annotation.answers:preview", ANNOTATION),
    "annotation_agreement": Kind("portal.annotation.answers:agreement", ANNOTATION),
    "annotation_queue": Kind("portal.annotation.answers:queue", ANNOTATION),
    "annotation_label_runs": Kind("portal.annotation.label_runs:label_runs", LABELLING),
}
