"""Load the tokenizer of a Hugging Face checkpoint, and make a word coder from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polytag.encoding.coders import SubwordCoder
from polytag.errors import PolytagError

TOKENIZER_FILES = ("*.json", "*.txt", "*.model")
"""Patterns of the files of a checkpoint's tokenizer."""

_UNLIMITED = 100_000


def load_coder(folder: Path) -> SubwordCoder:
    """The word coder of a checkpoint; only its tokenizer is read.

    Raises:
        PolytagError: The checkpoint has no fast tokenizer.
    """
    tokenizer = load_tokenizer(folder)
    return SubwordCoder(tokenizer.backend_tokenizer, **coder_settings(tokenizer))


def coder_settings(tokenizer: Any, longest: int = _UNLIMITED) -> dict[str, Any]:
    """The arguments of `SubwordCoder` other than the tokenizer's backend.

    Args:
        tokenizer: A tokenizer from `load_tokenizer`.
        longest: Maximum number of subwords of the network's input, special tokens included.
    """
    backend = tokenizer.backend_tokenizer
    unknown = tokenizer.unk_token_id
    alone = backend.encode("a", add_special_tokens=True).ids
    plain = backend.encode("a", add_special_tokens=False).ids
    offset = next(i for i in range(len(alone)) if alone[i : i + len(plain)] == plain)
    before, after = alone[:offset], alone[offset + len(plain) :]
    longest = min(longest, max(tokenizer.model_max_length, 1), _UNLIMITED)
    return {
        "before": before,
        "after": after,
        "padding": tokenizer.pad_token_id or 0,
        "unknown": tokenizer.mask_token_id if unknown is None else unknown,
        "max_units": int(longest) - len(before) - len(after),
    }


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a checkpoint, configured for input that is already split into words.

    Raises:
        PolytagError: The checkpoint has none.
    """
    from transformers import AutoTokenizer

    refusal = (
        f"The checkpoint {str(folder)!r} has no fast tokenizer, and slow ones do not report which word a subword "
        "belongs to. Convert it where its slow tokenizer loads: AutoTokenizer.from_pretrained(...).save_pretrained(...)"
        " writes the tokenizer.json that is needed."
    )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if getattr(tokenizer, "is_fast", False) and _lacks_prefix_space(tokenizer.backend_tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise PolytagError(refusal) from error
    if not getattr(tokenizer, "is_fast", False):
        raise PolytagError(refusal)
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        # transformers makes an empty tokenizer if the checkpoint has no tokenizer files.
        raise PolytagError(
            f"The checkpoint {str(folder)!r} has no tokenizer: none of its files has a vocabulary. Download it again, "
            "or copy tokenizer.json from the checkpoint it was made from."
        )
    # Some checkpoints enable padding and truncation in tokenizer.json.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer


def _lacks_prefix_space(backend: Any) -> bool:
    """Whether a byte-level tokenizer would treat every word as a continuation of the previous one."""
    backend.no_padding()
    first = backend.encode("a", add_special_tokens=False).tokens
    later = backend.encode(" a", add_special_tokens=False).tokens
    return bool(first != later and later[0].startswith("Ġ"))
