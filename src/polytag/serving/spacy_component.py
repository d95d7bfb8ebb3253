"""The spaCy component `polytag`: a tagger as a part of a spaCy pipeline.

```python
nlp = spacy.blank("en")
nlp.add_pipe("polytag", config={"tagger": "my-tagger"})
nlp("Peter lives in Paris.").ents
```

spaCy finds the component by its entry point; nothing has to be imported.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from polytag.tagger.description import FILE, TaggerDescription
from polytag.tagger.folder import replacing_folder
from polytag.tagger.runtimes import choose_runtime
from polytag.tagger.tagger import Tagger

try:
    from spacy.language import Language
    from spacy.parts_of_speech import IDS
    from spacy.tokens import Doc, Span
    from spacy.util import minibatch
except ImportError as error:
    raise ImportError("The spaCy component needs spaCy. Install it: pip install 'polytag[spacy]'") from error

_POS = "pos"
"""The task whose tags become `token.tag_`."""


@Language.factory(
    "polytag",
    assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type", "token.tag", "token.pos"],
    default_config={"ents": "ner", "runtime": None, "lines": False},
)
class PolytagComponent:
    """Tags spaCy's tokens.

    Each task with spans fills the span group of its name (`doc.spans["chunk"]`); the task `ents` also sets `doc.ents`.
    The task `pos` sets `token.tag_`, and `token.pos_` if all its labels are tags of Universal Dependencies. Sentence
    boundaries come from an earlier component; without one, the whole document is one sentence. With `lines`, each line
    is a text of its own, as in `Tagger.tag`. White space is not tagged.
    """

    def __init__(self, nlp: Language, name: str, tagger: str, ents: str, runtime: str | None, lines: bool) -> None:
        """Store the folder of the tagger; it is loaded with the first text, or with the pipeline from disk.

        Args:
            nlp: The pipeline.
            name: The component's name in it.
            tagger: Folder of the tagger.
            ents: Name of the task that sets `doc.ents`.
            runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`, as in `Tagger.load`.
            lines: Whether each line is a text of its own. spaCy's tokens of white space show where lines end.

        Raises:
            TaggerError: The folder exists and is not a tagger, or cannot run in the runtime.
        """
        self.name = name
        self._folder = Path(tagger)
        self._ents = ents
        self._runtime = runtime
        self._lines = lines
        self._loaded: Tagger | None = None
        if self._folder.exists():  # a saved pipeline has its own copy, even if this folder no longer exists
            choose_runtime(self._folder, TaggerDescription.read(self._folder), runtime)

    @property
    def tagger(self) -> Tagger:
        """The tagger.

        Raises:
            TaggerError: Its folder does not exist, or is damaged.
        """
        if self._loaded is None:
            self._loaded = Tagger.load(self._folder, runtime=self._runtime)
        return self._loaded

    def __call__(self, doc: Doc) -> Doc:
        """Tag one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Tag documents in batches of `batch_size`."""
        for batch in minibatch(stream, batch_size):
            docs = list(batch)
            self._tag(docs)
            yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the tagger into a folder of the pipeline: a copy of its folder, ONNX models included."""
        if not (self._folder / FILE).is_file():  # a token classifier, or a folder that was removed
            self.tagger.save(path, overwrite=True)
            return
        with replacing_folder(Path(path), overwrite=True) as temporary:
            shutil.copytree(self._folder, temporary, dirs_exist_ok=True)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> PolytagComponent:
        """Load the tagger that `to_disk` saved."""
        self._folder, self._loaded = Path(path), Tagger.load(path, runtime=self._runtime)
        return self

    def _parts(self, doc: Doc) -> Iterator[list[int]]:
        """The numbers of the tokens of each sentence; an empty list where a line ends, if lines matter."""
        for sentence in doc.sents if doc.has_annotation("SENT_START") else [doc]:
            tokens: list[int] = []
            for token in sentence:
                if not token.text.isspace():
                    tokens.append(token.i)
                elif self._lines and token.text.splitlines() != [token.text]:
                    yield tokens
                    yield []
                    tokens = []
            if tokens:
                yield tokens

    def _tag(self, docs: list[Doc]) -> None:
        sentences: list[list[int]] = []  # the numbers of their tokens
        owners: list[int] = []
        texts: list[int] = []  # the number of the text: of the document, or of the line
        begun = 0
        for number, doc in enumerate(docs):
            begun += 1
            for tokens in self._parts(doc):
                if tokens:
                    sentences.append(tokens)
                    owners.append(number)
                    texts.append(begun)
                else:
                    begun += 1
        words = [[docs[owner][i].text for i in tokens] for owner, tokens in zip(owners, sentences, strict=True)]
        predicted = self.tagger.predict_tags(words, texts)
        for task, tags in predicted.items():
            decoder = self.tagger.decoders[task]
            if decoder.scheme.encodes_spans:
                found: list[list[Span]] = [[] for _ in docs]
                for owner, tokens, own in zip(owners, sentences, tags, strict=True):
                    found[owner] += [
                        Span(docs[owner], tokens[span.start], tokens[span.end - 1] + 1, span.label)
                        for span in decoder.scheme.spans(own)
                    ]
                for doc, spans in zip(docs, found, strict=True):
                    doc.spans[task] = spans
                    if task == self._ents:
                        doc.set_ents(spans, default="outside")
            elif task == _POS:
                universal = set(decoder.head.labels) <= set(IDS)
                for owner, tokens, own in zip(owners, sentences, tags, strict=True):
                    for i, tag in zip(tokens, own, strict=True):
                        docs[owner][i].tag_ = tag
                        if universal:
                            docs[owner][i].pos_ = tag
