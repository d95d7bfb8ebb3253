"""A tagger checks its arguments once, and says which item is wrong."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from polytag import PolytagError, Tagger

_SENTENCES = [["Peter", "sleeps"], ["Paris"]]


@pytest.fixture
def tagger(ner_run) -> Tagger:
    return ner_run.tagger


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.tag(None), "`texts` is None. Give a list"),
        (lambda t: t.tag(3), "`texts` is 3. Give a list"),
        (lambda t: t.tag(["a", None]), "Text number 2 is not a string: it is None"),
        (lambda t: t.tag_words(None), "`sentences` is None. Give a list"),
        (lambda t: t.tag_words([["a"], None]), "Sentence number 2 is not a list of words: it is None"),
        (lambda t: t.tag_words([["a"], ["b", None]]), "Word number 2 of sentence number 2 is not a string: it is None"),
        (lambda t: t.tag_words([["a", math.nan]]), "Word number 2 of sentence number 1 is not a string: it is nan"),
        (lambda t: t.tag_words([[7]]), "Word number 1 of sentence number 1 is not a string: it is 7"),
        (lambda t: t.tag_words([{"a": 1}]), "Sentence number 1 is not a list of words: it is {'a': 1}"),
        (lambda t: t.tag_words([b"a"]), "Sentence number 1 is not a list of words: it is b'a'"),
        (lambda t: t.tag_words(["a b"]), "Sentence number 1 is the string 'a b', not a list of words"),
        (lambda t: t.tag_words(_SENTENCES, [0]), "Sentence number 2 has no document"),
        (lambda t: t.tag_words(_SENTENCES, [0, 0, 1]), "`documents` has more numbers than the 2 sentences"),
        (lambda t: t.tag_words(_SENTENCES, [0, "1"]), "The document of sentence number 2 is not an integer: it is '1'"),
        (lambda t: t.tag_words(_SENTENCES, [0, math.nan]), "The document of sentence number 2 is not an integer"),
        (lambda t: t.tag_words(_SENTENCES, 0), "`documents` is 0. Give a list"),
        (lambda t: next(t.stream(["a"], 0)), "look_ahead is 0, and must be an integer of at least 1"),
        (lambda t: next(t.stream_words([["a"]], 1.5)), "look_ahead is 1.5"),
        (lambda t: next(t.stream(["a"], 10**30)), "look_ahead is 1000"),
        (lambda t: t.tag(np.float64(3)), "`texts` is np.float64(3.0). Give a list"),
        (lambda t: t.tag_words(_SENTENCES, np.float64(3)), "`documents` is np.float64(3.0). Give a list"),
        (lambda t: t.tag_words(_SENTENCES, np.array([[0, 1], [2, 3]])), "The document of sentence number 1 is not an"),
        (lambda t: t.predict_tags(None), "`sentences` is None. Give a list"),
        (lambda t: t.predict([["a", None]]), "Word number 2 of sentence number 1 is not a string"),
        (lambda t: t.save(None), "None is not a path: give a string, or a pathlib.Path"),
        (lambda _: Tagger.load(7), "7 is not a path: give a string, or a pathlib.Path"),
        (lambda t: t.save("a\0b"), "The path 'a\\x00b' cannot be used: embedded null byte"),
        (lambda t: Tagger(t.model, t.heads, min_score=1.5), "min_score is 1.5, and must be a number from 0 to 1"),
        (lambda t: Tagger(t.model, t.heads, min_score=math.nan), "min_score is nan"),
        (lambda t: Tagger.load("nowhere", min_score="0.5"), "min_score is '0.5'"),
    ],
)
def test_a_wrong_argument_is_named(tagger: Tagger, call: Callable[[Tagger], object], message: str) -> None:
    with pytest.raises(PolytagError) as raised:
        call(tagger)
    assert str(raised.value).startswith(message)


def test_other_kinds_of_lists_are_fine(tagger: Tagger) -> None:
    expected = tagger.tag_words(_SENTENCES, [0, 1])
    arrays = [np.array(words) for words in _SENTENCES]
    assert tagger.tag_words(arrays, np.array([0, 1])) == expected
    assert tagger.tag_words((tuple(words) for words in _SENTENCES), iter([0, 1])) == expected
    assert tagger.tag_words(["", *_SENTENCES][1:]) == tagger.tag_words(_SENTENCES)
    assert tagger.tag([]) == tagger.tag_words([]) == []
