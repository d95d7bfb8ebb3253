"""The taggers that a server has: their names, loading, warm-up, and exchange for newer ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from polytag.errors import PolytagError, suggest
from polytag.files import expand_home, path_exists
from polytag.hub import tagger_folder
from polytag.plugin.registry import registry
from polytag.serving.batching import Batcher, Observer
from polytag.tagger.description import FILE, open_folder
from polytag.tagger.marks import colours
from polytag.tagger.runtimes import choose_runtime
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding

_WARM_UP = ("Anna met Peter in Rome.", "It rained.")


@dataclass(frozen=True, slots=True)
class Loading:
    """Arguments of loading, as in `Tagger.load`."""

    decoding: str | None = None
    min_score: float = 0.0
    task: str | None = None
    labels: LabelNames | None = None
    runtime: str | None = None


class Queueing(NamedTuple):
    """Bounds of a queue, as in `Batcher`."""

    requests: int
    characters: int
    together: bool = True


_Identity = tuple[str, frozenset[tuple[str, int, int, int, int]]]
"""A folder, and of each of its files the name, mode, number, size and time: changes when a tagger is replaced."""


class ServedModel:
    """A tagger with a name, and the queue of those who wait for it.

    Args:
        name: The name.
        source: A tagger, or the folder of one, or its name on the hub.
        loading: How it is loaded.
        queueing: How requests wait.
        observer: Is told about batches.
    """

    def __init__(
        self,
        name: str,
        source: Tagger | str | Path,
        loading: Loading,
        queueing: Queueing,
        observer: Observer | None = None,
    ) -> None:
        self.name = name
        self._source, self._loading, self._queueing, self._observer = source, loading, queueing, observer
        self._lock = threading.Lock()
        self._batcher: Batcher | None = None
        self._identity: _Identity | None = None
        self._versions: WeakKeyDictionary[Tagger, str] = WeakKeyDictionary()
        self.problem: PolytagError | None = None
        self.runtime = source.runtime if isinstance(source, Tagger) else ""

    def check(self) -> None:
        """Find the folder and the runtime, so that a bad tagger is known before slow work.

        Raises:
            PolytagError: There is no tagger, or it cannot run here.
        """
        if not isinstance(self._source, Tagger):
            folder, description = open_folder(self._source, self._loading.task, self._loading.labels)
            self.runtime = choose_runtime(folder, description, self._loading.runtime)

    @property
    def is_ready(self) -> bool:
        """Whether the tagger is loaded and has tagged something."""
        return self._batcher is not None

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return self._batcher.waiting if self._batcher else 0

    def seconds_to_wait(self) -> int:
        """When to try again if the queue is full; else 0."""
        return self._batcher.seconds_to_wait() if self._batcher else 0

    @property
    def batcher(self) -> Batcher:
        """The queue; the tagger is loaded if that has not happened yet.

        Raises:
            PolytagError: The tagger cannot be loaded.
        """
        if self._batcher is None:
            self.load()
        assert self._batcher is not None
        return self._batcher

    @property
    def tagger(self) -> Tagger:
        """The tagger, as `batcher`."""
        return self.batcher.tagger

    def version(self, tagger: Tagger | None = None) -> str:
        """The name, with what changes when the tagger in the folder is another one.

        Args:
            tagger: A tagger that the model has, or had until it was loaded again; None for the one it has.
        """
        version = self._versions.get(tagger or self.tagger)
        return f"{self.name}@{version}" if version else self.name

    def load(self) -> None:
        """Load the tagger and warm it up, if that has not happened yet.

        Raises:
            PolytagError: The tagger cannot be loaded.
        """
        with self._lock:
            if self._batcher is None:
                identity = self._identity_now()
                tagger = self._warm_tagger()
                self.runtime, self._identity = tagger.runtime, identity
                self._batcher = Batcher(tagger, *self._queueing, observer=self._observer)

    def reload(self, even_if_unchanged: bool = False) -> bool:
        """Load the tagger again if its folder has changed, and use it from the next batch on.

        Returns:
            Whether there is a new tagger. If it cannot be loaded, the old one stays, and `problem` tells why.

        Raises:
            Exception: It cannot be loaded because of a defect; the old one stays.
        """
        if isinstance(self._source, Tagger) or self._batcher is None:
            return False
        with self._lock:
            identity = self._identity_now()
            if identity == self._identity and not even_if_unchanged:
                return False
            try:
                tagger = self._warm_tagger()
            except Exception as error:
                if identity != self._identity_now():
                    return False  # it is still being written
                self._identity = identity  # one that is damaged is not tried again until it changes
                if not isinstance(error, PolytagError):
                    raise
                self.problem = error
                return False
            if identity != self._identity_now():
                return False
            self.runtime, self._identity, self.problem = tagger.runtime, identity, None
            self._batcher.tagger = tagger
            return True

    def stop(self, seconds: float | None = None) -> None:
        """Take no more requests, and wait until those that were accepted are answered."""
        if self._batcher:
            self._batcher.stop(seconds)

    def resume(self) -> None:
        """Take requests again after `stop`."""
        with self._lock:
            if self._batcher:
                self._batcher = Batcher(self._batcher.tagger, *self._queueing, observer=self._observer)

    def _identity_now(self) -> _Identity | None:
        try:
            if isinstance(self._source, Tagger) or not path_exists(expand_home(self._source)):
                return self._identity  # one of the hub stays what it is until SIGHUP; a folder is being replaced
            folder = tagger_folder(self._source).resolve()
            files = [(path, path.stat()) for path in folder.rglob("*") if path.is_file()]
        except (OSError, PolytagError):
            return self._identity
        found = ((str(path), about.st_mode, about.st_ino, about.st_size, about.st_mtime_ns) for path, about in files)
        return str(folder), frozenset(found)

    def _warm_tagger(self) -> Tagger:
        if isinstance(self._source, Tagger):
            tagger = self._source
        else:
            kind = self._loading
            version = _version(self._source)
            tagger = Tagger.load(self._source, kind.decoding, kind.min_score, kind.task, kind.labels, kind.runtime)
            self._versions[tagger] = version
        for _ in tagger.stream(_WARM_UP):
            pass
        return tagger

    def labels(self) -> dict[str, list[str]]:
        """For each task the labels of its spans, or its tags if it has no spans."""
        return {task: list(decoder.shown_labels) for task, decoder in self.tagger.decoders.items()}

    def describe(self) -> dict[str, Any]:
        """Facts about the tagger for clients, as plain data."""
        tagger = self.tagger
        known = registry().tasks
        tasks = []
        for name, labels in self.labels().items():
            own = known[name] if name in known else None  # noqa: SIM401  # a registry's `get` raises an error
            decoder = tagger.decoders[name]
            tasks.append(
                {
                    "name": name,
                    "summary": own.summary if own else "",
                    "scheme": decoder.head.scheme,
                    "spans": decoder.scheme.encodes_spans,
                    "labels": labels,
                    "colours": colours(labels),
                    "examples": list(own.examples) if own else [],
                }
            )
        return {
            "name": self.name,
            "runtime": tagger.runtime,
            "splitter": tagger.splitter,
            "context": tagger.context,
            "tasks": tasks,
        }


def _version(source: str | Path) -> str:
    """A hash of the file that is written anew with each tagger, which has a fingerprint of the weights; "" if none."""
    folder = tagger_folder(source)
    found = (path for path in (folder / FILE, folder / "config.json") if path.is_file())
    return next((sha256(path.read_bytes()).hexdigest()[:8] for path in found), "")


def served_models(
    taggers: Tagger | str | Path | Mapping[str, Tagger | str | Path] | Sequence[str | Path],
    loading: Loading,
    queueing: Queueing,
    observer: Callable[[str], Observer],
) -> dict[str, ServedModel]:
    """Models by their names.

    Args:
        taggers: A tagger, its folder or its name on the hub; several by name; or a list of folders, each by itself
            or as `NAME=FOLDER`. The name of a folder is its last part.
        loading: How they are loaded.
        queueing: How requests wait.
        observer: For the name of a model, who is told about its batches.

    Raises:
        PolytagError: There is none, or two have the same name.
    """
    found: dict[str, ServedModel] = {}
    check_decoding(loading.decoding)
    for name, source in _named(taggers):
        if not name or "/" in name or not name.isprintable():
            raise PolytagError(f"{name!r} cannot be the name of a model in an address. Name it: NAME=TAGGER")
        if name in found:
            raise PolytagError(f"Two taggers have the name {name!r}. Name one of them differently: NAME=TAGGER")
        found[name] = ServedModel(name, source, loading, queueing, observer(name))
    if not found:
        raise PolytagError("There is no tagger to serve. Name its folder: polytag serve TAGGER")
    return found


def _named(
    taggers: Tagger | str | Path | Mapping[str, Tagger | str | Path] | Sequence[str | Path],
) -> Iterator[tuple[str, Tagger | str | Path]]:
    if isinstance(taggers, Mapping):
        yield from taggers.items()
        return
    if isinstance(taggers, Tagger):
        yield "tagger", taggers
        return
    for source in [taggers] if isinstance(taggers, str | Path) else taggers:
        name, equals, folder = str(source).partition("=")
        if equals and "/" not in name and not Path(str(source)).exists():
            yield name, folder
        else:
            path = str(source).rstrip("/").partition("@")[0]
            yield Path(path).resolve().name if Path(path).exists() else path.rpartition("/")[2], source


def find_model(models: Mapping[str, ServedModel], name: str | None) -> ServedModel:
    """The model of this name; the first one if no name is given.

    Raises:
        LookupError: No model has the name.
    """
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise LookupError(f"There is no model named {name[:80]!r}.{suggest(name, models, 'model')}")
    return models[name]
