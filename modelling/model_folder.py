"""An end model as a folder of plain files, which can be copied and served without MLflow.

model.json         what the model is, and the SHA-256 of the files that are read
classifier.skops   the classifier, opened against our own list of types
names.json         its classes and features
README.md          the same for people; nothing reads it

Of a model that takes votes, whose format is 2, there are also:

rules.json           whose votes it takes, with those rules that are data
label_model.npz      what makes probabilities of votes
without_votes.skops  what answers points without votes

Of a classifier that was fine-tuned there is:

classifier.safetensors     its tensors
without_votes.safetensors  the same of what answers points without votes
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from adaptml.errors import ModelError, listed, one_line
from adaptml.features.catalogue import Feature, Reference, Spec, version_of
from adaptml.features.points import Points
from adaptml.validation import validation_problems
from modelling.champion import Champion, Example
from modelling.keyed import ALL_FILES, CLASSIFIER, FILES, NAMES, KeyedModel, load_keyed_model, read_small
from modelling.voting import Voting

CARD, README = "model.json", "README.md"
FORMAT, WITHOUT_VOTES = 2, 1  # of a model that takes votes or was fine-tuned, and of any other
ANEW = "export the model again"


class ModelCard(BaseModel):
    """What `model.json` says of a model.

    Attributes:
        format: of the folder; a reader refuses what is newer than it knows.
        name: of the registered model; it names the endpoint.
        version: in the registry that it was exported from.
        task: name of the task.
        setting: its problem type.
        classes: in the model's order.
        features: the versions that it was trained on, by name → what their values are computed from; None
            for a column of the data table.
        rule_features: the same of what its rules look at; none of a model that takes no votes.
        answered_from: where its answers can come from, of `voting.WAYS`; likewise.
        dimensions: numbers of a data point's features.
        run_id: the MLflow run that trained it, or None.
        trained_on: the run or file of its labels, as the run says it.
        metrics: of the run, on gold (`gold_…`) and on the label model's labels (`lm_…`).
        example: data points to try: table_name and id.
        exported_at: when (UTC).
        made_with: distribution → version that made the folder.
        files: file → its SHA-256 in hexadecimal digits.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    name: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{1,99}$")]
    version: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,50}$")]
    task: str
    setting: str
    classes: tuple[str, ...]
    features: dict[str, Spec | None]
    rule_features: dict[str, Spec | None] = {}
    answered_from: tuple[str, ...] = ()
    dimensions: int
    run_id: str | None
    trained_on: str
    metrics: dict[str, float]
    example: Example
    exported_at: datetime
    made_with: dict[str, str]
    files: dict[str, str]

    @field_validator("files")
    @classmethod
    def _all_of_them(cls, files: dict[str, str]) -> dict[str, str]:
        if not set(FILES) <= set(files) <= set(ALL_FILES):
            raise ValueError(f"names {listed(sorted(files)) or 'none'}; expected {listed(FILES)}")
        return files


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each of the files that are read."""
    names = [name for name in ALL_FILES if (folder / name).is_file()]
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in names}


def load_model_folder(folder: Path, points: Points) -> Champion:
    """Read what `export_model` wrote, into what the service asks; no code that comes with it is run.

    Its features are looked for in the database by what they are computed from: the same version may have
    another number there.

    Args:
        folder: the exported model.
        points: reads features.

    Raises:
        ModelError: no exported model, one of a newer format, or one that is incomplete or was changed.
        DatabaseError: the database's features cannot be looked up.
    """
    card = _read_card(folder)
    for name, digest in card.files.items():
        _check(folder, name, digest)
    model = load_keyed_model(folder / CLASSIFIER, folder / NAMES, points)
    unnamed = [name for name in model.files if name not in card.files]
    if unnamed:
        raise ModelError(
            f"{folder / CARD} does not name {listed(unnamed)}, of which the model is made; {ANEW}"
        )
    model = replace(model, features=_here(card, model.features, points), voting=_voting(card, model, points))
    return Champion(
        card.name, card.version, card.run_id, model.class_names, card.example, model, ways=model.ways
    )


def _voting(card: ModelCard, model: KeyedModel, points: Points) -> Voting | None:
    """What the model needs for its votes, with the versions that this database has of what rules look at."""
    if model.voting is None:
        return None
    here = dict(zip(model.voting.rules.inputs, _here(card, model.voting.reads, points), strict=True))
    return model.voting.reading({name: str(reference) for name, reference in here.items()})


def _read_card(folder: Path) -> ModelCard:
    expected = "expected a folder that `adaptml export` wrote"
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}; {expected}")
    if not (folder / CARD).is_file():
        raise ModelError(f"{folder} holds no {CARD}; {expected}")
    try:
        said = json.loads(read_small(folder / CARD))
        number = said["format"]
        if isinstance(number, int) and number > FORMAT:
            raise ModelError(
                f"{folder} is an exported model of format {number}, and this version reads {FORMAT}: "
                "install a newer one, or export the model with this one"
            )
        return ModelCard.model_validate(said)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:  # pydantic's is a ValueError
        wrong = validation_problems(error)[0] if isinstance(error, ValidationError) else one_line(error)
        raise ModelError(f"{folder / CARD} is damaged ({wrong}); {ANEW}") from error


def _check(folder: Path, name: str, digest: str) -> None:
    try:
        found = sha256((folder / name).read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} is incomplete: {name} is not there; copy the whole folder, or {ANEW}"
        ) from error
    except OSError as error:
        raise ModelError(f"{folder / name} cannot be read: {error.strerror}; {ANEW}") from error
    if found != digest:
        raise ModelError(
            f"{folder / name} was changed: its SHA-256 is {found[:12]}…, expected {digest[:12]}…; {ANEW}"
        )


def _here(card: ModelCard, features: Sequence[Reference], points: Points) -> tuple[Reference, ...]:
    """The versions under which this database has a model's features.

    Raises:
        ModelError: a version that is computed from something else here.
    """
    if not any(feature.version for feature in features):
        return tuple(features)
    known = points.catalogue.all(dropped=True)
    return tuple(_local(card, feature, known) for feature in features)


def _local(card: ModelCard, feature: Reference, known: Sequence[Feature]) -> Reference:
    spec, of_name = (
        (card.features | card.rule_features).get(str(feature)),
        [f for f in known if f.name == feature.name],
    )
    version = None if spec is None else version_of(of_name, spec)
    if spec is None or version is not None:
        return feature if version is None else Reference(feature.name, version)
    other = next((f for f in of_name if f.version == feature.version), None)
    if other is not None:
        raise ModelError(
            f"feature {feature} of this database comes from {other.source} by {other.made_by}, and model "
            f"{card.name} learned it from {spec.source} by {spec.encoder}, or by another version of that; "
            f"featurise with {spec.encoder}"
        )
    return feature
