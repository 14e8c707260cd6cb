"""What a prediction request and its answer look like."""

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from modelling.app.api_errors import ApiError

MAX_IDS = 100_000
MAX_KEY_CHARS = 500
MAX_INTEGER = 10**100


def _as_text(key: Any) -> Any:
    """An id that is a whole number as text, as ids of such columns are everywhere."""
    return str(key) if type(key) is int and abs(key) < MAX_INTEGER else key


# No database takes the NUL sign in text.
_Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_CHARS, pattern=r"^[^\x00]+$")]
# One wrong item is enough to say so: 100,000 would make a long answer.
_Keys = Annotated[list[_Key], FailFast(), Field(min_length=1, max_length=MAX_IDS)]
_Id = Annotated[_Key, BeforeValidator(_as_text, json_schema_input_type=str | int)]
_Ids = Annotated[list[_Id], FailFast(), Field(min_length=1, max_length=MAX_IDS)]


class PredictionRequest(BaseModel):
    """Data points to predict, as two lists of one length. A data point may stand more than once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    table_name: _Keys = Field(description="table of each data point")
    id: _Ids = Field(description="id of each data point in its table; whole numbers are answered as text")

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.table_name) != len(self.id):
            raise ValueError(f"table_name has {len(self.table_name)} items and id {len(self.id)}")
        return self


def parse(body: bytes) -> PredictionRequest:
    """Read a request's body.

    Raises:
        ApiError: 422 where it is not a request, 413 where it asks for more than MAX_IDS data points.
    """
    try:
        return PredictionRequest.model_validate_json(body)
    except ValidationError as error:
        problems = [
            {"where": ".".join(map(str, e["loc"])) or "body", "problem": e["msg"]}
            for e in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        text = "; ".join(f"{p['where']}: {p['problem']}" for p in problems)
        if any(e["type"] == "too_long" for e in error.errors()):
            raise ApiError(
                413,
                "too_many_ids",
                f"{text}; a request takes 1 to {MAX_IDS:,} data points: split it",
                max_ids=MAX_IDS,
            ) from error
        expected = 'expected {"table_name": [text, …], "id": [text, …]}, as many of each'
        raise ApiError(422, "invalid_request", f"{text}; {expected}", problems=problems) from error
