"""One training: features are read, ways are tried, the best is trained and evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from adaptml.folds import folds_of_keys
from adaptml.frames import write_preview
from adaptml.labelled import Labelled
from adaptml.progress import progress
from adaptml.runs.metric import METRIC
from adaptml.runs.recording import Recorder
from adaptml.tasks.defaults import BUILT_IN
from adaptml.tasks.metrics import metric_of
from modelling.algorithms import EndModel, takes_texts
from modelling.algorithms.core import ENSEMBLE, Matrix
from modelling.algorithms.transformer_model import TextClassifier
from modelling.choosing import Combined, combine
from modelling.evaluate import IN_ONE_FOLD, Evaluation
from modelling.learner import Gold, Learner, Weak
from modelling.search import Searched, check_gold, search_in_folds
from modelling.sources import Reader, Split, few_points
from modelling.strategies import AUTO, LABELS_BY, STRATEGY_USED, unconverged
from modelling.trials import ONLY_GOLD, UNTRAINED, Trials
from modelling.ways import HeldOut
from modelling.weak_labels import LabelRun, weak_labels


class Training:
    """One training: reads features, trains, evaluates.

    Attributes:
        labels: what is trained and tested on.
        learner: what is trained; a search changes its parameters.
        searched: the result of a search, or None.
        evaluation: how good the model is.
        warnings: what looks wrong.
        width: how many numbers a data point's features have.
        weak, gold: what was trained on, with features; None for none.
    """

    def __init__(
        self, labels: Split, learner: Learner, reader: Reader, recorder: Recorder, run: LabelRun
    ) -> None:
        self.labels, self.learner, self._reader, self._recorder = labels, learner, reader, recorder
        self._run = run
        self.searched: Searched | None = None
        self._unsearched = ""  # why nothing was searched for, where that was asked
        metric = metric_of(labels.task, None if labels.gold is None else labels.gold.Y)
        self.evaluation = Evaluation(labels.task, recorder.folder, metric)
        self.warnings = [*labels.notes, *few_points(labels)]
        self.width = 0
        self.weak: Weak | None = None
        self.gold: Gold | None = None

    def run(self, strategy: str, soft: bool | None, drawn: Sequence[Mapping[str, Any]] | None) -> Combined:
        """Train by a strategy, with the best of settings that were drawn, and evaluate."""
        rest = strategy == AUTO or strategy.startswith("relabelled")
        weak = weak_labels(self._run, self.labels, self._reader, soft=soft, rest=rest, seed=self.learner.seed)
        gold = self.gold = self._gold()
        if drawn is not None:
            check_gold(gold)
        done = self._combine(strategy, weak, gold, soft, alone=drawn is not None)
        if drawn is not None and done.way.strategy in UNTRAINED:
            self._unsearched = (
                f"nothing was searched for: {done.way} is the answer, and trains nothing; "
                "--strategy names one that does, such as weak"
            )
            self._recorder.log.info("search: %s", self._unsearched)
        elif drawn is not None:
            done = self._search(done, drawn, weak.get(done.way.label_model), check_gold(gold))
        self._tell(done)
        self.weak = weak.get(done.way.label_model) or next(iter(weak.values()), None)
        read = [one.X for one in weak.values()] + ([] if gold is None else [gold.X])
        if self.weak is not None and self.weak.rows is not None:
            self._recorder.log.info(
                "%d of %d points chose how it was trained", len(self.weak.rows), len(self.labels.training)
            )
        self.width = max((X.shape[1] for X in read), default=0)
        if gold is not None and self.labels.gold is not None:
            done = self._judge(done, weak, gold, self.labels.gold)
            for warning in self.evaluation.warnings:
                self._recorder.log.warning("%s", warning)
            self.warnings += self.evaluation.warnings
        if self.labels.test is not None:
            model, V = self._for_test(done, self.labels.test)
            self.evaluation.on_test(model, self._reader, self.labels.test, V)
        self._record()
        return done

    def _for_test(self, done: Combined, test: pd.DataFrame) -> tuple[EndModel, Matrix | None]:
        """The model that answers for test points, and what it hears of their votes."""
        if not done.model.takes_votes or done.without_votes is None:
            return done.model, None
        V = self._run.vote_log_odds(done.way.label_model, test, self.labels.task.problem)
        if V is not None:
            return done.model, V
        self._recorder.log.warning(
            "the votes of some test points are not in run %s: they are tested without votes", self._run.run_id
        )
        return done.without_votes, None

    def _combine(
        self, strategy: str, weak: Mapping[str, Weak], gold: Gold | None, soft: bool | None, *, alone: bool
    ) -> Combined:
        """Train by a strategy; with a bar for the ways that are tried."""
        # Without gold, and for fine-tuning, which has a bar of its own, there is nothing to choose.
        shown = self._reader.show_progress and gold is not None and not takes_texts(self.learner.classifier)
        with progress("choosing", None, shown=shown, unit="ways") as advance:
            return combine(
                strategy,
                self.learner,
                weak,
                gold,
                self.evaluation.metric,
                soft=soft,
                alone=alone,
                advance=lambda _: advance(1),
            )

    def _judge(self, done: Combined, weak: Mapping[str, Weak], gold: Gold, truth: Labelled) -> Combined:
        """Compare with gold that was trained on too, as models say that did not see it.

        What was fine-tuned is calibrated on what it is judged by.
        """
        trials = Trials(self.learner, weak, gold, self.evaluation.metric)
        if takes_texts(self.learner.classifier):
            held_out, rows = trials.in_one_fold(done.way)
            self.evaluation.on_gold(held_out, done, truth.take(rows), IN_ONE_FOLD)
            done.model.calibrator_ = trials.calibration[done.way].calibrator
            return replace(done, calibration=trials.why_calibrated(done.way))
        held_out = done.judged or self._held_out(done, trials)
        self.evaluation.on_gold(held_out, done, truth)
        return done

    def _held_out(self, done: Combined, trials: Trials) -> HeldOut:
        """What the way that was not chosen, but asked for or the only one, says of gold unseen."""
        trials.run([done.way])
        if done.way in trials.failed:
            raise trials.failed[done.way]
        return trials.held_out[done.way]

    def _tell(self, done: Combined) -> None:
        """Record how the model was chosen, and whether its optimiser came to an end."""
        way, stopped = done.way, unconverged(done.model)
        self._recorder.params |= {
            METRIC: self.evaluation.metric.logged,
            STRATEGY_USED: way.strategy,
            **({ENSEMBLE: way.told} if way.members else {}),
            LABELS_BY: way.label_model,
            "soft_labels_used": way.soft,
            "class_weight_used": "balanced" if way.balanced else "",
            "penalty_used": "stronger" if way.penalised else "",
        }
        self._recorder.log.info("%s: %s", way, done.reason)
        if way.members:
            counts = zip(way.members, done.model.member_weights_, strict=True)
            told = "; ".join(f"{one}: {weight:.2f}" for one, weight in counts)
            self._recorder.log.info("weights: %s", told)
        for other, found in done.ways.items():
            self._recorder.log.info(
                "tried %s: %s %.3f, log loss %.3f",
                other, self.evaluation.metric.title, found.metric, found.log_loss,
            )  # fmt: skip
        for note in fine_tuned(done.model):
            self._recorder.log.info("fine-tuning: %s", note)
        self._recorder.metrics["unconverged"] = bool(stopped)
        if stopped:
            self._recorder.log.warning("%s", stopped)
            self.warnings.append(stopped)

    def _search(
        self, done: Combined, drawn: Sequence[Mapping[str, Any]], weak: Weak | None, gold: Gold
    ) -> Combined:
        """Train anew with the best of the settings, and judge it by gold that did not choose."""
        metric = self.evaluation.metric
        found = search_in_folds(
            drawn, done.way, self.learner, weak, gold, metric, show_progress=self._reader.show_progress
        )
        self.searched, self.learner = found, found.learner
        self._recorder.log.info("search: %s", found.sentence)
        self._recorder.params |= {"search": len(drawn), **found.learner.classifier.get_params(deep=False)}
        self._recorder.metrics |= found.metrics
        self._recorder.children += found.children()
        trials = Trials(found.learner, {done.way.label_model: weak} if weak else {}, gold, metric)
        held_out = {**done.held_out, done.strategy: found.held_out}
        trials.run([done.way])  # to calibrate it
        model, why = trials.fit(done.way), trials.why_calibrated(done.way)
        return replace(done, model=model, held_out=held_out, judged=found.held_out, calibration=why)

    def ties(self, done: Combined) -> int:
        """How many of the weakly labelled points have no hard label, and are not learned from.

        A strategy that labels points anew learns from all.
        """
        if self.weak is None:
            return 0
        others = (*UNTRAINED, *ONLY_GOLD)
        learning = [one for one in done.way.each if one.strategy not in others]
        kinds = {one.soft for one in learning if not one.strategy.startswith("relabelled")}
        learners = [replace(self.learner, soft_labels=soft) for soft in kinds]
        return max((int(one.ties(self.weak.all.says).sum()) for one in learners), default=0)

    def lines(self, came_from: str) -> list[tuple[str, str]]:
        """Where settings came from, and what a search found, for people."""
        lines = [("settings", came_from)] if came_from != BUILT_IN else []
        found = self._unsearched if self.searched is None else self.searched.sentence
        return [*lines, ("search", found)] if found else lines

    def _gold(self) -> Gold | None:
        gold = self.labels.gold
        if gold is None:
            return None
        return Gold(self._reader.read(gold.keys), gold.Y, folds_of_keys(gold.keys))

    def _record(self) -> None:
        counts = {"train_points": len(self.labels.training), "train_points_held_out": self.labels.n_held_out}
        self._recorder.metrics |= self.evaluation.metrics | counts | {"points_gone": self.labels.n_gone}
        if len(self.labels.training):
            write_preview(self.labels.training.keys, self._recorder.folder / "training_data.html")


def fine_tuned(model: EndModel) -> list[str]:
    """How a model was fine-tuned, for people; nothing of another."""
    return [part.note for part in model.parts_ if isinstance(part, TextClassifier)]
