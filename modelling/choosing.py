"""Training an end model by the strategy asked for, or by those that gold chooses (`modelling.trials`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adaptml.tasks.metrics import Metric
from modelling.algorithms import EndModel, takes_texts
from modelling.algorithms.core import ENSEMBLE
from modelling.algorithms.text_algorithm import TextAlgorithm
from modelling.learner import Gold, Learner, Weak
from modelling.strategies import AUTO, HEAR_VOTES, check_strategy, list_strategies
from modelling.trials import ONLY_GOLD, Chosen, Trials
from modelling.ways import HeldOut, Way

MIN_GOLD = 20  # with fewer gold points, strategies differ by chance more than by merit


@dataclass(frozen=True)
class Combined:
    """A trained end model and how it was chosen.

    Attributes:
        model: trained on everything that its way uses.
        without_votes: where the model needs a point's votes, the best one that does not; else None.
        way: how the model was trained.
        reason: one sentence.
        held_out: strategy → what its best way says of gold by cross-validation; empty if nothing had to be
            chosen. Of an ensemble too.
        judged: what such a choice says of gold that did not choose; None likewise.
        ways: all that were tried, and what they say of gold.
        calibration: whether the model's probabilities are calibrated on gold, and why; empty where nothing
            had to be chosen.
    """

    model: EndModel
    way: Way
    reason: str
    without_votes: EndModel | None = None
    held_out: Mapping[str, HeldOut] = field(default_factory=dict)
    judged: HeldOut | None = None
    ways: Mapping[Way, HeldOut] = field(default_factory=dict)
    calibration: str = ""

    @property
    def strategy(self) -> str:
        """The name of the strategy."""
        return self.way.strategy


def combine(
    strategy: str,
    learner: Learner,
    weak: Mapping[str, Weak],
    gold: Gold | None,
    metric: Metric,
    *,
    soft: bool | None = None,
    alone: bool = False,
    advance: Callable[[str], None] = lambda _: None,
) -> Combined:
    """Train an end model by the strategy asked for; what was not said is chosen by cross-validation on gold.

    Args:
        strategy: `auto` or one of `list_strategies()`.
        learner: what to train.
        weak: label model → weakly labelled points; empty where there are none. The first is the default.
        gold: gold points, or None.
        metric: what decides.
        soft: whether to train on probabilities; None: whichever is better on gold, hard without.
        alone: whether the best way answers alone, however many cannot be told from it; of a strategy that was
            asked for it always does.
        advance: called with each way before it is tried.

    Raises:
        ModelError: an unknown strategy, labels that it needs and that are not there, or one class only.
    """
    check_strategy(strategy)
    trials = Trials(learner, weak, gold, metric, soft=soft, advance=advance)
    n_gold, n_weak = 0 if gold is None else len(gold.X), max((len(one.X) for one in weak.values()), default=0)
    if n_gold < MIN_GOLD or takes_texts(learner.classifier):
        return _without_choice(trials, strategy, n_gold, n_weak)
    demanded = [strategy] if strategy != AUTO else list_strategies()
    trials.explore(demanded)
    tried = [way for way in trials.held_out if way.strategy in demanded]
    if not tried:
        raise next(iter(trials.failed.values()))
    alone = alone or strategy != AUTO
    chosen, way = trials.best(tried), trials.choose(tried, alone=alone)
    vectors = [one for one in tried if one.strategy not in HEAR_VOTES]
    hears = any(one.strategy in HEAR_VOTES for one in way.each)
    if hears and not vectors:
        vectors = _vectors_only(trials)
    found = {name: trials.held_out[trials.best(ways).name] for name, ways in _by_strategy(tried).items()}
    if way.members:
        trials.run([way])
        found[ENSEMBLE] = trials.held_out[way]
    return Combined(
        trials.fit(way),
        way,
        _reason(trials, chosen, way, strategy),
        trials.fit(trials.choose(vectors, alone=alone)) if hears else None,
        found,
        trials.nested(tried, alone=alone),
        trials.held_out,
        trials.why_calibrated(way),
    )


def _vectors_only(trials: Trials) -> list[Way]:
    """Ways whose models need no votes, for points whose votes nobody knows."""
    names = [name for name in list_strategies() if name not in HEAR_VOTES]
    trials.explore(names)
    return [way for way in trials.held_out if way.strategy in names]


def _by_strategy(ways: Sequence[Way]) -> dict[str, list[Way]]:
    found: dict[str, list[Way]] = {name: [] for name in list_strategies()}
    for way in ways:
        found[way.strategy].append(way)
    return {name: some for name, some in found.items() if some}


def _without_choice(trials: Trials, strategy: str, n_gold: int, n_weak: int) -> Combined:
    """Train where nothing can be chosen."""
    if strategy != AUTO:
        chosen, reason = strategy, "it was asked for"
    elif n_gold == 0:
        chosen, reason = "weak", "no gold labels were given to train on"
    elif n_weak == 0:
        chosen, reason = "gold", "no weak labels were given to train on"
    elif isinstance(trials.learner.classifier, TextAlgorithm):
        enough = n_gold >= trials.learner.classifier.enough_gold
        chosen, reason = "gold" if enough else "stacked", "fine-tuning is too slow to try more"
    else:
        chosen, reason = "union", f"{n_gold} gold points are too few to choose by; {MIN_GOLD} are needed"
    # A probability is a target like any other to cross-entropy over classes that exclude each other.
    soft = takes_texts(trials.learner.classifier) and trials.learner.problem.exclusive
    soft = soft if trials.soft is None else trials.soft
    way = Way(chosen, "" if chosen in ONLY_GOLD else trials.default, soft and chosen not in ONLY_GOLD)
    beside = None
    if chosen in HEAR_VOTES:
        beside = trials.fit(
            replace(way, strategy="union" if n_gold and n_weak else "weak" if n_weak else "gold")
        )
    return Combined(trials.fit(way), way, reason, beside)


def _reason(trials: Trials, chosen: Chosen, way: Way, strategy: str) -> str:
    """Why a way is taken, for people."""
    metric, found = trials.metric, trials.held_out
    if way.members:
        value, n = f"{metric.title} {found[way].metric:.3f} on held-out gold", len(way.members)
        return f"{value}; by the {metric.title}, none of the {n} can be told from the best, {chosen.highest}"
    value = f"{metric.title} {found[chosen.name].metric:.3f}"
    n, asked = len(chosen.losses) - 1, "" if strategy == AUTO else "it was asked for; "
    if chosen.name == chosen.highest and not n:
        return f"{asked}the best {value} on held-out gold"
    others = f"{n} other way{'s' if n > 1 else ''} cannot be told apart by the {metric.title}"
    loss = f"its log loss is the lowest of theirs ({found[chosen.name].log_loss:.3f})"
    return f"{asked}{value} on held-out gold; {others} and {loss}"
