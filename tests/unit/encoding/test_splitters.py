import hypothesis.strategies as st
import pytest
from hypothesis import given

import polytag
from polytag import PluginError, PolytagError, Word, split_sentences


def words(text, splitter="standard", lines=False):
    return [[word.text for word in sentence] for sentence in split_sentences(text, splitter, lines)]


def test_the_standard_splitter_is_the_default():
    assert (
        words("It's over. We left.")
        == words("It's over. We left.", "standard")
        == [
            ["It", "'s", "over", "."],
            ["We", "left", "."],
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's over. We left .", [["It's", "over.", "We", "left", "."]]),
        ("a\tb\n\n c\u00a0d \r\ne", [["a", "b"], ["c", "d"], ["e"]]),
        ("co\u00adop \u200b \u200bx", [["co\u00adop", "\u200bx"]]),
        (" \n\u200b", []),
    ],
)
def test_whitespace_splits_at_spaces_and_lines(text, expected):
    assert words(text, "whitespace") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我来了。你好！", ["我 来 了 。", "你 好 ！"]),
        ("他说：“好。”我走了", ["他 说 ： “ 好 。 ”", "我 走 了"]),
        ("共3.5元？！对", ["共 3 . 5 元 ？ ！", "对"]),
        ("A b. C", ["A b .", "C"]),
        ("标题\n正文\n\n完", ["标 题 正 文", "完"]),
        ("cafe\u0301 हिन्दी", ["c a f e\u0301 हि न् दी"]),
        ("👨\u200d👩\u200d👧👍🏽🇳🇴🇩🇰❤\ufe0f", ["👨\u200d👩\u200d👧 👍🏽 🇳🇴 🇩🇰 ❤\ufe0f"]),
        ("\ufeff字\u200b \u200b \u200e字", ["\ufeff字\u200b \u200e字"]),
        ("\u200b", []),
    ],
)
def test_characters_are_words(text, expected):
    assert [" ".join(sentence) for sentence in words(text, "characters")] == expected


@pytest.mark.parametrize("splitter", ["standard", "whitespace", "characters"])
def test_each_line_can_be_a_text_of_its_own(splitter):
    text = "Oslo\nBergen\r\n\nRome \u2028 x."
    assert len(words(text, splitter, lines=True)) == 4
    found = split_sentences(text, splitter, lines=True)
    assert all(text[word.start : word.end] == word.text for sentence in found for word in sentence)
    assert found[1][0].start == 5


@pytest.mark.parametrize("splitter", ["standard", "whitespace", "characters"])
@given(lines=st.lists(st.text(st.sampled_from("a.! \u200b\u0301字😂\u2028\x0b"))))
def test_each_line_is_split_as_if_it_stood_alone(splitter, lines):
    text, expected, before = "\n".join(lines), [], 0
    for line in text.splitlines(keepends=True):
        expected += [
            [Word(word.text, before + word.start, before + word.end) for word in sentence]
            for sentence in split_sentences(line, splitter)
        ]
        before += len(line)
    assert split_sentences(text, splitter, lines=True) == expected


def test_an_unknown_splitter_is_named():
    with pytest.raises(PolytagError, match=r"There is no splitter named 'standart'\. Did you mean 'standard'"):
        split_sentences("a", "standart")


class Fails(polytag.Splitter):
    name, summary = "acme", "fails on purpose"

    def split(self, text):
        if text == "raise":
            raise KeyError(text)
        return [[], [Word(text.upper(), 0, len(text))]]


@pytest.mark.parametrize(
    ("text", "message"),
    [("raise", "KeyError: 'raise'"), ("moved", r"Word\(text='MOVED', start=0, end=5\) is not in the text")],
)
def test_a_splitter_that_fails_is_named_with_its_plugin(polytag_manager, text, message):
    class Acme:
        @polytag.hookimpl
        def polytag_splitters(self):
            return [Fails()]

    polytag_manager.register(Acme(), "acme", "polytag-acme", "1.0")
    assert words("SOUND", "acme") == [["SOUND"]]
    with pytest.raises(
        PluginError, match=rf"splitter 'acme' of plugin 'acme' \(polytag-acme 1.0\) failed on .*{message}"
    ):
        split_sentences(text, "acme")
