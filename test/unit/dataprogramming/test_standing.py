from adaptml import example_project, task_standing
from adaptml.browsing.counts import Count
from adaptml.standing.core import GoldStands, VotesStand


def test_the_example_from_its_first_rules_to_its_champion() -> None:
    with example_project() as project:
        fresh = task_standing(project, "spam")
        assert fresh.data.table == "comments"
        assert fresh.data.points == Count(24, True)
        assert fresh.data.gold == GoldStands(points=12, judging=6)
        assert (fresh.data.unmade, fresh.data.agreement) == ((), None)
        assert (fresh.labelling.votes, fresh.labelling.label, fresh.modelling.champion) == (None, None, None)
        assert fresh.next_step.place == "rules"

        project.annotator_agreement("spam")
        done = project.run("spam", "comments", deploy_if_better=True)
        after = task_standing(project, "spam")
        assert after.labelling.votes == VotesStand(rules=5, rows=24)
        label, train = after.labelling.label, after.modelling.train
        assert label is not None
        assert train is not None
        assert (label.run_id, label.data, label.points, label.gold_points) == (
            done.label.run_id,
            "comments",
            24,
            12,
        )
        assert (label.measure, label.on_gold) == ("F1 of spam", done.label.metrics["dev_f1/spam"])
        assert train.run_id == done.train.run_id
        assert (after.modelling.newest, after.modelling.champion) == ("1", "1")
        assert not after.modelling.other_classes
        agreement = after.data.agreement
        assert agreement is not None
        assert agreement.alpha is not None
        assert (round(agreement.alpha, 3), agreement.points) == (0.839, 12)
        assert after.next_step.place == "annotation"

        project.compare("spam", done.label.run_id)  # is no training
        project.change_classes("spam", rename={"spam": "advert"})
        renamed = task_standing(project, "spam")
        assert renamed.modelling.train == train
        assert renamed.modelling.other_classes
        assert renamed.data.gold == GoldStands(points=12, judging=6)


def test_what_is_missing_is_said() -> None:
    with example_project() as project:
        folder = project.settings.tasks_dir / "spam"
        text = (folder / "task.yaml").read_text()
        (folder / "task.yaml").write_text(text.replace("lf_features: [text", "lf_features: [text, author"))
        assert task_standing(project, "spam").data.unmade == ("author",)
        (folder / "task.yaml").write_text(text.replace("columns: [{name: text", "columns: [{name: body"))
        assert task_standing(project, "spam").data.table is None
    with example_project() as project:
        project.close()
        away = type(project)(project.settings.root, database_url="postgresql+psycopg://nobody@127.0.0.1:9/x")
        assert "127.0.0.1" in task_standing(away, "spam").data.problem
