"""Random sentences that look like text: words of a Zipf-like vocabulary, with parts of speech and named spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from polytag import Span

_LEXICON = {
    "DET": "the a an this that some no every",
    "ADP": "of in to for with on at by from about into over",
    "PRON": "it he she they we you I who nobody",
    "AUX": "is was are has had will can does",
    "CCONJ": "and or but",
    "SCONJ": "if that because while",
    "PART": "to not n't 's",
    "ADV": "not also again here well soon never too",
    "ADJ": "new old good last small 24-hour état-major grün first-class own",
    "VERB": "said met went burns sold rains left hired makes thought slept",
    "NOUN": "year man café bank dogs price company Straße rain 1990s home water O e-mail word label time",
    "NUM": "1 2 3 10 24 1997 3.5 12:30 two 1,200 0 100",
    "PUNCT": ". , : ; \" ' ( ) - -- `` '' ! ? ... «",
    "SYM": "# $ % + @ #1 :-) http://x.example/a#b #ulm",
    "INTJ": "yes oh hi",
    "X": "etc ai/ml _",
}
WORDS = {pos: words.split() for pos, words in _LEXICON.items()}
_PATTERNS = (
    "DET NOUN AUX ADV VERB PUNCT",
    "NAME VERB ADP NAME PUNCT",
    "PRON VERB DET ADJ NOUN ADP NAME PUNCT",
    "NAME CCONJ NAME VERB ADP DET NOUN PUNCT",
    "ADV PUNCT DET NOUN ADP NAME AUX ADJ PUNCT",
    "PUNCT PRON VERB PART VERB PUNCT PUNCT VERB NAME PUNCT",
    "NAME PUNCT NAME NUM PUNCT NUM",
    "SYM NUM AUX DET NOUN",
    "NUM NOUN ADP NOUN VERB SCONJ PRON VERB NAME PUNCT",
    "INTJ PUNCT NAME PUNCT",
    "NOUN PUNCT SYM NUM PUNCT",
    "VERB X CCONJ X SYM",
    "NAME NAME VERB NUM NOUN PUNCT",
    "NAME",
    "NOUN PUNCT",
)
_FIRST = "Anna Bo Lundström Ulm Rome Acme Varga Orion Zoë O'Hara Saint-Denis Łódź 北京 McNeil B I-95 PER"
_LATER = "Lund Steel Works Bank United of North Creek & 04 II Özdemir GmbH"
_PENN = {
    "DET": "DT",
    "ADP": "IN TO",
    "PRON": "PRP WP",
    "AUX": "VBZ MD",
    "CCONJ": "CC",
    "SCONJ": "IN",
    "PART": "TO RB POS",
    "ADV": "RB",
    "ADJ": "JJ JJR",
    "VERB": "VBD VBZ VB VBN",
    "NOUN": "NN NNS",
    "NUM": "CD",
    "SYM": "SYM NFP",
    "INTJ": "UH",
    "X": "FW",
    "PROPN": "NNP NNPS",
}
_PENN_MARKS = dict(
    zip(
        [".", "!", "?", ",", ":", ";", "...", "--", "-", "(", ")", '"', "'", "``", "''", "«", "#", "$", "%"],
        [
            ".",
            ".",
            ".",
            ",",
            ":",
            ":",
            ":",
            ":",
            "HYPH",
            "-LRB-",
            "-RRB-",
            "''",
            "''",
            "``",
            "''",
            "``",
            "#",
            "$",
            "NN",
        ],
        strict=True,
    )
)


@dataclass(frozen=True)
class RandomSentence:
    """Words with their parts of speech, and two layers of spans."""

    words: list[str]
    pos: list[str]
    spans: list[Span]
    inner: list[Span] = field(default_factory=list)


def sentence(random: Random, labels: list[str], tagset: str, banned: str) -> RandomSentence:
    """A sentence of one to some twenty words.

    Args:
        random: Where chance comes from.
        labels: The labels of the spans.
        tagset: `upos` or `penn`.
        banned: Characters that no word may have.
    """
    words: list[str] = []
    pos: list[str] = []
    spans: list[Span] = []
    for slot in " ".join(random.choices(_PATTERNS, k=random.choice((1, 1, 1, 2, 3)))).split():
        start = len(words)
        if slot == "NAME":
            words.append(_word(random, _FIRST.split(), banned))
            while random.random() < 0.4:
                words.append(_word(random, _LATER.split(), banned))
            spans.append(Span(start, len(words), random.choice(labels)))
            slot = "PROPN"
        else:
            known = [*WORDS[slot], "10 000"] if slot == "NUM" else WORDS[slot]
            words.append(_word(random, known, banned))
        pos += [_pos(random, word, slot, tagset) for word in words[start:]]
    if not pos[0].startswith("PUNCT") and random.random() < 0.7:
        words[0] = words[0][0].upper() + words[0][1:]
    inner = [Span(span.end - 1, span.end, random.choice(labels)) for span in spans if span.end - span.start > 1]
    return RandomSentence(words, pos, spans, [span for span in inner if random.random() < 0.6])


def _word(random: Random, known: list[str], banned: str) -> str:
    allowed = [word for word in known if not set(word) & set(banned)] or ["x"]
    # By Zipf's law the n-th word of a list is 1/n as frequent as the first.
    return random.choices(allowed, [1 / rank for rank in range(1, len(allowed) + 1)])[0]


def _pos(random: Random, word: str, slot: str, tagset: str) -> str:
    if tagset == "upos":
        return slot
    if slot == "PUNCT" or word in _PENN_MARKS:
        return _PENN_MARKS.get(word, "SYM")
    return random.choice(_PENN[slot].split())
