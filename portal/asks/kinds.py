"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"

KINDS: dict[str, Kind] = {
    # What rules do on the sample, and the rows of a bucket.
    "look": Kind("portal.rules.answers:look", LABELLING, limited=True),
    "draw": Kind("portal.rules.answers:draw", LABELLING),
    "last_label_run": Kind("portal.rules.answers:last_run", LABELLING),
    **{
        name: Kind(f"portal.data.answers:{name}", LABELLING)
        for name in (
            "run_rules",
            "run_batch",
            "run_holds",
            "run_rows",
            "run_states",
            "runs_of_point",
            "map_of",
            "map_region",
            "region_words",
        )
    },
    # What the next rule could be.
    "words": Kind("portal.assist.answers:words", LABELLING, limited=True),
    "draft": Kind("portal.assist.answers:draft", LABELLING, limited=True),
    "reach": Kind("portal.assist.answers:reach", LABELLING, limited=True),
    "near": Kind("portal.assist.answers:near", LABELLING),
}
