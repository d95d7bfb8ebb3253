"""The word coders of the two encoders, which turn words into units without TensorFlow."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ContextDecorator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.checkpoint import is_file, read_file
from polytag.encoding.json_values import read_json
from polytag.encoding.word_hashes import HASHES, ROWS, hash_word
from polytag.errors import TaggerError, in_brief, shorten
from polytag.plugin.encoder import Units, UnreadWords, WordCoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from polytag.encoding.word_vectors import VectorWords

BLOCKS, WINDOW = 4, 3
"""Number and width of the convolutions of `compact`; their reach is the overlap of windows of long sentences."""

N_HASHES = HASHES * len(ROWS)
"""Number of hashed features of a word."""

_CACHED_WORDS = 500_000
UNITS_FILE = "units.json"
"""The settings of an export's word coder."""

_UNIT_SETTINGS = {"before": 0, "after": 0, "padding": 0, "unknown": 0, "max_units": 1}
"""The smallest value of each."""

_LARGEST = 2**31
_AGAIN = "Export the tagger again."


class HashCoder(WordCoder):
    """Words as units of their own, hashed into rows of an embedding table.

    Args:
        vectors: The words that also have vectors; None for hashes alone.
    """

    unit: ClassVar[str] = "word"
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    padding = 0
    max_units = 512
    # Words beyond the reach of the convolutions do not change a word's vector.
    overlap = BLOCKS * (WINDOW // 2)

    def __init__(self, vectors: VectorWords | None = None) -> None:
        self._rows: dict[str, bytes] = {}
        self.words_with_vectors = vectors
        self.n_features = N_HASHES + (vectors.parts if vectors else 0)

    def encode(self, words: Sequence[str]) -> Units:
        """One unit per word: int32 (words, 10) rows of the embedding table, and after them rows of the vectors."""
        if len(self._rows) > _CACHED_WORDS:
            self._rows = {}  # not cleared: another thread may be reading it
        known = self._rows
        new = dict.fromkeys(word for word in words if word not in known)  # a difference of sets would look at all
        vectors = self.words_with_vectors
        found = vectors.find(list(new)) if vectors and new else [()] * len(new)
        pack = struct.Struct(f"{self.n_features}i").pack  # takes a third of the time of an array
        for word, others in zip(new, found, strict=True):
            known[word] = pack(*hash_word(word), *others)
        # Bytes are joined faster than lists of numbers become arrays.
        rows = np.frombuffer(bytearray().join(map(known.__getitem__, words)), dtype=np.int32)
        return Units(rows.reshape(-1, self.n_features), np.ones(len(words), dtype=np.int32))

    def unread(self, words: Sequence[str]) -> UnreadWords:
        """None of them: every word has its hashes."""
        return UnreadWords(set(), set())

    def save_coder(self, folder: Path) -> None:
        """Write the words that have vectors; hashes need no vocabulary."""
        if self.words_with_vectors:
            self.words_with_vectors.save(folder)


class _WithoutPanics(ContextDecorator):
    """A block, or a function, that calls `tokenizers`: its panics, which are no `Exception`, become errors.

    tokenizers checks a tokenizer.json only in part: an id that its post-processor lacks is a panic where it is used.

    Raises:
        TaggerError: The library panicked.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if kind is not None and kind.__name__ == "PanicException":
            raise TaggerError(
                f"The tokenizer.json is damaged: the library that reads it stops with {in_brief(error)!r}. Download or "
                "train it again."
            ) from error
        return False


without_panics = _WithoutPanics()


class SubwordCoder(WordCoder):
    """Words split into the subwords of a tokenizer.

    Args:
        backend: A fast tokenizer, without truncation and padding.
        before, after: Ids of its special tokens around a sentence.
        padding: Id of its padding token.
        unknown: Id for words that tokenise to nothing.
        max_units: Maximum number of subwords per window, without special tokens.
    """

    unit: ClassVar[str] = "subword"
    n_features = 1
    overlap = 64

    def __init__(
        self,
        backend: Tokenizer,
        before: Sequence[int],
        after: Sequence[int],
        padding: int,
        unknown: int,
        max_units: int,
    ) -> None:
        self._backend = backend
        self.before, self.after = tuple(before), tuple(after)
        self.padding = padding
        self._unknown = unknown
        self.max_units = max_units
        self._pieces: dict[str, list[int]] = {}

    @classmethod
    @without_panics
    def load(cls, folder: Path) -> SubwordCoder:
        """Load the files that `save_coder` wrote.

        Raises:
            TaggerError: A file is missing or damaged.
        """
        from tokenizers import Tokenizer

        settings = read_json(folder / UNITS_FILE, _AGAIN, TaggerError)
        for name, smallest in _UNIT_SETTINGS.items():
            value = settings.get(name)
            numbers = value if isinstance(value, list) and name in ("before", "after") else [value]
            if not all(type(number) is int and smallest <= number < _LARGEST for number in numbers):
                raise TaggerError(f"{folder / UNITS_FILE} is damaged: {name} is {shorten(repr(value))}. {_AGAIN}")
        path = folder / "tokenizer.json"
        if not is_file(path):  # a pipe would never end
            raise TaggerError(f"{folder} lacks a complete tokenizer.json: it has no such file. {_AGAIN}")
        content = read_file(path)
        try:
            backend = Tokenizer.from_buffer(content)
        except Exception as error:  # tokenizers raises Exception itself
            raise TaggerError(f"{folder} lacks a complete tokenizer.json: {in_brief(error)}. {_AGAIN}") from error
        return cls(backend, **{name: settings[name] for name in _UNIT_SETTINGS})

    def encode(self, words: Sequence[str]) -> Units:
        """Subwords of words: int32 (subwords, 1). Each distinct word is tokenised once.

        Tokenizers split a list of words one word at a time, so a word's subwords do not depend on its neighbours. A
        word that tokenises to nothing gets the unknown token; a word longer than a window is truncated to fit.
        """
        known = self._learned(words)
        order = {word: number for number, word in enumerate(dict.fromkeys(words))}
        index = np.fromiter(map(order.__getitem__, words), dtype=np.int64, count=len(words))
        distinct = [known[word] for word in order]
        lengths = np.fromiter(map(len, distinct), dtype=np.int64, count=len(distinct))
        starts = np.cumsum(lengths) - lengths
        pool = np.fromiter((i for pieces in distinct for i in pieces), dtype=np.int32, count=int(lengths.sum()))
        counts = lengths[index]
        begins = np.cumsum(counts) - counts
        rows = np.repeat(starts[index] - begins, counts) + np.arange(int(counts.sum()))
        return Units(pool[rows][:, None], counts.astype(np.int32))

    @property
    def n_subwords(self) -> int:
        """The number of ids of subwords."""
        return max(self._backend.get_vocab().values(), default=0) + 1

    def texts(self, ids: NDArray[np.int32]) -> list[str]:
        """The subwords, as the tokenizer writes them; the id of one that its vocabulary lacks."""
        names = map(self._backend.id_to_token, ids[:, 0].tolist())
        return [str(number) if name is None else name for name, number in zip(names, ids[:, 0].tolist(), strict=True)]

    def unread(self, words: Sequence[str]) -> UnreadWords:
        """The words without a subword, and those with no other than the one for what is unknown."""
        ids = {word: set(found) for word, found in self._tokenised(list(dict.fromkeys(words)))}
        return UnreadWords(
            {word for word, found in ids.items() if not found},
            {word for word, found in ids.items() if found == {self._unknown}},
        )

    def save_coder(self, folder: Path) -> None:
        """Write the tokenizer, and the other arguments of `__init__`."""
        (folder / "tokenizer.json").write_text(self._backend.to_str(), encoding="utf-8")
        settings = {
            "before": self.before,
            "after": self.after,
            "padding": self.padding,
            "unknown": self._unknown,
            "max_units": self.max_units,
        }
        (folder / UNITS_FILE).write_text(json.dumps(settings) + "\n", encoding="utf-8")

    def _learned(self, words: Iterable[str]) -> dict[str, list[int]]:
        """The subwords of these words, and of others."""
        if len(self._pieces) > _CACHED_WORDS:
            self._pieces = {}  # not cleared: another thread may be reading it
        known = self._pieces
        new = list(dict.fromkeys(word for word in words if word not in known))
        for word, ids in self._tokenised(new):
            known[word] = ids[: self.max_units] or [self._unknown]
        return known

    def _tokenised(self, words: list[str]) -> Iterator[tuple[str, list[int]]]:
        texts = [word.encode("utf-8", "replace").decode("utf-8") for word in words]  # no lone surrogates
        with without_panics:
            encoded = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        for word, encoding in zip(words, encoded, strict=True):
            yield word, encoding.ids
