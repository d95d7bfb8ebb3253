"""The configuration of a run: merges a TOML file, flags and defaults, and is saved with the tagger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from polytag.files import expand_home
from polytag.plugin.encoder import Precision, TrainingDefaults
from polytag.plugin.head import VITERBI
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD
from polytag.tagger.viterbi import decodings, listed
from polytag.training import options as text_of
from polytag.training.config_file import (
    as_toml,
    check_recordable,
    check_together,
    explained,
    pairs_of,
    read_options,
    tasks_of,
)
from polytag.training.options import Option

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Temperature = Annotated[float, Field(ge=0.1, le=100)]  # beyond, the divergence is lost in the digits of float32
Count = Annotated[int, Field(ge=1)]
_CORPUS, _MODEL, _TRAINING, _TEACHERS, _HUB = "Corpus", "Model", "Training", "Teachers", "Hub"
DEFAULT_ENCODER = "compact"
ADAPTER_RATE = 5.0  # how many times the usual learning rate adapters have by default
_PAIRS = {
    "task_weights": ("--task-weight", "TASK=NUMBER", "ner=2"),
    "teacher_labels": ("--teacher-label", "TEACHER=STUDENT", "PERSON=PER"),
}
"""The options that are pairs: the flag, its form, and an example."""
OF_ONE_RUN = {
    *("overwrite", "resume", "report", "tensorboard", "profile", "push", "push_every", "push_private"),
    *("device", "workers", "runner", "teacher_cache"),
}
"""Options that concern one run, and not the tagger that comes of it."""
_OF_TEACHERS = {"teacher", "texts", "teacher_labels", "teacher_weight", "teacher_temperature", "variants"}


class RunConfig(BaseModel):
    """The options of a training run. None selects the default of the encoder or the task."""

    # Options are defined only here: the command line, the signature of `train` and the reference derive from them.

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    task: Annotated[tuple[str, ...], Option(short="-t", value="NAME[:VARIANT][=COLUMN]", repeated=True)] = Field(
        min_length=1,
        description="Task to train, `ner`; on a column of another name, `ner=label`; as a second layer of one task, "
        "`ner:inner=nested_tags`. For several on one encoder, repeat the option; in TOML and Python, give a list.",
    )
    corpus: Annotated[str, Option(short="-c")] = Field(description=text_of.CORPUS)
    output: Annotated[Path, Option(short="-o")] = Field(description="Folder to write the tagger to.")
    encoder: Annotated[str, Option(short="-e")] = Field(
        DEFAULT_ENCODER, description="`compact`, or a pretrained Hugging Face checkpoint: folder or hub name."
    )
    cased: bool = Field(
        False,
        description="Give an uncased checkpoint a cased vocabulary: better for part-of-speech tags and names, but a "
        "larger tagger.",
    )
    vectors: Annotated[str | None, Option(shown="none", value="FILE|CHECKPOINT")] = Field(
        None,
        description="Vectors of words for `compact`, in addition to its hashed features: a file of word2vec, GloVe, "
        "fastText (`.vec`) or floret, or a pretrained checkpoint, which makes them once: folder or hub name.",
    )
    vector_words: Annotated[int, Option()] = Field(
        50_000,
        ge=0,
        description="Number of first, most frequent words of a file of vectors to keep in addition to the words of "
        "the training data.",
    )
    from_: Annotated[str | None, Option(shown="none")] = Field(
        None,
        alias="from",
        description="Start from a tagger, or from a token classifier of transformers: folder or hub name. Its encoder "
        "and the heads that fit keep their weights.",
    )
    labels: Annotated[str | None, Option(shown="its own")] = Field(
        None,
        description="Labels of the token classifier to start from, in id order, `O,B-PER,I-PER`, or a file of them.",
    )
    annotated: Annotated[tuple[str, ...] | None, Option(shown="those in it")] = Field(
        None,
        description="Types of spans that the corpus annotates, `PER,LOC`; others of the tagger to start from are kept.",
    )
    reader: Annotated[str | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(None, description=text_of.READER)
    columns: Annotated[tuple[str, ...] | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.COLUMNS
    )
    separator: Annotated[str | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.SEPARATOR
    )
    comments: Annotated[str | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.COMMENTS
    )
    header: Annotated[bool | None, Option(_CORPUS, flag="--header/--no-header", shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.HEADER
    )
    encoding: Annotated[str | None, Option(_CORPUS, shown=text_of.OF_THE_TEXT)] = Field(
        None, description=text_of.ENCODING
    )
    word_pattern: Annotated[str | None, Option(_CORPUS, shown="the whole cell")] = Field(
        None, description=text_of.WORD_PATTERN
    )
    tag_style: Annotated[str | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.TAG_STYLE
    )
    offsets: Annotated[Literal["characters", "utf16"] | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.OFFSETS
    )
    corpus_scheme: Annotated[str | None, Option(_CORPUS, shown=text_of.RECOGNISED)] = Field(
        None, description=text_of.CORPUS_SCHEME
    )
    tags_as_is: Annotated[bool, Option(_CORPUS)] = Field(False, description=text_of.TAGS_AS_IS)
    scheme: Annotated[str | None, Option(_MODEL, shown="the task's")] = Field(
        None, description="Label scheme to train span tasks in."
    )
    alignment: Annotated[str | None, Option(_MODEL, shown="the task's")] = Field(
        None, description="Alignment strategy, such as `first`, `last`, `all` or `mean`."
    )
    decoding: Annotated[str, Option(_MODEL)] = Field(VITERBI, description=text_of.DECODING)
    context: Annotated[Literal["sentence", "document"], Option(_MODEL)] = Field(
        "sentence", description="Content of a window: one sentence, or consecutive sentences of a document."
    )
    window: Annotated[Count | None, Option(_MODEL, shown="the encoder's maximum")] = Field(
        None, description="Maximum number of units (subwords or words) per window."
    )
    splitter: Annotated[str, Option(_MODEL)] = Field(
        STANDARD, description="Splitter of raw text, such as `standard`, `whitespace` or `characters`."
    )
    epochs: Annotated[Count | None, Option(_TRAINING)] = Field(None, description="Passes over the training split.")
    batch_size: Annotated[Count | None, Option(_TRAINING)] = Field(None, description="Windows per step.")
    accumulate: Annotated[Count, Option(_TRAINING)] = Field(
        1, description="Steps per update; gradients are accumulated."
    )
    learning_rate: Annotated[Positive | None, Option(_TRAINING)] = Field(None, description="Peak learning rate.")
    warmup: Annotated[Share, Option(_TRAINING)] = Field(
        0.1, description="Share of the updates during which the learning rate rises."
    )
    weight_decay: Annotated[Annotated[float, Field(ge=0)] | None, Option(_TRAINING)] = Field(
        None, description="Decoupled weight decay."
    )
    clip: Annotated[Positive, Option(_TRAINING)] = Field(1.0, description="Maximum global norm of the gradients.")
    averaging: Annotated[Share | None, Option(_TRAINING)] = Field(
        None, description="Decay of the moving average of the weights; 0 for none."
    )
    patience: Annotated[int, Option(_TRAINING)] = Field(
        0, ge=0, description="Stop after this many epochs without a better validation score; 0 to never stop early."
    )
    precision: Annotated[Precision | None, Option(_TRAINING)] = Field(
        None, description="Number format of the computation in training; the weights stay float32."
    )
    freeze: Annotated[int | None, Option(_TRAINING, shown="none", value="BLOCKS")] = Field(
        None, ge=0, description=text_of.FREEZE
    )
    lora: Annotated[Count | None, Option(_TRAINING, shown="none", value="RANK")] = Field(None, description=text_of.LORA)
    task_weights: Annotated[
        dict[str, Positive],
        Option(_TRAINING, flag="--task-weight", value="TASK=NUMBER", shown="1 each", repeated=True),
    ] = Field(default_factory=dict, description="Weight of a task in the loss, as in `--task-weight ner=2`.")
    loss_weights: Annotated[str | None, Option(_TRAINING, shown="1 each")] = Field(
        None,
        description="`balanced` to weight rare labels as much as frequent ones, or a TOML file of weights per label.",
    )
    seed: Annotated[int, Option(_TRAINING)] = Field(
        0, ge=0, lt=2**32, description="Same seed, same machine, same result."
    )
    checkpoint_every: Annotated[Count, Option(_TRAINING)] = Field(
        1000, description="Updates between checkpoints; each epoch also ends with one."
    )
    device: Annotated[str, Option(_TRAINING)] = Field(
        "auto", description="Devices to train on: `auto`, `cpu`, `gpu` for all GPUs, or some by number: `gpu:0,1`."
    )
    workers: Annotated[Count, Option(_TRAINING)] = Field(
        1,
        description="Processes that share each batch; a cluster given by the variable `TF_CONFIG` has its own number.",
    )
    runner: Annotated[Literal["processes", "ray"], Option(_TRAINING)] = Field(
        "processes", description="What starts the workers: `processes` on this machine, or `ray` in its cluster."
    )
    teacher: Annotated[tuple[str, ...], Option(_TEACHERS, value="TAGGER", shown="none", repeated=True)] = Field(
        (), description="Tagger to learn from, in addition to the labels: folder or hub name; of several, the mean."
    )
    texts: Annotated[tuple[str, ...], Option(_TEACHERS, value="SOURCE", shown="none", repeated=True)] = Field(
        (),
        description="Text without labels for the teacher to tag: a file, a folder of text files, or a corpus, whose "
        "tags are ignored.",
    )
    teacher_labels: Annotated[
        dict[str, str],
        Option(_TEACHERS, flag="--teacher-label", value="TEACHER=STUDENT", shown="the same names", repeated=True),
    ] = Field(
        default_factory=dict, description="The student's name of a teacher's label, `--teacher-label PERSON=PER`."
    )
    teacher_weight: Annotated[float, Option(_TEACHERS)] = Field(
        0.9, ge=0, le=1, description="Share of the teacher in what is learnt from a word with a label."
    )
    teacher_temperature: Annotated[Temperature, Option(_TEACHERS)] = Field(
        2.0, description="Divisor of the logits of teacher and student; above 1, unlikely labels count for more."
    )
    variants: Annotated[int, Option(_TEACHERS)] = Field(
        2,
        ge=0,
        description="Copies of each sentence with names, with other names in their place, for the teacher to tag.",
    )
    teacher_cache: Annotated[Path | None, Option(_TEACHERS, shown="the folder of the run")] = Field(
        None, description="Folder to keep the teacher's probabilities in, for further runs."
    )
    tensorboard: Annotated[Path | None, Option(_TRAINING, shown="none")] = Field(
        None,
        description="Folder to write curves to, for TensorBoard: loss, learning rate, speed, validation scores.",
    )
    profile: Annotated[Path | None, Option(_TRAINING, shown="none")] = Field(
        None, description="Folder to write a trace of 20 steps to, for TensorBoard's profile page."
    )
    report: Annotated[bool, Option(_MODEL)] = Field(
        False,
        description="Write `report.html` into the folder of the tagger: its figures and mistakes on the test split.",
    )
    export: Annotated[Literal["auto", "onnx", "none"], Option(_MODEL)] = Field(
        "auto",
        description=text_of.EXPORT,
    )
    push: Annotated[str | None, Option(_HUB, shown="none")] = Field(
        None, description="Repository on the hub to push the tagger to, `owner/name`; created if it is missing."
    )
    push_every: Annotated[Literal["end", "epoch"], Option(_HUB)] = Field(
        "end",
        description="When to push: at the `end`; or after each `epoch` with the best score so far, in the background.",
    )
    push_private: Annotated[bool, Option(_HUB)] = Field(False, description="Push to a private repository only.")
    resume: bool = Field(False, description="Continue an unfinished run from its last checkpoint.")
    overwrite: bool = Field(False, description="Replace a tagger in the output folder.")

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: object, field: ValidationInfo) -> object:
        kind = cls.model_fields[str(field.field_name)].annotation
        if isinstance(value, bool) and bool not in (kind, *get_args(kind)):  # pydantic takes True as 1
            raise PydanticCustomError("switch", "it must be a number or a text")
        return value

    @field_validator("task", "teacher", "texts", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("task", "teacher", "texts")
    @classmethod
    def _no_repetition(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("decoding")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in decodings():
            raise PydanticCustomError("decoding", "it must be {of}", {"of": listed(decodings())})
        return value

    @field_validator("columns", "annotated", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("task_weights", "teacher_labels", mode="before")
    @classmethod
    def _pairs(cls, value: object, field: ValidationInfo) -> object:
        """Accept a table, or the form of the command line: `ner=2`, once or several times."""
        return value if isinstance(value, Mapping) else pairs_of(value, *_PAIRS[str(field.field_name)])

    @field_validator("output", "tensorboard", "profile", "teacher_cache")
    @classmethod
    def _at_home(cls, value: Path | None) -> Path | None:
        return value and expand_home(value)

    @field_validator("loss_weights", "vectors")
    @classmethod
    def _file_at_home(cls, value: str | None) -> str | None:
        return str(expand_home(value)) if value and value.startswith("~") else value

    @model_validator(mode="after")
    def _together(self) -> RunConfig:
        check_together(self)
        check_recordable(self)  # before any work: the tagger could not record names that are not UTF-8
        return self

    def reading(self) -> ReadingKeywords:
        """The statements of the run about the form of its corpus, as `load_corpus` takes them."""
        return ReadingKeywords(
            columns=self.columns,
            separator=self.separator,
            comments=self.comments,
            header=self.header,
            encoding=self.encoding,
            word_pattern=self.word_pattern,
            tag_style=self.tag_style,
            offsets=self.offsets,
        )

    def resolved(self, defaults: TrainingDefaults) -> RunConfig:
        """The same configuration with the encoder's defaults for options that are None."""
        names = ("epochs", "batch_size", "learning_rate", "weight_decay", "averaging")
        missing = {name: getattr(defaults, name) for name in names if getattr(self, name) is None}
        if self.lora is not None and "learning_rate" in missing:
            missing["learning_rate"] *= ADAPTER_RATE
        if self.precision is None:
            from polytag.engine.devices import native_precision

            missing["precision"] = native_precision() if defaults.precision == "native" else defaults.precision
        return self.model_copy(update=missing)

    def to_toml(self, remarks: Sequence[str] = ()) -> str:
        """The configuration as TOML, readable by `from_sources`, without the options that concern only this run.

        Args:
            remarks: Lines for a comment at its start.
        """
        left_out = OF_ONE_RUN if self.teacher else OF_ONE_RUN | _OF_TEACHERS
        return as_toml(self.model_dump(mode="json", exclude_none=True, exclude=left_out, by_alias=True), remarks)

    @classmethod
    def from_sources(cls, file: Path | None, flags: Mapping[str, Any]) -> RunConfig:
        """Merge a TOML file with flags; a flag that is not None wins. Without tasks, the teachers' tasks are chosen.

        Raises:
            PolytagError: The file cannot be read, or a value is missing or invalid.
        """
        values = read_options(file) if file else {}
        for plural in ("task_weights", "teacher_labels"):
            if (singular := plural.removesuffix("s")) in values and plural not in values:  # the option's own name
                values[plural] = values.pop(singular)
        names = {name: field.alias or name for name, field in cls.model_fields.items()}  # `from_` is `from` in a file
        values |= {names.get(name, name): value for name, value in flags.items() if value is not None}
        if values.get("teacher") and not values.get("task"):
            values["task"] = tasks_of(values["teacher"])
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise explained(error, file, list(names.values())) from error
