"""Data programming for a growing table of unlabelled data points.

Everything that a notebook needs is here. Each name is imported when it is first used, so that importing
adaptml itself costs next to nothing.

    import adaptml

    with adaptml.Project("my-project") as project:
        labelled = project.label("spam", "posts", gold="task")
        model = project.train("spam", labelled.run_id)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adaptml.browsing.find import FoundRows as FoundRows
    from adaptml.browsing.find import find as find
    from adaptml.changing_classes.report import ClassesChanged as ClassesChanged
    from adaptml.changing_classes.step import change_classes as change_classes
    from adaptml.errors import AdaptmlError as AdaptmlError
    from adaptml.errors import AnnotationError as AnnotationError
    from adaptml.errors import DatabaseError as DatabaseError
    from adaptml.errors import DatabaseUnavailableError as DatabaseUnavailableError
    from adaptml.errors import FeatureError as FeatureError
    from adaptml.errors import FileError as FileError
    from adaptml.errors import FrameError as FrameError
    from adaptml.errors import LabellingError as LabellingError
    from adaptml.errors import LabelStudioError as LabelStudioError
    from adaptml.errors import LabelStudioUnavailableError as LabelStudioUnavailableError
    from adaptml.errors import MissingDataPointsError as MissingDataPointsError
    from adaptml.errors import ModelError as ModelError
    from adaptml.errors import NothingNewError as NothingNewError
    from adaptml.errors import PipelineError as PipelineError
    from adaptml.errors import ScaleError as ScaleError
    from adaptml.errors import SettingsError as SettingsError
    from adaptml.errors import TaskError as TaskError
    from adaptml.errors import TrackingError as TrackingError
    from adaptml.errors import UnknownColumnError as UnknownColumnError
    from adaptml.errors import UnknownTableError as UnknownTableError
    from adaptml.example import example_project as example_project
    from adaptml.features.featurize import Featurized as Featurized
    from adaptml.features.featurize import featurize as featurize
    from adaptml.features.lemmas import lemmatize as lemmatize
    from adaptml.features.nearest import TableVectors as TableVectors
    from adaptml.features.nearest import table_vectors as table_vectors
    from adaptml.features.versions import FeatureComparison as FeatureComparison
    from adaptml.features.versions import compare_features as compare_features
    from adaptml.features.versions import drop_feature as drop_feature
    from adaptml.features.versions import list_features as list_features
    from adaptml.fixing.result import ToFix as ToFix
    from adaptml.fixing.what_to_fix import what_to_fix as what_to_fix
    from adaptml.gold_labels.reading import GoldLabels as GoldLabels
    from adaptml.gold_labels.step import GoldReport as GoldReport
    from adaptml.gold_labels.step import gold as gold
    from adaptml.gold_labels.template import gold_template as gold_template
    from adaptml.importing.import_table import ImportedTable as ImportedTable
    from adaptml.importing.import_table import import_table as import_table
    from adaptml.importing.plan import ImportedColumn as ImportedColumn
    from adaptml.importing.tables import tables as tables
    from adaptml.pipeline.order import StepResult as StepResult
    from adaptml.pipeline.result import RunResult as RunResult
    from adaptml.pipeline.run import StepEvent as StepEvent
    from adaptml.pipeline.run import run as run
    from adaptml.project import Project as Project
    from adaptml.runs.listing import list_runs as list_runs
    from adaptml.sampling.sample_points import SampledPoints as SampledPoints
    from adaptml.sampling.sample_points import sample_points as sample_points
    from adaptml.settings import Settings as Settings
    from adaptml.standing.core import Standing as Standing
    from adaptml.tasks import Task as Task
    from adaptml.tasks.check import Finding as Finding
    from adaptml.tasks.check import check_task as check_task
    from adaptml.tasks.class_sets import not_ as not_
    from dataprogramming.apply import apply_lfs as apply_lfs
    from dataprogramming.check import check_lfs as check_lfs
    from dataprogramming.decorator import labeling_function as labeling_function
    from dataprogramming.keyword_lfs import keyword_lf as keyword_lf
    from dataprogramming.label import LabelResult as LabelResult
    from dataprogramming.label import label as label
    from dataprogramming.label_models.base import LabelModel as LabelModel
    from dataprogramming.label_models.config import SnorkelConfig as SnorkelConfig
    from dataprogramming.label_models.dawid_skene import DawidSkene as DawidSkene
    from dataprogramming.label_models.knee import Knee as Knee
    from dataprogramming.label_models.majority import MajorityVote as MajorityVote
    from dataprogramming.label_models.mixture_em import MixtureEM as MixtureEM
    from dataprogramming.label_models.snorkel_model import SnorkelLabelModel as SnorkelLabelModel
    from dataprogramming.label_models.union import Union as Union
    from dataprogramming.label_models.weighted_vote import WeightedVote as WeightedVote
    from dataprogramming.lf_diff import LFDiff as LFDiff
    from dataprogramming.lf_diff import lf_diff as lf_diff
    from dataprogramming.lf_hints import lf_hints as lf_hints
    from dataprogramming.lf_history import LFHistory as LFHistory
    from dataprogramming.lf_history import lf_history as lf_history
    from dataprogramming.lf_json import lf_from_json as lf_from_json
    from dataprogramming.lfs import LFParams as LFParams
    from dataprogramming.like_lfs import like_lf as like_lf
    from dataprogramming.like_lfs import write_examples as write_examples
    from dataprogramming.lookup import lookup as lookup
    from dataprogramming.next_rule.draft import with_draft as with_draft
    from dataprogramming.next_rule.effect import RuleEffect as RuleEffect
    from dataprogramming.next_rule.effect import rule_effect as rule_effect
    from dataprogramming.next_rule.words import ClassWords as ClassWords
    from dataprogramming.next_rule.words import class_words as class_words
    from dataprogramming.rule_lfs import number_lf as number_lf
    from dataprogramming.rule_lfs import regex_lf as regex_lf
    from dataprogramming.standing import task_standing as task_standing
    from dataprogramming.votes import Votes as Votes
    from dataprogramming.watch import Watched as Watched
    from dataprogramming.watch import watch as watch
    from labelstudio.agreement import Agreement as Agreement
    from labelstudio.alpha import Alpha as Alpha
    from labelstudio.alpha import krippendorff_alpha as krippendorff_alpha
    from labelstudio.annotator_agreement import annotator_agreement as annotator_agreement
    from labelstudio.forget import Forgotten as Forgotten
    from labelstudio.forget import forget as forget
    from labelstudio.process_annotations import ProcessedAnnotations as ProcessedAnnotations
    from labelstudio.process_annotations import process_annotations as process_annotations
    from labelstudio.sample_tasks import SampledTasks as SampledTasks
    from labelstudio.sample_tasks import sample_tasks as sample_tasks
    from modelling.algorithms import Algorithm as Algorithm
    from modelling.algorithms import EndModel as EndModel
    from modelling.algorithms import algorithms as algorithms
    from modelling.algorithms.hist_gradient_boosting import (
        HistGradientBoostingAlgorithm as HistGradientBoostingAlgorithm,
    )
    from modelling.algorithms.knn import KnnAlgorithm as KnnAlgorithm
    from modelling.algorithms.linear_svm import LinearSvmAlgorithm as LinearSvmAlgorithm
    from modelling.algorithms.logistic_regression import (
        LogisticRegressionAlgorithm as LogisticRegressionAlgorithm,
    )
    from modelling.algorithms.mlp import MlpAlgorithm as MlpAlgorithm
    from modelling.algorithms.setfit import SetFitAlgorithm as SetFitAlgorithm
    from modelling.algorithms.transformer import TransformerAlgorithm as TransformerAlgorithm
    from modelling.compare import Comparison as Comparison
    from modelling.compare import compare as compare
    from modelling.compare_with_champion import ChampionComparison as ChampionComparison
    from modelling.compare_with_champion import compare_with_champion as compare_with_champion
    from modelling.deploy import Deployed as Deployed
    from modelling.deploy import deploy as deploy
    from modelling.explain import Explained as Explained
    from modelling.explain import explain as explain
    from modelling.export import Exported as Exported
    from modelling.export import export_model as export_model
    from modelling.predict import Predicted as Predicted
    from modelling.predict import predict as predict
    from modelling.serve import serve as serve
    from modelling.train import TrainResult as TrainResult
    from modelling.train import train as train

# module → the public names that it defines, as above; a test holds them together
_NAMES = {
    "adaptml.browsing.find": "find FoundRows",
    "adaptml.changing_classes.report": "ClassesChanged",
    "adaptml.changing_classes.step": "change_classes",
    "adaptml.errors": """AdaptmlError AnnotationError DatabaseError DatabaseUnavailableError
        FeatureError FileError FrameError LabellingError LabelStudioError LabelStudioUnavailableError
        MissingDataPointsError ModelError NothingNewError PipelineError ScaleError SettingsError TaskError
        TrackingError UnknownColumnError UnknownTableError""",
    "adaptml.example": "example_project",
    "adaptml.features.featurize": "featurize Featurized",
    "adaptml.features.lemmas": "lemmatize",
    "adaptml.features.nearest": "table_vectors TableVectors",
    "adaptml.fixing.result": "ToFix",
    "adaptml.fixing.what_to_fix": "what_to_fix",
    "adaptml.features.versions": "list_features compare_features FeatureComparison drop_feature",
    "adaptml.gold_labels.reading": "GoldLabels",
    "adaptml.gold_labels.step": "gold GoldReport",
    "adaptml.gold_labels.template": "gold_template",
    "adaptml.importing.import_table": "import_table ImportedTable",
    "adaptml.importing.plan": "ImportedColumn",
    "adaptml.importing.tables": "tables",
    "adaptml.pipeline.result": "RunResult",
    "adaptml.pipeline.run": "run StepEvent",
    "adaptml.pipeline.order": "StepResult",
    "adaptml.project": "Project",
    "adaptml.runs.listing": "list_runs",
    "adaptml.sampling.sample_points": "sample_points SampledPoints",
    "adaptml.settings": "Settings",
    "adaptml.standing.core": "Standing",
    "adaptml.tasks": "Task",
    "adaptml.tasks.check": "check_task Finding",
    "adaptml.tasks.class_sets": "not_",
    "dataprogramming.apply": "apply_lfs",
    "dataprogramming.check": "check_lfs",
    "dataprogramming.decorator": "labeling_function",
    "dataprogramming.label": "label LabelResult",
    "dataprogramming.label_models.base": "LabelModel",
    "dataprogramming.label_models.config": "SnorkelConfig",
    "dataprogramming.label_models.dawid_skene": "DawidSkene",
    "dataprogramming.label_models.knee": "Knee",
    "dataprogramming.label_models.majority": "MajorityVote",
    "dataprogramming.label_models.mixture_em": "MixtureEM",
    "dataprogramming.label_models.snorkel_model": "SnorkelLabelModel",
    "dataprogramming.label_models.union": "Union",
    "dataprogramming.label_models.weighted_vote": "WeightedVote",
    "dataprogramming.lf_diff": "lf_diff LFDiff",
    "dataprogramming.lf_hints": "lf_hints",
    "dataprogramming.lf_history": "lf_history LFHistory",
    "dataprogramming.keyword_lfs": "keyword_lf",
    "dataprogramming.lf_json": "lf_from_json",
    "dataprogramming.lfs": "LFParams",
    "dataprogramming.like_lfs": "like_lf write_examples",
    "dataprogramming.lookup": "lookup",
    "dataprogramming.next_rule.draft": "with_draft",
    "dataprogramming.next_rule.effect": "rule_effect RuleEffect",
    "dataprogramming.next_rule.words": "class_words ClassWords",
    "dataprogramming.rule_lfs": "number_lf regex_lf",
    "dataprogramming.standing": "task_standing",
    "dataprogramming.votes": "Votes",
    "dataprogramming.watch": "watch Watched",
    "labelstudio.agreement": "Agreement",
    "labelstudio.alpha": "Alpha krippendorff_alpha",
    "labelstudio.annotator_agreement": "annotator_agreement",
    "labelstudio.forget": "forget Forgotten",
    "labelstudio.process_annotations": "process_annotations ProcessedAnnotations",
    "labelstudio.sample_tasks": "sample_tasks SampledTasks",
    "modelling.algorithms": "Algorithm algorithms EndModel",
    "modelling.algorithms.hist_gradient_boosting": "HistGradientBoostingAlgorithm",
    "modelling.algorithms.knn": "KnnAlgorithm",
    "modelling.algorithms.linear_svm": "LinearSvmAlgorithm",
    "modelling.algorithms.logistic_regression": "LogisticRegressionAlgorithm",
    "modelling.algorithms.mlp": "MlpAlgorithm",
    "modelling.algorithms.setfit": "SetFitAlgorithm",
    "modelling.algorithms.transformer": "TransformerAlgorithm",
    "modelling.compare": "compare Comparison",
    "modelling.compare_with_champion": "compare_with_champion ChampionComparison",
    "modelling.deploy": "deploy Deployed",
    "modelling.explain": "explain Explained",
    "modelling.export": "export_model Exported",
    "modelling.predict": "predict Predicted",
    "modelling.serve": "serve",
    "modelling.train": "train TrainResult",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}
__version__: str  # read from the installed distribution when it is asked for
__all__ = [*_WHERE, "__version__"]


if not TYPE_CHECKING:  # or a type checker would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used."""
        if name == "__version__":
            found: Any = import_module("importlib.metadata").version("adaptml")
        elif name in _WHERE:
            found = getattr(import_module(_WHERE[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
