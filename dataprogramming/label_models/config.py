"""How Snorkel's label model is trained: every parameter with its bounds."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MIN_LFS = 3  # with fewer, the overlaps do not determine how good each LF is


def _none_if_auto(given: object) -> object:
    return None if given == "auto" else given


class SnorkelConfig(BaseModel):
    """How Snorkel's LabelModel is trained.

    Example:
        >>> config = adaptml.SnorkelConfig(n_epochs=50)
        >>> project.label("spam", "comments", label_model="snorkel", config=config).chosen
        'snorkel'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_epochs: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_none_if_auto)] = Field(
        default=None, description="training steps; with gold, the most that are tried; auto or none: chosen"
    )
    optimizer: Literal["sgd", "adam", "adamax"] = Field(default="sgd", description="how the steps are taken")
    prec_init: float = Field(
        default=0.7, gt=0, le=1, description="how often an LF's votes are right, to start with"
    )
    lr: float = Field(
        default=0.01, gt=0, allow_inf_nan=False, description="learning rate; halved where training diverges"
    )
    l2: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="how strongly estimates are held to where they started",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="seed of the random start")
    device: str = Field(
        default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, cuda or cuda:<number>"
    )
