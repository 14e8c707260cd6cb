"""What `task classes`, `run`, `watch`, `export`, `serve --model`, `lfs --hints` and kept defaults refuse."""

from bad_case import GOOD, LFS, Case, typed

GONE = "0123456789abcdef0123456789abcdef"
ONE_RULE = f"{LFS}\ndef get_lfs(params):\n    @labeling_function()\n    def rule(x):\n        return 'left'\n    return [rule]\n"


def kept(name: str, facts: str, line: str, command: str) -> Case:
    """A task file that keeps, or says of its classes, what cannot be."""
    files = {"tasks/bad/task.yaml": f"{GOOD}{line}\n", "tasks/bad/lfs.py": ONE_RULE}
    return Case(f"kept: {name}", command, facts, files)


def folder(name: str, facts: str, files: dict[str, str | bytes]) -> Case:
    """A folder that is no exported model."""
    return Case(f"exported: {name}", "serve --model exported", facts, {**files})


LABEL, TRAIN, CLASSES = (
    "label bad --data posts",
    "train bad --data labelled.parquet",
    "task classes topic --yes",
)
STEPS = [
    *(typed(f"{step} nope", "no task 'nope'") for step in ("task classes", "run", "watch", "lfs --hints")),
    typed("task classes topic --rename left=x", "as they were.*--yes"),
    typed(f"{CLASSES} --rename left", "'left'; expected --rename A=B"),
    typed(f"{CLASSES} --rename left=", "'left='; expected --rename A=B"),
    typed(f"{CLASSES} --rename 'a,b=c'", "a, b where one name"),
    typed(f"{CLASSES} --rename '\"left=x'", "'\"left': .*quotes"),
    typed(f"{CLASSES} --rename left=right", "a class already.*--merge left,right=right"),
    typed(f"{CLASSES} --rename up=down", "'up' is no class .*left, right"),
    typed(f"{CLASSES} --merge left=left", "no merge"),
    typed(f"{CLASSES} --merge left,right=x", "2 to 127 classes; given 1"),
    typed(f"{CLASSES} --split left=left", "no split"),
    typed(f"{CLASSES} --add left", "left is a class already"),
    typed(f"{CLASSES} --add ''", "'' names no class"),
    typed(f"{CLASSES} --drop ,", "',' names no class"),
    typed(f"{CLASSES} --drop left", "2 to 127 classes; given 1"),
    typed(f"{CLASSES} --drop left --rename left=x", "left would become two things"),
    typed(f"{CLASSES} --undo", "never changed"),
    typed(f"{CLASSES} --undo --add x", "a change was given too"),
    kept("a change of no date", r"class_changes\[0\].date.*'yesterday'", "class_changes: [{date: yesterday, before: [a, b]}]", "task classes bad"),
    kept("a change to no class", "middle.*left, right.*becomes", "class_changes: [{date: 2026-01-01, before: [a, left], becomes: {a: [middle]}}]", "task classes bad"),
    kept("feedback of words", "feedback.*'maybe'", "feedback: maybe", "lfs bad --hints"),
    kept("no label model", r"task\.yaml, label\.label_model: 'magic'.*expected auto", "label: {label_model: magic}", LABEL),
    kept("epochs of words", r"task\.yaml, label\.config: .*'many'", "label: {config: {n_epochs: many}}", LABEL),
    kept("a list", r"label: .*\['em'\]", "label: [em]", LABEL),
    kept("a parameter of no rule", "no parameter zeal .*label.lf_parameters", "label: {lf_parameters: {zeal: 1}}", LABEL),
    kept("no algorithm", r"task\.yaml, train\.algorithm: .*'svm'", "train: {algorithm: svm}", TRAIN),
    kept("no parameter", r"task\.yaml, train\.params: .*zeal", "train: {params: {zeal: 3}}", TRAIN),
    kept("no strategy", "train.strategy.*'all'", "train: {strategy: all}", TRAIN),
    kept("no column", "no column nope", "train: {features: [nope]}", TRAIN),
    kept("a parameter, in a run of all", "stopped at check: train: .*zeal", "train: {params: {zeal: 3}}", "run bad --data posts"),
    typed("label topic --data posts --keep --dry-run", "dry_run.*keep"),
    typed("label topic --data nope --keep", "no table 'nope'"),
    typed("train topic --data labelled.parquet --keep --algorithm svm", "'svm'.*expected one of"),
    typed("train topic --data labelled.parquet --search 0", "search is 0"),
    typed("train topic --data labelled.parquet --search many", "search.*'many'"),
    typed("train topic --data labelled.parquet --search 3", "gold and there is none"),
    typed("run topic --data nope", "stopped at check: data: no table 'nope'"),
    typed("run topic --data posts --gold nope.parquet", "stopped at check: .*nope.parquet"),
    typed("run topic --data posts --step magic --order '{}'", "'magic'.*expected check"),
    typed("run topic --data posts --step label --order '{'", "'{'.*this version"),
    typed("watch topic --data posts", "no run of `label`"),
    typed(f"watch topic --data posts --run {GONE}", f"{GONE}.*name another run"),
    Case("setting: no store to watch", "watch topic --data posts", "nowhere", {}, {"MLFLOW_TRACKING_URI": "sqlite:////proc/nowhere/mlflow.db"}),
    kept("a rule, and no store to run with", "stopped at .*nowhere", "", "run bad --data posts")._replace(env={"MLFLOW_TRACKING_URI": "sqlite:////proc/nowhere/mlflow.db"}),
    typed("lfs topic --hints --n 0", "n is 0; expected at least 1"),
    typed("lfs topic --hints --history", "--hints, --history; expected"),
    Case("frame: annotations of noise", "lfs topic --hints", "ann_df.parquet", {"workspace/annotations/topic/ann_df.parquet": b"noise"}),
    typed("export nope new", "no end model 'nope'"),
    typed("export nope labelled.parquet", "labelled.parquet.*new folder"),
    typed("export nope tasks", "tasks is not empty"),
    typed("serve --model nowhere", "no folder nowhere.*export"),
    folder("nothing of a model", "holds no model.json", {"exported/readme": "x"}),
    folder("no JSON", "model.json is damaged", {"exported/model.json": "{"}),
    folder("a list", "model.json", {"exported/model.json": "[]"}),
    folder("no keys", "model.json", {"exported/model.json": "{}"}),
]  # fmt: skip
