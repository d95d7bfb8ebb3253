"""All contracts, and a runner for the contracts of one plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from polytag.errors import UnknownNameError
from polytag.plugin.provenance import Plugin
from polytag.plugin.registry import registry
from polytag.testing import alignments, encoders, heads, metrics, plugins, readers, schemes, splitters, tasks
from polytag.testing.contracts import BrokenContractError, Contract, NotCheckableError, Workbench

CONTRACTS: tuple[Contract, ...] = (
    *schemes.CONTRACTS,
    *alignments.CONTRACTS,
    *metrics.CONTRACTS,
    *readers.CONTRACTS,
    *encoders.CONTRACTS,
    *splitters.CONTRACTS,
    *heads.CONTRACTS,
    *tasks.CONTRACTS,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One contract, for one contribution of a plugin."""

    contract: Contract
    name: str
    contribution: Any
    plugin: Plugin

    def __str__(self) -> str:
        return f"{self.contract.kind} {self.name}: {self.contract.promise}"

    def run(self, bench: Workbench) -> None:
        """Check the contract.

        Raises:
            BrokenContractError: It is broken; the message says how.
            NotCheckableError: The check needs something that is missing.
        """
        try:
            self.contract.check(self.contribution, bench)
        except NotCheckableError:
            raise
        except BrokenContractError as error:
            raise BrokenContractError(self._broken(str(error))) from None
        except Exception as error:
            raise BrokenContractError(self._broken(f"It raised {type(error).__name__}: {error}")) from error

    def _broken(self, how: str) -> str:
        source = self.plugin.source
        subject = source if self.contract.kind == "plugin" else f"{self.contract.kind} {self.name!r} of {source}"
        return f'The {subject} breaks the contract "{self.contract.promise}". {how}'


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a case; `message` says how the contract was broken, or what was missing to check it."""

    case: Case
    status: Literal["passed", "failed", "not checked"]
    message: str = ""


def cases(plugin: str) -> list[Case]:
    """All contracts of an installed plugin and of its contributions, the plugin's own first.

    For a plugin that is not loaded, only the contract that it can be loaded.

    Args:
        plugin: Name of its entry point.

    Raises:
        UnknownNameError: No plugin has this name.
    """
    known = registry()
    found = [each for each in known.manager.plugins if each.name == plugin]
    if not found:
        raise UnknownNameError("plugin", plugin, [each.name for each in known.manager.plugins])
    return [
        *(
            Case(contract, plugin, each, each)
            for each in found
            for contract in (plugins.CONTRACTS if each.status == "loaded" else plugins.CONTRACTS[:1])
        ),
        *(
            Case(contract, name, item, found[0])
            for kind in known.kinds
            for name, item in kind.offered_by(found[0]).items()
            for contract in CONTRACTS
            if contract.kind == kind.noun
        ),
    ]


def check(plugin: str, sources: Mapping[str, str | Path] | None = None) -> Iterator[Outcome]:
    """Run the cases of a plugin in order.

    Args:
        plugin: Name of its entry point.
        sources: Name of a reader -> a source for it; needed for readers that cannot write.

    Raises:
        UnknownNameError: No plugin has this name.
    """
    for case in cases(plugin):
        with tempfile.TemporaryDirectory(prefix="polytag-check-") as folder:
            try:
                case.run(Workbench(registry(), Path(folder), sources or {}))
            except BrokenContractError as error:
                yield Outcome(case, "failed", str(error))
            except NotCheckableError as missing:
                yield Outcome(case, "not checked", str(missing))
            else:
                yield Outcome(case, "passed")
