"""Names that `label` and `lfs` use themselves, so that no task's parameter may have them."""

from functools import cache

from dataprogramming.label_models.config import SnorkelConfig

# Options of `adaptml label` and `adaptml lfs`, also under names of before, and what a run logs.
_OPTIONS = {
    "task", "data", "train_data", "gold", "dev_data", "setting", "label_model", "multilabel",
    "label_model_used", "config", "lf_parameters", "workers", "parallel", "fault_tolerant", "write",
    "dry_run", "where", "new", "texts", "no_texts", "verbose", "show_progress", "uncovered_gold", "help",
    "seed", "fresh", "n", "show", "wrong", "conflicts", "uncovered", "disagreement", "history", "diff",
}  # fmt: skip


@cache
def reserved_names() -> frozenset[str]:
    """Names that a parameter of `get_lfs` may not have; parameters of label models are among them."""
    return frozenset(_OPTIONS) | frozenset(SnorkelConfig.model_fields)
