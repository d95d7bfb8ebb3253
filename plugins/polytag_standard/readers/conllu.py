"""The reader `conllu`: treebanks of Universal Dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from polytag import CorpusError, Reader, Sentence, Source, corpus_from_sentences
from polytag_standard.readers.files import CONLLU_ENDINGS, any_line_begins, files_ending, joined, lines

if TYPE_CHECKING:
    import datasets

_COLUMNS = {"upos": "upos", "xpos": "xpos", "lemma": "lemmas", "feats": "feats", "deprel": "deprel"}
"""Field of the format -> name of the tag column."""


class ConlluReader(Reader):
    """Reads CoNLL-U files: syntactic words with part of speech, lemma, features and relation.

    Lines of multiword tokens (`1-2`) and empty nodes (`1.1`) are left out; `# newdoc` begins a document.
    """

    name: ClassVar[str] = "conllu"
    summary: ClassVar[str] = "CoNLL-U files (.conllu) of Universal Dependencies"

    def accepts(self, source: Source) -> bool:
        """Whether any file ends in `.conllu`; treebank folders hold the plain text beside it."""
        return bool(files_ending(source, CONLLU_ENDINGS))

    def read(self, source: Source) -> datasets.DatasetDict:
        """Read all `.conllu` files, sentence by sentence.

        Raises:
            CorpusError: A line is not CoNLL-U; the message names file and line.
        """
        files = files_ending(source, CONLLU_ENDINGS) or source.files
        return corpus_from_sentences({split: _split(paths) for split, paths in files.items()})


def _split(paths: Sequence[Path]) -> Iterator[Sentence]:
    documents_known = any(any_line_begins(path, (b"# newdoc", b"#newdoc")) for path in paths)
    return joined(paths, lambda path: _sentences(path, documents_known))


def _sentences(path: Path, documents_known: bool) -> Iterator[Sentence]:
    import conllu
    from conllu.exceptions import ParseException

    file = _NumberedLines(path)
    document, document_has_sentences = 0, False
    blocks = iter(conllu.parse_incr(file, field_parsers=dict.fromkeys(("xpos", "feats", "deps", "misc"), _as_written)))
    while True:
        try:
            tokens = next(blocks, None)
        except ParseException as error:
            raise _broken(path, file.block, error) from None
        if tokens is None:
            return
        if document_has_sentences and any(key.startswith("newdoc") for key in tokens.metadata):
            document, document_has_sentences = document + 1, False
        numbers = [number for number, line in file.block if not line.startswith("#")]
        rows = [
            (number, token) for number, token in zip(numbers, tokens, strict=True) if not isinstance(token["id"], tuple)
        ]
        if not rows:
            continue
        for number, token in rows:
            if token["id"] is None or len(token) < 10 or not token["form"]:
                raise CorpusError(
                    f"{path.name}:{number}: the line has {len(token)} fields that can be read, and CoNLL-U "
                    "has 10, separated by tabs, the first two of which are number and form. Repair the line "
                    f"in {path}."
                )
        words = [token["form"] for _, token in rows]
        tags = {column: [token[field] for _, token in rows] for field, column in _COLUMNS.items()}
        yield Sentence(words, tags, document if documents_known else None, f"{path.name}:{rows[0][0]}")
        document_has_sentences = True


def _as_written(fields: list[str], index: int) -> str:
    return fields[index]


class _NumberedLines:
    """The file that the parser reads from; keeps the lines of the current sentence with their numbers."""

    def __init__(self, path: Path) -> None:
        self.block: list[tuple[int, str]] = []
        self._path = path

    def read(self) -> str:
        """The parser asks whether files have this method; it reads them line by line."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        ended = True
        for number, line in lines(self._path):
            if ended:
                self.block.clear()
            ended = not line.strip()
            if not ended:
                self.block.append((number, line))
            yield line + "\n"


def _broken(path: Path, block: Sequence[tuple[int, str]], error: Exception) -> CorpusError:
    import conllu
    from conllu.exceptions import ParseException

    number, reason = block[0][0], str(error)
    for candidate, line in block:
        try:
            conllu.parse(line)
        except ParseException as of_line:
            number, reason = candidate, str(of_line)
            break
    return CorpusError(
        f"{path.name}:{number}: this line is not CoNLL-U: {reason.rstrip('.')}. Repair the line in {path}: "
        "ten fields separated by tabs, with an empty line after each sentence."
    )
