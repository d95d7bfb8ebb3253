"""The suite as a test class for plugin authors to inherit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from polytag.plugin.registry import registry
from polytag.testing.contracts import NotCheckableError, Workbench
from polytag.testing.suite import Case, cases


class PluginConformance:
    """Inherit this under a name that starts with `Test`, and set `plugin`.

    Attributes:
        plugin: Name of the entry point; the distribution must be installed, for instance by `pip install -e .`.
        sources: Name of a reader -> a source to try it with, instead of one that it writes; needed for readers that
            cannot write.
        encoders: Name of an encoder provider -> the argument of `--encoder`; needed for providers of checkpoints.
    """

    plugin: ClassVar[str]
    sources: Mapping[str, str | Path] = {}
    encoders: Mapping[str, str | Path] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each contract of each contribution."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", cases(self.plugin), ids=str)

    def test_contract(self, case: Case, tmp_path: Path) -> None:
        """The contribution keeps the contract."""
        import pytest

        try:
            case.run(Workbench(registry(), tmp_path, self.sources, self.encoders))
        except NotCheckableError as missing:
            pytest.skip(str(missing))
