"""The bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from polytag.errors import shorten

MOST_TEXTS = 1000
MOST_ALTERNATIVES = 10

# The first wrong item is enough: a body can have half a million of them.
Texts = Annotated[list[str], Field(max_length=MOST_TEXTS, fail_fast=True)]
Sentences = Annotated[list[Annotated[list[str], Field(fail_fast=True)]], Field(max_length=MOST_TEXTS, fail_fast=True)]
_Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        for key in value if isinstance(value, dict) else ():
            if key not in cls.model_fields:
                raise ValueError(f"There is no {shorten(key, 80)!r}. Known are: {', '.join(cls.model_fields)}.")
        return value


class TagRequest(_Body):
    """The body of `POST /v1/tag`: texts, or sentences of words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"texts": "Anna Keller met Peter in Rome.", "min_score": 0.5},
                {"words": [["Peter", "lives", "in", "Rome"], ["He", "works", "."]], "documents": [0, 0]},
            ],
            "oneOf": [{"required": ["texts"]}, {"required": ["words"]}],
        }
    )

    texts: str | Texts | SkipJsonSchema[None] = Field(None, description="A text, or up to 1,000 texts.")
    words: Sentences | SkipJsonSchema[None] = Field(
        None, description="Instead of texts, sentences that are split into words."
    )
    documents: Annotated[list[_Number], Field(max_length=MOST_TEXTS, fail_fast=True)] | None = Field(
        None, description="The document of each sentence of `words`."
    )
    model: str | None = Field(None, description="Name of the model; the first one by default.")
    tasks: Annotated[list[str], Field(min_length=1, max_length=100, fail_fast=True)] | None = Field(
        None, description="Names of tasks; all by default."
    )
    min_score: Annotated[float, Field(ge=0, le=1, strict=False)] | None = Field(
        None, description="Drop spans with a lower probability."
    )
    lines: bool = Field(False, description="Tag each line of a text as a text of its own.")
    alternatives: Annotated[int, Field(ge=0, le=MOST_ALTERNATIVES)] = Field(
        0, description="Number of the most probable labels to give for each word."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.texts is None) == (self.words is None):
            raise ValueError("Give either `texts` or `words`.")
        if self.words is None and self.documents is not None:
            raise ValueError("`documents` is for `words`; each text is a document of its own.")
        if self.words is not None and self.lines:
            raise ValueError("`lines` is for `texts`; `words` has sentences already.")
        return self


class HubParameters(BaseModel):
    """The parameters of the hub's token classification."""

    model_config = ConfigDict(extra="ignore", strict=True)

    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] = Field(
        "simple",
        description="`none`: one entry per word; anything else: one entry per span. A word is never split, so that "
        "the strategies other than `none` agree.",
    )
    ignore_labels: Annotated[list[str], Field(max_length=10_000, fail_fast=True)] = Field(
        ["O"], description="Labels that are left out."
    )
    stride: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Accepted and without effect: long texts are always read in overlapping windows."
    )


class HubRequest(BaseModel):
    """The body of the hub's token classification."""

    model_config = ConfigDict(
        extra="ignore", strict=True, json_schema_extra={"examples": [{"inputs": "Anna Keller met Peter in Rome."}]}
    )

    inputs: str | Texts = Field(description="A text, or up to 1,000 texts.")
    parameters: HubParameters | None = None
    options: dict[str, Any] | None = Field(None, description="Accepted and without effect.")
