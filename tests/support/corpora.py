"""Small corpora: a treebank in CoNLL-U, biomedical names in column files, and those that a test makes of sentences."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from polytag import Corpus, Sentence, corpus_from_sentences
from polytag.corpus.tables import checked

SPLITS = ("train", "dev", "test")
TWO_SENTENCES = """\
Sylvain\tNNP\tB-PER
works\tVBZ\tO
at\tIN\tO
Hugging\tNNP\tB-ORG
Face\tNNP\tI-ORG

Brooklyn\tNNP\tB-LOC
is\tVBZ\tO
big\tJJ\tO
"""
"""Words, parts of speech and names, in columns."""

Rows = list[tuple[str, ...]]

_NOUNS = ("dog", "bird", "farmer", "girl", "doctor", "guide", "call", "visit")
_VERBS = ("see", "hear", "follow", "guide", "call", "visit")
_ADVERBS = ("today", "here", "often", "again")


def built(splits: dict[str, list[Sentence]]) -> Corpus:
    """A corpus with these splits."""
    return Corpus("mine", "test", checked(corpus_from_sentences(splits), "mine"))


def content(corpus: Corpus) -> dict[str, object]:
    """All there is in a corpus, to compare."""
    return {
        split: (
            corpus.words(split),
            {column: corpus.tags(split, column) for column in corpus.columns},
            corpus.documents(split),
        )
        for split in corpus.splits
    }


def write_treebank(folder: Path) -> Path:
    """Sentences such as `The dogs see a cat here .` as `en_tiny-ud-train.conllu` and so on; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, sentences in _in_splits(list(_clauses())):
        lines: list[str] = []
        for number, rows in enumerate(sentences, start=1):
            lines += [f"# sent_id = {split}-{number}", f"# text = {' '.join(row[0] for row in rows)}"]
            for index, (form, lemma, upos, xpos, feats) in enumerate(rows, start=1):
                head, relation = ("0", "root") if upos == "VERB" else ("3", "dep")
                lines.append("\t".join((str(index), form, lemma, upos, xpos, feats, head, relation, "_", "_")))
            lines.append("")
        (folder / f"en_tiny-ud-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _clauses() -> Iterator[Rows]:
    for subject, verb, object_, adverb, plural in itertools.product(_NOUNS, _VERBS, _NOUNS, _ADVERBS, (False, True)):
        if len({subject, verb, object_}) < 3:
            continue
        number = "Plur" if plural else "Sing"
        person = "" if plural else "|Person=3"
        yield [
            ("The", "the", "DET", "DT", "Definite=Def|PronType=Art"),
            (subject + "s" * plural, subject, "NOUN", "NNS" if plural else "NN", f"Number={number}"),
            (
                verb + "s" * (not plural),
                verb,
                "VERB",
                "VBP" if plural else "VBZ",
                f"Mood=Ind|Number={number}{person}|Tense=Pres",
            ),
            ("a", "a", "DET", "DT", "Definite=Ind|PronType=Art"),
            (object_, object_, "NOUN", "NN", "Number=Sing"),
            (adverb, adverb, "ADV", "RB", "_"),
            (".", ".", "PUNCT", ".", "_"),
        ]


_CHEMICALS = ("aspirin", "cocaine", "lithium carbonate", "vitamin B 12", "naloxone", "sodium chloride", "heparin")
_DISEASES = ("headache", "renal failure", "hypertension", "acute liver injury", "seizures", "heart disease")
_FINDINGS = (
    "{chemical} caused {disease} in two patients .",
    "We studied {disease} after treatment with {chemical} .",
    "{disease} was not seen with {chemical} .",
    "Doses of {chemical} and {other} were lowered because of {disease} .",
)


def write_abstracts(folder: Path, document: str = "") -> Path:
    """Sentences with chemicals and diseases as `train.tsv`, `dev.tsv`, `test.tsv`; returns the folder.

    Args:
        folder: Where to.
        document: How a line that begins a document of eight sentences begins; there are no such lines when empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, sentences in _in_splits(list(_abstracts())):
        lines: list[str] = []
        for number, rows in enumerate(sentences):
            if document and number % 8 == 0:
                lines += [f"{document}{number // 8}", ""]
            lines += ["\t".join(row) for row in rows]
            lines.append("")
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _abstracts() -> Iterator[Rows]:
    for chemical, other, disease, pattern in itertools.product(_CHEMICALS, _CHEMICALS, _DISEASES, _FINDINGS):
        if chemical == other:
            continue
        rows: Rows = []
        for part in pattern.split():
            if part in ("{chemical}", "{other}"):
                rows += _span(chemical if part == "{chemical}" else other, "Chemical")
            elif part == "{disease}":
                rows += _span(disease, "Disease")
            else:
                rows.append((part, "O"))
        yield rows


def _span(name: str, label: str) -> Rows:
    return [(word, f"{'I' if index else 'B'}-{label}") for index, word in enumerate(name.split())]


def _in_splits(sentences: Sequence[Rows]) -> Iterator[tuple[str, list[Rows]]]:
    """Every seventh sentence or so, in another order: 120 to train on, 30 and 30 to score."""
    chosen = [sentences[index * 1013 % len(sentences)] for index in range(180)]
    bounds = (0, 120, 150, 180)
    for split, (begin, end) in zip(SPLITS, itertools.pairwise(bounds), strict=True):
        yield split, chosen[begin:end]


_STREETS = ("High Street", "Mill Lane", "Station Road", "Church Street", "Park Avenue", "Oak Road", "Green Lane")
_CITIES = ("Leeds", "York", "Bath", "Derby", "New York", "Exeter", "Hull")
_LETTERS = (
    "Send it to {number} {street} in {city} .",
    "We live at {number} {street} , {city} .",
    "The shop in {street} has moved to {city} .",
    "{city} is far away .",
    "Nobody was at {number} {street} .",
)


def write_addresses(folder: Path) -> Path:
    """Sentences with streets and cities as `train.conll` and `test.conll`, two columns; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, sentences in _in_splits(list(_addresses())):
        if split != "dev":
            blocks = ["".join(f"{word} {tag}\n" for word, tag in rows) for rows in sentences]
            (folder / f"{split}.conll").write_text("\n".join(blocks), encoding="utf-8")
    return folder


def write_vectors(path: Path) -> Path:
    """Vectors of four numbers for words of the addresses, as fastText writes them; returns the file."""
    words = ("the", ".", "city", "is", "far", "away", "we", "shop", "it")
    lines = [f"{word} {' '.join(str(len(word) + column) for column in range(4))}" for word in words]
    path.write_text("\n".join([f"{len(words)} 4", *lines, ""]), encoding="utf-8")
    return path


def _addresses() -> Iterator[Rows]:
    for index, (street, city, pattern) in enumerate(itertools.product(_STREETS, _CITIES, _LETTERS)):
        rows: Rows = []
        for part in pattern.split():
            words = part.format(number=index * 7 % 97 + 2, street=street, city=city).split()
            label = part.strip("{}").upper()
            if label == "NUMBER":
                label = "STREET"
            inside = part == "{street}" and "{number}" in pattern
            tags = ["I-" if position or inside else "B-" for position in range(len(words))]
            rows += [
                (word, tag + label if part.startswith("{") else "O") for word, tag in zip(words, tags, strict=True)
            ]
        yield rows
