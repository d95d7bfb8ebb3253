"""Load the tokenizer of a Hugging Face checkpoint, and make a word coder from it.

tokenizer.json is read by `tokenizers` alone. transformers, which takes seconds to import, is needed only to convert the
tokenizer of a checkpoint without that file.

Where the two differ, tokenizer.json counts. transformers 5 takes only the vocabulary from it for the classes of these
families, and builds the other parts as it did when a class was written. For most checkpoints that gives the same. It
drops the Unicode normalisation of a tokenizer.json that transformers 4 wrote for DeBERTa-v3, or that a user defined.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from polytag.encoding.checkpoint import is_file, read_config, read_file, read_object
from polytag.encoding.coders import UNITS_FILE, SubwordCoder, without_panics
from polytag.encoding.families import longest_input
from polytag.errors import PolytagError, in_brief, shorten

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_FILES = ("*.json", "*.txt", "*.model")
"""Patterns of the files of a checkpoint's tokenizer."""

_TOKENIZER, _SETTINGS, _SPECIAL = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
_KEPT = (
    *(_SPECIAL, "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt"),
    *("spiece.model", "sentencepiece.bpe.model", "spm.model"),
)
"""Files that tokenizers in Python read; a tagger has a copy of them."""

SAVED_FILES = (_TOKENIZER, _SETTINGS, *_KEPT)
"""The files of a tokenizer that a tagger can have."""

_NAMELESS_CLASSES = ("PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend", "TokenizersBackend")
"""Classes of transformers that take tokenizer.json as it is; the others put settings over it."""

_NORMALIZER = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
"""Setting -> attribute of BERT's normalizer."""

_USUAL = {"unk": ("[UNK]", "<unk>"), "pad": ("[PAD]", "<pad>"), "mask": ("[MASK]", "<mask>")}
"""Special tokens of checkpoints that do not name them."""

_ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
_SPACE = "Ġ"
"""What byte-level tokenizers write for a space."""

_RARE = "\U00016f00"
"""A letter, of the Miao script, that is in hardly any vocabulary."""

_UNLIMITED = 100_000


class CheckpointTokenizer:
    """A checkpoint's tokenizer, read completely: its folder may change afterwards.

    Args:
        folder: The checkpoint; has tokenizer.json.
        reference: Name of the checkpoint, for messages.

    Attributes:
        backend: Encodes each word as after a space, without padding and truncation.

    Raises:
        PolytagError: A file cannot be read, or is damaged.
    """

    @without_panics
    def __init__(self, folder: Path, reference: str) -> None:
        self._reference = reference
        self.backend = self._read_backend(folder / _TOKENIZER)
        # Some checkpoints enable padding and truncation in tokenizer.json.
        self.backend.no_padding()
        self.backend.no_truncation()
        settings = read_object(folder / _SETTINGS) if is_file(folder / _SETTINGS) else {}
        # These would make transformers run code, or read other files than the tagger has.
        self._settings = {name: settings[name] for name in settings if name not in ("auto_map", "fast_tokenizer_files")}
        self._files = {name: read_file(folder / name) for name in _KEPT if is_file(folder / name)}
        self._special = self._special_tokens(folder / _SPECIAL)
        self._follow_settings()

    @without_panics
    def coder_settings(self, longest: int = _UNLIMITED) -> dict[str, Any]:
        """The arguments of `SubwordCoder` other than the backend.

        Args:
            longest: Maximum number of subwords of the network's input, special tokens included.

        Raises:
            PolytagError: The tokenizer's own maximum is not a number.
        """
        before, after = self._around()
        longest = min(longest, self._longest(), _UNLIMITED) - len(before) - len(after)
        if longest < 1:
            raise self._damaged("model_max_length", self._longest())
        unknown, padding, mask = map(self._id_of, ("unk", "pad", "mask"))
        padding = padding or 0
        unknown = mask if unknown is None else unknown
        return {
            "before": before,
            "after": after,
            "padding": padding,
            "unknown": padding if unknown is None else unknown,
            "max_units": longest,
        }

    def check_ids(self, rows: int) -> None:
        """Check that the network has an embedding for each subword.

        Args:
            rows: Number of its embeddings.

        Raises:
            PolytagError: It has too few.
        """
        if (highest := max(self.backend.get_vocab().values(), default=0)) >= rows:
            raise PolytagError(
                f"The tokenizer of the checkpoint {self._reference!r} has ids up to {highest}, and its network has "
                f"{rows} embeddings: they do not belong together. Download the checkpoint again."
            )

    def _around(self) -> tuple[list[int], list[int]]:
        """The special tokens before and after a sentence."""
        for word in chain(("a",), self._words()):
            alone = self.backend.encode(word, add_special_tokens=True).ids
            plain = self.backend.encode(word, add_special_tokens=False).ids
            for at in range(len(alone) if plain else 0):
                if alone[at : at + len(plain)] == plain:
                    return alone[:at], alone[at + len(plain) :]
        raise self._damaged("the post-processor", "unusable")

    def _words(self) -> Iterator[str]:
        yield from self.backend.get_vocab()

    def save(self, folder: Path) -> None:
        """Write the files of a checkpoint's tokenizer; transformers makes the same subwords from them."""
        # By Python, which says in an OSError that the disk is full: `Tokenizer.save` raises a bare Exception.
        (folder / _TOKENIZER).write_text(self.backend.to_str(pretty=True), encoding="utf-8")
        settings = json.dumps(self._settings, indent=2) + "\n"
        (folder / _SETTINGS).write_text(settings, encoding="utf-8")
        for name, content in self._files.items():
            (folder / name).write_bytes(content)

    def _read_backend(self, path: Path) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            backend = Tokenizer.from_buffer(read_file(path))
            backend.encode(_RARE, add_special_tokens=False)  # fails if the model names an unknown token that it lacks
            return backend
        except PolytagError:
            raise
        except Exception as error:  # tokenizers raises Exception itself
            raise PolytagError(
                f"The checkpoint {self._reference!r} has no fast tokenizer: its {_TOKENIZER} is damaged "
                f"({in_brief(error)}). Download it again."
            ) from error

    def _special_tokens(self, path: Path) -> dict[str, str]:
        """Role -> token, of those that the checkpoint names."""
        named = self._settings
        if "added_tokens_decoder" not in named and is_file(path):  # as in transformers
            named = named | read_object(path)
        found = {role: named.get(f"{role}_token") for role in _ROLES}
        tokens = {role: token.get("content") if isinstance(token, dict) else token for role, token in found.items()}
        named = {role: token for role, token in tokens.items() if isinstance(token, str)}
        for role, token in named.items():
            if any("\ud800" <= character <= "\udfff" for character in token):  # half a surrogate
                raise self._damaged(f"{role}_token", token)
        return named

    def _follow_settings(self) -> None:
        """Put the settings over the backend as transformers does, and complete them, so that it does the same again."""
        from tokenizers import AddedToken
        from tokenizers.normalizers import BertNormalizer

        known = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        wanted = [token for token in self._special.values() if self.backend.token_to_id(token) is not None]
        self.backend.add_special_tokens([AddedToken(token, special=True) for token in wanted if token not in known])
        normalizer = self.backend.normalizer
        if isinstance(normalizer, BertNormalizer):
            for name, attribute in _NORMALIZER.items():
                own = getattr(normalizer, attribute)
                value = self._settings.get(name, own)
                if self._settings.get("tokenizer_class") in _NAMELESS_CLASSES:
                    value = own
                if not isinstance(value, bool) and (value is not None or name != "strip_accents"):
                    raise self._damaged(name, value)
                setattr(normalizer, attribute, value)
                self._settings[name] = value
        if _lacks_prefix_space(self.backend):
            _add_prefix_space(self.backend)
            self._settings["add_prefix_space"] = True

    def _id_of(self, role: str) -> int | None:
        """The id of a special token."""
        tokens = [self._special[role]] if role in self._special else _USUAL[role]
        ids = (self.backend.token_to_id(token) for token in tokens)
        return next((found for found in ids if found is not None), None)

    def _longest(self) -> int:
        longest = self._settings.get("model_max_length", self._settings.get("max_len")) or _UNLIMITED
        if isinstance(longest, bool) or not isinstance(longest, int | float) or not longest > 0:
            raise self._damaged("model_max_length", longest)
        return int(min(longest, _UNLIMITED))

    def _damaged(self, name: str, value: Any) -> PolytagError:
        return PolytagError(
            f"The {_SETTINGS} of the checkpoint {self._reference!r} is damaged: {name} is {shorten(repr(value))}. "
            "Download it again."
        )


def load_tokenizer(folder: Path) -> CheckpointTokenizer:
    """The tokenizer of a checkpoint, or of the folder of a tagger; transformers converts it if it is no fast one.

    Raises:
        PolytagError: The checkpoint has none, or a damaged one.
    """
    if is_file(folder / _TOKENIZER):
        tokenizer = CheckpointTokenizer(folder, str(folder))
    else:
        with TemporaryDirectory() as name:
            _convert(folder, Path(name))
            tokenizer = CheckpointTokenizer(Path(name), str(folder))
    added = tokenizer.backend.get_added_tokens_decoder().values()
    if set(tokenizer.backend.get_vocab()) <= {token.content for token in added if token.special}:
        # transformers makes an empty tokenizer if the checkpoint has no tokenizer files.
        raise PolytagError(
            f"The checkpoint {str(folder)!r} has no tokenizer: none of its files has a vocabulary. Download it again, "
            "or copy tokenizer.json from the checkpoint it was made from."
        )
    return tokenizer


def load_coder(folder: Path, longest: int = _UNLIMITED) -> SubwordCoder:
    """The word coder of a checkpoint; only its tokenizer is read.

    Args:
        folder: The checkpoint.
        longest: Maximum number of subwords of the network's input, special tokens included.

    Raises:
        PolytagError: The checkpoint has no fast tokenizer.
    """
    tokenizer = load_tokenizer(folder)
    return SubwordCoder(tokenizer.backend, **tokenizer.coder_settings(longest))


def restore_coder(folder: Path) -> SubwordCoder:
    """The word coder of an export, or of a tagger's folder.

    Raises:
        PolytagError: A file is missing or damaged.
    """
    if is_file(folder / UNITS_FILE):
        return SubwordCoder.load(folder)
    return load_coder(folder, longest_input(read_config(folder)))


def _convert(folder: Path, target: Path) -> None:
    """Let transformers convert a tokenizer that has no tokenizer.json.

    Raises:
        PolytagError: It cannot, or would have to run code of the checkpoint.
    """
    _refuse_code(folder)
    refusal = (
        f"The checkpoint {str(folder)!r} has no fast tokenizer, and slow ones do not report which word a subword "
        "belongs to. Convert it where its slow tokenizer loads: AutoTokenizer.from_pretrained(...).save_pretrained(...)"
        " writes the tokenizer.json that is needed."
    )
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise PolytagError(refusal) from error
    except Exception as error:  # tokenizers raises Exception itself
        raise PolytagError(
            f"The checkpoint {str(folder)!r} has a damaged tokenizer: {in_brief(error)}. Download it again."
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise PolytagError(refusal)
    tokenizer.save_pretrained(target)


def _refuse_code(folder: Path) -> None:
    """Refuse what leads transformers to code, or to configurations that could name it."""
    for file, field in ((_SETTINGS, "auto_map"), ("config.json", "configuration_files")):
        if is_file(folder / file) and field in read_object(folder / file):
            raise PolytagError(
                f"The checkpoint {str(folder)!r} has no tokenizer.json, and cannot be converted: its {file} has the "
                f"field {field!r}, which can lead to code, and polytag runs no code of a checkpoint. If you trust it, "
                "convert it with transformers: AutoTokenizer.from_pretrained(..., trust_remote_code=True)."
                "save_pretrained(...) writes the tokenizer.json that is needed."
            )


def _lacks_prefix_space(backend: Tokenizer) -> bool:
    """Whether a byte-level tokenizer would treat every word as a continuation of the previous one."""
    alone, later = ("".join(backend.encode(text, add_special_tokens=False).tokens) for text in ("a", " a"))
    return later.startswith(_SPACE) and not alone.startswith(_SPACE)


def _add_prefix_space(backend: Tokenizer) -> None:
    """Let a byte-level tokenizer encode each word as after a space."""
    from tokenizers import normalizers
    from tokenizers.pre_tokenizers import ByteLevel, Sequence

    first = backend.pre_tokenizer
    if isinstance(first, Sequence):
        first = first[0]
    if isinstance(first, ByteLevel):
        first.add_prefix_space = True
        return
    # After another step, each of its pieces would get a space, not each word.
    steps = [backend.normalizer] if backend.normalizer else []
    backend.normalizer = normalizers.Sequence([*steps, normalizers.Prepend(" ")])
