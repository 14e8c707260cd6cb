"""The kinds of questions, by name. A room of the page adds its own lines."""

from portal.asks.core import Kind

LABELLING, MODELLING, ANNOTATION = "labelling", "modelling", "annotation"
# Functions of the project that are called once in the process that forks for each limited question.
WARMING = ("portal.rules.answers:warm",)

KINDS: dict[str, Kind] = {
    # Annotation.
    "annotation_server": Kind("portal.annotation.answers:server", ANNOTATION),
    "annotation_standing": Kind("portal.annotation.answers:standing", ANNOTATION),
    "annotation_preview": Kind("portal.annotation.answers:preview", ANNOTATION),
    "annotation_agreement": Kind("portal.annotation.answers:agreement", ANNOTATION),
    "annotation_queue": Kind("portal.annotation.answers:queue", ANNOTATION),
    # What rules do on the sample, and the rows of a bucket.
    "look": Kind("portal.rules.answers:look", LABELLING, limited=True),
    "draw": Kind("portal.rules.answers_draws:draw", LABELLING),
    "last_label_run": Kind("portal.rules.answers_draws:last_run", LABELLING),
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
    # Where a task stands; what a change of classes or an import would do.
    "example_features": Kind("portal.home.answers:example_features", LABELLING),
    "example_gold": Kind("portal.home.answers:example_gold", ANNOTATION),
    **{
        f"health_{room}": Kind("portal.home.answers:health", room)
        for room in (LABELLING, MODELLING, ANNOTATION)
    },
    "standing_labelling": Kind("portal.home.answers:labelling", LABELLING),
    "check_task": Kind("portal.new_task.answers:check", LABELLING, limited=True),
    "preview_classes": Kind("portal.new_task.answers:preview_classes", ANNOTATION),
    "preview_import": Kind("portal.new_task.answers:preview_import", LABELLING),
    "standing_modelling": Kind("portal.home.answers:modelling", MODELLING),
    # Runs: each room knows its own.
    "runs_of_labelling": Kind("portal.runs.answers:label_runs", LABELLING),
    "runs_of_modelling": Kind("portal.runs.answers:model_runs", MODELLING),
    "run_of_labelling": Kind("portal.runs.answers:read", LABELLING),
    "run_of_modelling": Kind("portal.runs.answers:read", MODELLING),
    "run_rows_of_labelling": Kind("portal.runs.answers:rows", LABELLING),
    "run_rows_of_modelling": Kind("portal.runs.answers:rows", MODELLING),
    "run_log_of_labelling": Kind("portal.runs.answers:log", LABELLING),
    "run_log_of_modelling": Kind("portal.runs.answers:log", MODELLING),
    "beside_of_labelling": Kind("portal.runs.answers:beside", LABELLING),
    "beside_of_modelling": Kind("portal.runs.answers:beside", MODELLING),
    "to_fix_of_labelling": Kind("portal.fixing.answers:read", LABELLING),
    "to_fix_of_modelling": Kind("portal.fixing.answers:read", MODELLING),
    "label_choices": Kind("portal.runs.answers:label_choices", LABELLING),
    "train_choices": Kind("portal.runs.answers:train_choices", MODELLING),
    # End models.
    "model_versions": Kind("portal.models.answers:versions", MODELLING),
    "model_columns": Kind("portal.models.answers:columns", MODELLING),
    "model_gain": Kind("portal.models.answers:gain", MODELLING),
    "explained": Kind("portal.models.answers:explained", MODELLING),
    "row_votes": Kind("portal.models.answers:votes", LABELLING, limited=True),
    # What the next rule could be.
    "words": Kind("portal.assist.answers:words", LABELLING, limited=True),
    "draft": Kind("portal.assist.answers:draft", LABELLING, limited=True),
    "reach": Kind("portal.assist.answers:reach", LABELLING, limited=True),
    "near": Kind("portal.assist.answers:near", LABELLING),
}
