"""The file of a search: the options that all runs share, and the ranges of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from polytag.errors import PolytagError, shorten, suggest
from polytag.training.config import OF_ONE_RUN, RunConfig
from polytag.training.config_file import read_options

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TABLE = "search"
"""The table of the file that has the ranges."""

SEARCHABLE = (
    *("encoder", "cased", "vectors", "from", "scheme", "alignment", "decoding", "context", "window", "splitter"),
    *("epochs", "batch_size", "accumulate", "learning_rate", "warmup", "weight_decay", "clip", "averaging"),
    *("patience", "precision", "loss_weights"),
)
"""Options that a search can vary: scores of runs that differ in any other one cannot be compared."""

_NOT_OF_A_SEARCH = (OF_ONE_RUN - {"device", "teacher_cache"}) | {"export"}
_FORMS = "{ low = 1e-4, high = 1e-2, log = true } or [8, 16, 32]"


class Range(BaseModel):
    """A range of numbers, both ends included."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The options that a search varies, and the ones that it keeps.

    Attributes:
        fixed: The options that all runs share, by their names in a TOML file.
        ranges: A range of numbers, or a list of values, by the name of the option.
        whole: The options among these whose values are whole numbers.
    """

    fixed: Mapping[str, Any]
    ranges: Mapping[str, Range | tuple[Any, ...]]
    whole: frozenset[str]

    @property
    def plain_ranges(self) -> dict[str, Any]:
        """The ranges as plain data, as in the file."""
        return {
            name: found.model_dump() if isinstance(found, Range) else list(found) for name, found in self.ranges.items()
        }

    @property
    def identity(self) -> dict[str, Any]:
        """Plain data by which two searches are compared: option -> value or range."""
        return {**self.fixed, **{f"[{TABLE}] {name}": found for name, found in self.plain_ranges.items()}}

    def distributions(self) -> dict[str, BaseDistribution]:
        """The ranges as optuna's distributions."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        found: dict[str, BaseDistribution] = {}
        for name, values in self.ranges.items():
            if not isinstance(values, Range):
                found[name] = CategoricalDistribution(values)
            elif name in self.whole:
                found[name] = IntDistribution(int(values.low), int(values.high), log=values.log)
            else:
                found[name] = FloatDistribution(values.low, values.high, log=values.log)
        return found

    def config(self, options: Mapping[str, Any], output: Path, seed: int | None = None) -> RunConfig:
        """The configuration of a run.

        Args:
            options: A value for each option that is searched.
            output: The folder of its tagger.
            seed: Its seed; by default the one that all runs share.

        Raises:
            PolytagError: A value is invalid.
        """
        seeded = {} if seed is None else {"seed": seed}
        return RunConfig.from_sources(None, {**self.fixed, **options, **seeded, "output": output})


def read_space(source: str | Path | Mapping[str, Any]) -> tuple[SearchSpace, Path | None]:
    """Read and check the file of a search.

    Args:
        source: A TOML file, or its content.

    Returns:
        The search space, and the output folder that the file names, if any.

    Raises:
        PolytagError: The file cannot be read, or an option, a range or a value is invalid.
    """
    values = dict(source) if isinstance(source, Mapping) else read_options(Path(source), "search")
    table = values.pop(TABLE, None)
    if not isinstance(table, Mapping) or not table:
        raise PolytagError(
            f"The search has no ranges: add a table [{TABLE}] with at least one option, such as "
            f"learning_rate = {{ low = 1e-4, high = 1e-2, log = true }}."
        )
    if unwanted := sorted(_NOT_OF_A_SEARCH & set(values)):
        raise PolytagError(
            f"{unwanted[0]!r} concerns one run, not a search of many. Leave it out, and give it to `polytag train` "
            "with the best configuration."
        )
    output = values.pop("output", None)
    ranges, whole = {}, set()
    for name, value in table.items():
        _check_name(name, values)
        kinds = _kinds(RunConfig.model_fields["from_" if name == "from" else name].annotation)
        ranges[name] = _range(name, value, kinds)
        if int in kinds:
            whole.add(name)
    space = SearchSpace(values, ranges, frozenset(whole))
    _check_values(space)
    return space, None if output is None else Path(output)


def _check_name(name: str, fixed: Mapping[str, Any]) -> None:
    known = {field.alias or option for option, field in RunConfig.model_fields.items()}
    if name not in known:
        raise PolytagError(
            f"{name!r} in [{TABLE}] is not an option of a run.{suggest(name, SEARCHABLE, 'option')} "
            "See `polytag train --help`."
        )
    if name not in SEARCHABLE:
        hint = " Several seeds per configuration are --repeats." if name == "seed" else ""
        raise PolytagError(
            f"{name!r} cannot be searched: give it one value, above [{TABLE}].{hint} Options with a range are "
            f"{', '.join(SEARCHABLE)}."
        )
    if name in fixed:
        raise PolytagError(f"{name!r} has both a value and a range in [{TABLE}]. Leave one of them out.")


def _kinds(annotation: Any) -> set[type]:
    """The types in an annotation, apart from None."""
    inner = get_args(annotation)
    if not inner:
        return {annotation} - {NoneType} if isinstance(annotation, type) else set()
    return set().union(*map(_kinds, inner))


def _range(name: str, value: Any, kinds: set[type]) -> Range | tuple[Any, ...]:
    where = f"{name!r} in [{TABLE}]"
    if isinstance(value, list | tuple):
        if not value:
            raise PolytagError(f"{where} is an empty list. Name the values to try, or leave it out.")
        if wrong := [one for one in value if not isinstance(one, bool | int | float | str)]:
            raise PolytagError(f"{where} has the value {shorten(repr(wrong[0]))}, which is no number, text or boolean.")
        return tuple(dict.fromkeys(value))
    if not isinstance(value, Mapping):
        raise PolytagError(
            f"{where} is {shorten(repr(value))}, and not a range, as in {_FORMS}. One value for all runs stands above "
            f"[{TABLE}]."
        )
    if not kinds & {int, float}:
        raise PolytagError(f'{where} is a range of numbers, and its values are none. List them: ["a", "b"].')
    try:
        found = Range.model_validate(value)
    except ValidationError as error:
        raise PolytagError(f"{where} is no range: {_explained(error)}. Write it as in {_FORMS}.") from error
    if found.low >= found.high:
        relation = "above" if found.low > found.high else "equal to"
        raise PolytagError(f"{where} is an empty range: low ({found.low:g}) is {relation} high ({found.high:g}).")
    if found.log and found.low <= 0:
        raise PolytagError(f"{where} has a logarithmic scale, which begins above 0, and low is {found.low:g}.")
    if int in kinds and not (found.low.is_integer() and found.high.is_integer()):
        raise PolytagError(f"{where} has whole numbers only, and its range is {found.low:g} to {found.high:g}.")
    return found


def _explained(error: ValidationError) -> str:
    parts = []
    for problem in error.errors():
        key = problem["loc"][0]
        if problem["type"] == "missing":
            parts.append(f"{key!r} is missing")
        elif problem["type"] == "extra_forbidden":
            parts.append(f"{key!r} is none of {', '.join(Range.model_fields)}")
        else:
            message = problem["msg"].replace("Input should be", "it must be", 1)
            parts.append(f"{key!r} is {shorten(repr(problem['input']))}: {message}")
    return "; ".join(parts)


def _check_values(space: SearchSpace) -> None:
    """Check the ends of each range, and each listed value, as values of the option."""
    first: dict[str, Any] = {}
    ends: dict[str, list[Any]] = {}
    for name, found in space.ranges.items():
        values = [found.low, found.high] if isinstance(found, Range) else list(found)
        ends[name] = [int(value) if name in space.whole and isinstance(found, Range) else value for value in values]
        first[name] = ends[name][0]
    for name, values in ends.items():
        for value in values:
            space.config({**first, name: value}, Path("trial"))
