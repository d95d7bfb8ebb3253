"""The splitter against 200 sentences that were split by hand; `hand_split.txt` has them and says how."""

import re
from collections import Counter
from pathlib import Path

import pytest

from polytag.encoding.text import split_sentences

FILE = Path(__file__).parents[2] / "support" / "hand_split.txt"


def unescaped(line):
    return re.sub(r"\\(?:n|u([0-9a-f]{4}))", lambda found: chr(int(found[1], 16)) if found[1] else "\n", line)


def hand_split():
    """Kind, text, and its sentences with the offsets of their words."""
    kind = None
    for block in FILE.read_text(encoding="utf-8").split("\n\n"):
        first, *lines = block.strip().splitlines()
        if first.startswith("# "):
            kind = first.removeprefix("# ")
            continue
        text = unescaped(first.removeprefix("> "))
        sentences, end = [], 0
        for line in lines:
            offsets = []
            for word in unescaped(line.replace("⁀", "")).split(" "):
                start = end + len(text[end:]) - len(text[end:].lstrip())
                assert text.startswith(word, start), (word, text)
                end = start + len(word)
                offsets.append((start, end))
            sentences.append(offsets)
        assert not text[end:].strip(), text
        yield kind, text, sentences


def f1(gold, found):
    return 2 * (gold & found).total() / (gold.total() + found.total())


@pytest.fixture(scope="module")
def counts():
    """Words and sentences by kind of text: those of the list, and those found."""
    made = {}
    for number, (kind, text, gold) in enumerate(hand_split()):
        found = [[(word.start, word.end) for word in sentence] for sentence in split_sentences(text)]
        for side, sentences in (("gold", gold), ("found", found)):
            words = made.setdefault((kind, "words", side), Counter())
            bounds = made.setdefault((kind, "sentences", side), Counter())
            words.update((number, word) for sentence in sentences for word in sentence)
            bounds.update((number, sentence[0][0], sentence[-1][1]) for sentence in sentences)
    return made


def test_the_list_has_200_sentences_of_four_kinds(counts):
    sizes = {kind: counts[kind, "sentences", "gold"].total() for kind in ("news", "web", "chat", "mail")}
    assert sum(sizes.values()) == 200
    assert min(sizes.values()) > 45


@pytest.mark.parametrize(
    ("kind", "words", "sentences"),
    # In chats, sentences begin with small letters; lines of a mail, such as a signature, need no mark at their end.
    [("news", 0.99, 0.99), ("web", 0.98, 0.99), ("chat", 0.96, 0.56), ("mail", 0.97, 0.84)],
)
def test_f1_of_words_and_sentences(counts, kind, words, sentences):
    assert f1(counts[kind, "words", "gold"], counts[kind, "words", "found"]) > words
    assert f1(counts[kind, "sentences", "gold"], counts[kind, "sentences", "found"]) > sentences
