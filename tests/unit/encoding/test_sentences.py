"""The sentences of the standard splitter against their definition, and against those of each paragraph."""

import hypothesis.strategies as st
from hypothesis import example, given

import polytag
from support.plain_sentences import VOCABULARY, plain_sentences

GAPS = ["", " ", " ", " ", "  ", "\n", "\n\n", " \n \n", "\u3000", "\u2028"]
TEXTS = st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from(GAPS))).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


@given(TEXTS)
@example("1. The 1.\n\n😂 Paris. \n\n1. Paris 字。” The.”😂) Paris")
def test_sentences_are_as_defined(text):
    sentences = polytag.split_sentences(text)
    assert sentences == plain_sentences(text, [word for sentence in sentences for word in sentence])


@given(st.lists(st.one_of(TEXTS, st.text())))
def test_no_paragraph_changes_the_sentences_of_another(paragraphs):
    # A word first, because a face after an empty line may still end something.
    paragraphs = [f"The {paragraph.strip()}" for paragraph in paragraphs]
    text = "\n\n".join(paragraphs)
    alone = [sentence for paragraph in paragraphs for sentence in texts_of(paragraph)]
    assert texts_of(text) == alone


def texts_of(text):
    return [[word.text for word in sentence] for sentence in polytag.split_sentences(text)]
