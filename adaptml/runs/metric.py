"""The metric that a run's models were compared by, as the run says it."""

from collections.abc import Mapping, Sequence

from adaptml.evaluation import metric_names
from adaptml.tasks import ProblemType
from adaptml.tasks.metric_names import F1_OF_POSITIVE, LOG_LOSS, MACRO_F1
from adaptml.tasks.metrics import Metric, accuracy_of

CONSTANT = "constant"  # what metrics call a model that always names the most frequent class
# The run's parameter: its name among the run's metrics, such as `f1_macro` or `f1/spam`. An algorithm may
# have a parameter of its own that is called metric.
METRIC = "judged_by"
_OF_CLASS = "f1/"  # the name of F1 of a class begins with it


def logged_metric(params: Mapping[str, str], problem: ProblemType) -> str:
    """Its name among the run's metrics; the problem's plain measure for a run that says none."""
    return params.get(METRIC) or problem.measure


def metric_of_run(params: Mapping[str, str], problem: ProblemType, class_names: Sequence[str]) -> Metric:
    """The metric itself.

    Args:
        params: of the run.
        problem: one class a point, or any number.
        class_names: the k classes that the run was made with; of others, it can be named and looked up, not
            computed.
    """
    said = logged_metric(params, problem)
    if said.startswith(_OF_CLASS):
        key = said.removeprefix(_OF_CLASS)
        column = [*metric_names(class_names), key].index(key)
        return Metric(F1_OF_POSITIVE, problem, column, [*class_names, key][column], key)
    others = [Metric(name, problem) for name in (MACRO_F1, LOG_LOSS)]
    return next((metric for metric in others if metric.logged == said), accuracy_of(problem))
