"""Make the vectors of words of a run: from a file, or with a pretrained encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from polytag import hub
from polytag.encoding.coders import SubwordCoder
from polytag.encoding.word_vectors import VectorWords, WordVectors
from polytag.errors import PolytagError
from polytag.files import expand_home, path_exists
from polytag.plugin.encoder_choice import choose_encoder, make_encoder
from polytag.plugin.reporter import Reporter
from polytag.terminal import stage
from polytag.training.vector_files import read_vectors

WIDTH = 128
"""Vectors that are wider are reduced to this width."""

DEVIATION = 0.3
"""Standard deviation of the numbers in vectors: about the same as in the embeddings of hashed features."""

_ENDINGS = (".txt", ".vec", ".bin", ".gz", ".floret", ".w2v")


def make_vectors(
    reference: str, sentences: Iterable[Sequence[str]], most_frequent: int, reporter: Reporter
) -> WordVectors:
    """The vectors of words that `--vectors` names.

    Args:
        reference: A file of vectors, or the folder or name of a pretrained checkpoint.
        sentences: The words to train on.
        most_frequent: Number of first words of a file to keep in addition to those.
        reporter: Receives the number of words.

    Raises:
        PolytagError: The file cannot be read or is malformed, or the checkpoint cannot be loaded or has no subwords.
    """
    path = expand_home(reference)
    if not path_exists(path) or path.is_dir():
        return _of_checkpoint(reference, reporter)
    words = {word for sentence in sentences for word in sentence}
    stage(f"Reading {reference}")
    found = read_vectors(path, words, most_frequent, _progress(f"Reading {reference}"))
    lookup = VectorWords(reference, found.words, min(found.vectors.shape[1], WIDTH))
    known = set(found.words)
    n_known = sum(word in known or word.lower() in known for word in words)
    reporter.message(
        f"{reference} ({found.form}): vectors of {n_known:,} of the {len(words):,} words of the training data, "
        f"{len(known):,} in all"
    )
    return _made(lookup, found.vectors)


def check_reference(reference: str) -> None:
    """Check that `--vectors` names a file, a folder, or what can be a checkpoint on the hub.

    Raises:
        PolytagError: It names a file that does not exist.
    """
    path = expand_home(reference)
    if not path_exists(path) and (path.suffix.lower() in _ENDINGS or not hub.is_model_name(reference)):
        raise PolytagError(f"The file of vectors {reference!r} does not exist. Check the path.")


def reduced(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Vectors, float32 (n, columns), on their first principal components: (n, width), or unchanged if not wider."""
    if vectors.shape[1] <= width:
        return vectors
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    axes = axes[:, ::-1][:, :width]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(width)])  # of two directions, always the same
    found: NDArray[np.float32] = centred @ axes.astype(np.float32)
    return found


def _of_checkpoint(reference: str, reporter: Reporter) -> WordVectors:
    """The vectors of all subwords of a checkpoint; the vector of a word is the mean of its subwords' vectors."""
    from polytag.engine.encoders.pretrained import PretrainedEncoder

    stage(f"Loading {reference}")
    provider = choose_encoder(reference)
    encoder = make_encoder(provider, lambda: provider.create(reference))
    if not isinstance(encoder, PretrainedEncoder):
        raise PolytagError(
            f"--vectors takes a file of vectors or a pretrained checkpoint, and {reference!r} is neither. Choose "
            "another."
        )
    n_subwords = encoder.n_subwords
    embeddings = encoder.embeddings[:n_subwords]
    with TemporaryDirectory() as name:
        encoder.save_coder(Path(name))
        subwords = SubwordCoder.load(Path(name))
    lookup = VectorWords(reference, (), min(embeddings.shape[1], WIDTH), subwords, n_subwords)
    reporter.message(f"{reference}: vectors of {n_subwords:,} subwords; all words are made of these")
    return _made(lookup, embeddings)


def _made(lookup: VectorWords, vectors: NDArray[np.float32]) -> WordVectors:
    # Not of the result: the number of threads of BLAS changes its last digits, and a run can be resumed with another.
    digest = hashlib.sha256("\n".join(lookup.words).encode("utf-8", "surrogatepass"))
    digest.update(np.ascontiguousarray(vectors).data)
    return WordVectors.of(lookup, _scaled(reduced(vectors, WIDTH)), digest.hexdigest())


def _progress(work: str) -> Callable[[float], None]:
    return lambda share: stage(f"{work}: {share:.0%}", often_brief=True)


def _scaled(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    deviation = float(vectors.std())
    return vectors * np.float32(DEVIATION / deviation) if deviation else vectors
