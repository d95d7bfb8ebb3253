"""Contracts of a whole plugin."""

from __future__ import annotations

import json
import subprocess
import sys

from polytag.plugin import unpackaged
from polytag.plugin.provenance import Plugin
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

SLOW = (
    "datasets",
    "h5py",
    "huggingface_hub",
    "keras",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "seqeval",
    "spacy",
    "tensorflow",
    "torch",
    "transformers",
)
"""Packages that are slow to import."""

_REGISTER = """
import json, sys
from importlib.metadata import EntryPoint
sys.path[:], entry, environ, slow = map(json.loads, sys.argv[1:])
import polytag
from polytag.plugin.manager import PluginManager
from polytag.plugin.registry import Registry
manager = PluginManager([EntryPoint(*entry, "polytag")] if entry else [], environ)
Registry(manager)
assert not manager.problems, manager.problems[0].error
print(json.dumps(sorted(set(slow) & set(sys.modules))))
"""


def _loads(plugin: Plugin, bench: Workbench) -> None:
    if plugin.status != "loaded":
        raise BrokenContractError(f"It is {plugin.status}: {plugin.error}")


def _implements(plugin: Plugin, bench: Workbench) -> None:
    if not bench.registry.manager.implements(plugin):
        raise BrokenContractError(
            f"{plugin.module} implements no hook. Mark functions such as polytag_tasks with @polytag.hookimpl."
        )


def _has_names_of_its_own(plugin: Plugin, bench: Workbench) -> None:
    for kind in bench.registry.kinds:
        for name in kind.offered_by(plugin):
            if others := [other.source for other in kind.providers(name) if other is not plugin]:
                raise BrokenContractError(
                    f"Its {kind.noun} {name!r} has the name of one of {' and '.join(others)}. Choose another name; "
                    "for tasks, start with your own prefix, as in acme.skills."
                )


def _loads_quickly(plugin: Plugin, bench: Workbench) -> None:
    is_file = plugin.named_in == unpackaged.VARIABLE
    entry = None if is_file else (plugin.name, plugin.module)
    environ = {unpackaged.VARIABLE: plugin.distribution} if is_file else {}
    arguments = map(json.dumps, (sys.path, entry, environ, SLOW))
    done = subprocess.run([sys.executable, "-c", _REGISTER, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BrokenContractError(f"It cannot be loaded in a new process: {done.stderr.strip().splitlines()[-1]}")
    if loaded := json.loads(done.stdout.splitlines()[-1]):
        raise BrokenContractError(
            f"Registering it imports {', '.join(loaded)}, and every `polytag tasks` waits for that. Import such "
            "packages inside the functions that need them."
        )


CONTRACTS = (
    Contract("plugin", "it can be loaded", _loads),
    Contract("plugin", "it implements a hook", _implements),
    Contract("plugin", "its names are unique", _has_names_of_its_own),
    Contract("plugin", "registering it imports nothing slow", _loads_quickly),
)
