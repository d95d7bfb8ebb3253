"""Fixtures that all tests share."""

import os
import signal

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as in polytag.engine, also where a test imports TensorFlow first

from pathlib import Path

import pytest
from hypothesis import settings

import polytag
from polytag import terminal
from polytag.corpus.sample.reader import sample_sentences
from polytag.plugin import registry as registry_module
from polytag.plugin.registry import Registry

pytest_plugins = ["support.browser", "support.command", "support.rights", "support.shared"]

terminal.is_program = True  # most tests run commands: the engine is imported as it is for them

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The first example of a property may pay for an import.
settings.register_profile("polytag", deadline=None, max_examples=40)
settings.load_profile("polytag")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return registry_module.registry()


@pytest.fixture(scope="session")
def conll2003() -> Path:
    """The folder with the CoNLL-2003 files, which lies beside the checkout and is not part of it."""
    folder = Path(__file__).parents[2] / "shared/data/conll2003"
    if not folder.is_dir():
        pytest.skip(f"the CoNLL-2003 files are licensed and not in the repository; put them in {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder of column files in IOB1, as CoNLL-2003 has them: 64, 16 and 16 sentences."""
    folder = tmp_path_factory.mktemp("tiny")
    iob2, iob1 = registry.schemes["iob2"], registry.schemes["iob1"]
    for split, size in (("train", 64), ("valid", 16), ("test", 16)):
        lines, document = [], None
        for sentence in sample_sentences("validation" if split == "valid" else split)[:size]:
            if sentence.document != document:
                document = sentence.document
                lines += ["-DOCSTART- -X- -X- O", ""]
            tags = sentence.tags
            chunk, ner = (polytag.convert_tags(tags[name], iob2, iob1) for name in ("chunk_tags", "ner_tags"))
            lines += map(" ".join, zip(sentence.words, tags["pos_tags"], chunk, ner, strict=True))
            lines.append("")
        (folder / f"{split}.conll").write_text("\n".join(lines), encoding="utf-8")
    return folder
