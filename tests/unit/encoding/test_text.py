import sys
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polytag.encoding.text import Word, split_sentences, split_words

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def words(text):
    return [word.text for word in split_words(text)]


def sentences(text):
    return [" ".join(word.text for word in sentence) for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left, then (slowly) came back.", "He left , then ( slowly ) came back ."),
        ('"Stop!" she said; why?', '" Stop ! " she said ; why ?'),
        ("“So,” he said.", "“ So , ” he said ."),
        ("He is 'good'.", "He is ' good ' ."),
        ("Wait... what?", "Wait ... what ?"),
        ("Wait… what -- now?!", "Wait … what -- now ?!"),
    ],
)
def test_punctuation_is_split_off(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", "do n't"),
        ("don’t", "do n’t"),
        ("DON'T", "DO N'T"),
        ("can't won't isn't", "ca n't wo n't is n't"),
        ("shouldn't've", "should n't 've"),
        ("John's", "John 's"),
        ("John’s", "John ’s"),
        ("the 1990's", "the 1990 's"),
        ("I'm we'll they've you're she'd it's", "I 'm we 'll they 've you 're she 'd it 's"),
        ("the dogs' house", "the dogs ' house"),
        ("cannot", "can not"),
        ("You CANNOT. Cannot you?", "You CAN NOT . Can not you ?"),
        ("gonna Wanna gotta gimme lemme dunno", "gon na Wan na got ta gim me lem me du n no"),
        ("Anna and Madonna know the programme", "Anna and Madonna know the programme"),
        ("O'Brien's rock'n'roll at 5 o'clock", "O'Brien 's rock'n'roll at 5 o'clock"),
    ],
)
def test_contractions(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("well-known mother-in-law", "well-known mother-in-law"),
        ("1996-08-22", "1996-08-22"),
        ("U.S.-based F-16", "U.S.-based F-16"),
        ("-based well-", "- based well -"),
        ("AT&T and R&D", "AT&T and R&D"),
        ("snake_case", "snake_case"),
        ("Amazon.com, Node", "Amazon.com , Node"),
    ],
)
def test_compounds_stay_whole(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.5", "1,234.5"),
        ("3.5%", "3.5 %"),
        ("$5", "$ 5"),
        ("€1,000.50,", "€ 1,000.50 ,"),
        ("at 10:30.", "at 10:30 ."),
        ("a .5 share", "a .5 share"),
        ("1/2 of 22/8/1996", "1/2 of 22/8/1996"),
        ("in 1996, 1997.", "in 1996 , 1997 ."),
        ("the 5th of 3.5-inch", "the 5th of 3.5-inch"),
    ],
)
def test_numbers(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the U.S. won", "the U.S. won"),
        ("Mr. Smith of Apple Inc. said", "Mr. Smith of Apple Inc. said"),
        ("J. K. Smith and J.K. Smith", "J. K. Smith and J.K. Smith"),
        ("e.g. at 9 a.m. today, i.e. now", "e.g. at 9 a.m. today , i.e. now"),
        ("No. 5, but no.", "No. 5 , but no ."),
        ("a Ph.D. thesis", "a Ph.D. thesis"),
        ("They live in Brooklyn.", "They live in Brooklyn ."),
        ("They live in the U.S.", "They live in the U.S."),
        ("It is plan B.", "It is plan B ."),
    ],
)
def test_abbreviations_keep_their_period(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://example.com/a?b=c, or www.example.org.", "See https://example.com/a?b=c , or www.example.org ."),
        ("(http://example.com/x)", "( http://example.com/x )"),
        ("Mail jo.doe+x@mail.example.co.uk.", "Mail jo.doe+x@mail.example.co.uk ."),
        ("@john likes #fun, not #1", "@john likes #fun , not # 1"),
        ("ok👍🏽👍", "ok 👍🏽 👍"),
        (f"{FAMILY}🇩🇪🇫🇷 ❤️!", f"{FAMILY} 🇩🇪 🇫🇷 ❤️ !"),
    ],
)
def test_addresses_tags_and_emoji(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run setup.py, then README.md.", "Run setup.py , then README.md ."),
        ("in src/app_2.tar.gz or SALES.DOC", "in src/app_2.tar.gz or SALES.DOC"),
        ("a .doc or *.jpg file", "a .doc or *.jpg file"),
        ("See example.com/a?b=1, or (github.com:443/x).", "See example.com/a?b=1 , or ( github.com:443/x ) ."),
        ("mail.my-host.co.uk and comp.lang.python", "mail.my-host.co.uk and comp.lang.python"),
        ("The end.It is over.At last", "The end . It is over . At last"),
        ("A.de Silva", "A . de Silva"),
        ("and/or 3.5 km/h", "and / or 3.5 km / h"),
    ],
)
def test_names_of_files_and_hosts_are_words(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Great!!! Really?? Yes?!", "Great !!! Really ?? Yes ?!"),
        ("Fine :-) thx:) ;-( :'( =) :D <3 ^_^", "Fine :-) thx :) ;-( :'( =) :D <3 ^_^"),
        ("(see: this) at 10:30; f(x)=(y)", "( see : this ) at 10:30 ; f ( x ) = ( y )"),
        ("(as follows:) x<3 :Paris", "( as follows :) x < 3 : Paris"),
    ],
)
def test_repeated_marks_and_emoticons_are_words(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("co\u00adop\u00aderate", ["co\u00adop\u00aderate"]),  # soft hyphens
        ("\ufeffThe\u2060 end\u200e.", ["\ufeffThe\u2060", "end\u200e", "."]),
        ("one\u200btwo", ["one\u200b", "two"]),  # a zero-width space ends a word
        ("one\x00two\x7f", ["one\x00", "two\x7f"]),
        ("one \u200e two \u202atwo\u202c", ["one", "two", "\u202atwo\u202c"]),
        ("U.\u00adS. and se\u00adtup.py", ["U.\u00adS.", "and", "se\u00adtup.py"]),
        (".\u200d \u200d", [".\u200d"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # a joiner that the script needs
        ("\U0001f3f4\U000e0067\U000e007f", ["\U0001f3f4\U000e0067\U000e007f"]),  # the tags of a flag
    ],
)
def test_invisible_characters_belong_to_a_word(text, expected):
    assert words(text) == expected


def test_no_format_or_control_character_is_a_word():
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) in ("Cf", "Cc") and not character.isspace():
            assert words(f"a {character} b") == ["a", "b"], hex(ord(character))
            assert words(f"a.{character}") == ["a", f".{character}"], hex(ord(character))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Привет, мир!", "Привет , мир !"),
        ("مرحبا بالعالم؟", "مرحبا بالعالم ؟"),
        ("مَرْحَبًا", "مَرْحَبًا"),
        ("हिन्दी में लिखा है।", "हिन्दी में लिखा है ।"),
        ("ภาษาไทย", "ภาษาไทย"),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("나는 한국어", "나는 한국어"),
        ("东京2020年", "东 京 2020 年"),
        ("Ångström naïve", "Ångström naïve"),
    ],
)
def test_other_scripts(text, expected):
    assert words(text) == expected.split()


def test_combining_marks_stay_with_their_letter():
    text = unicodedata.normalize("NFD", "Ångström naïve")
    assert words(text) == text.split()


def test_offsets_point_into_the_text():
    assert split_words(" I'm\n here.") == [
        Word("I", 1, 2),
        Word("'m", 2, 4),
        Word("here", 6, 10),
        Word(".", 10, 11),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. She stayed! Why? No.", ["He left .", "She stayed !", "Why ?", "No ."]),
        ('He said "Stop." Then he left.', ['He said " Stop . "', "Then he left ."]),
        ('"Why?" she asked. "Because."', ['" Why ? " she asked .', '" Because . "']),
        ("(He left.) She stayed.", ["( He left . )", "She stayed ."]),
        ("It is over. “Good,” he said.", ["It is over .", "“ Good , ” he said ."]),
        ("Really?! Yes.", ["Really ?!", "Yes ."]),
        ("It fell in 1996. In 1997 it rose.", ["It fell in 1996 .", "In 1997 it rose ."]),
        ("It rose 3.5 percent. 1997 was worse.", ["It rose 3.5 percent .", "1997 was worse ."]),
        ("Well... Perhaps.", ["Well ...", "Perhaps ."]),
        ("東京。大阪！", ["東 京 。", "大 阪 ！"]),
        ("We won!!! It's 3-2.", ["We won !!!", "It 's 3-2 ."]),
        ("Great! :-) Thanks... 😂 See you", ["Great ! :-)", "Thanks ... 😂", "See you"]),
        ("Too late :( Sorry", ["Too late :(", "Sorry"]),
        ("It ended.\u200b We left.", ["It ended .\u200b", "We left ."]),
        ("यह है। वह है।", ["यह है ।", "वह है ।"]),
    ],
)
def test_sentences_end_at_final_marks(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith met Dr. Jones and Sen. Brown .",
        "J. K. Smith met John F. Kennedy .",
        "He won the U.S. Open on Aug. 22 .",
        "Apple Inc. Chairman Smith left .",
        "Yahoo! is here .",
        "Well... perhaps .",
        "See Fig. 3 and No. 5 .",
        "We rose 1,234.5 to 3.5 .",
        "1. Introduction",
        '"Stop!" he said.',
    ],
)
def test_sentences_do_not_end_here(text):
    assert len(split_sentences(text)) == 1


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("She lives in the U.S. The end.", "She lives in the U.S."),
        ("It opens at 9 a.m. It closes at 5 p.m. daily.", "It opens at 9 a.m."),
        ("He works at Apple Inc. She does not.", "He works at Apple Inc."),
    ],
)
def test_an_abbreviation_ends_a_sentence_before_a_word_that_opens_one(text, first):
    assert sentences(text)[0] == first
    assert len(sentences(text)) == 2


@pytest.mark.parametrize("blank", ["\n\n", "\n \n", "\r\n\r\n", "\n\n\n\n"])
def test_a_blank_line_ends_a_sentence(blank):
    assert sentences(f"The title{blank}the text of Mr.{blank}Smith") == ["The title", "the text of Mr.", "Smith"]


def test_a_line_break_is_white_space():
    assert sentences("The first\nline. And\nmore.") == ["The first line .", "And more ."]


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\u00a0\u3000", "\u200b", " \ufeff\x00 \u200d"])
def test_no_words_no_sentences(text):
    assert split_words(text) == []
    assert split_sentences(text) == []


SNIPPETS = [
    "a.",
    "U.S.",
    "Mr.",
    "don't",
    "’s",
    "...",
    "@a",
    "#",
    "www.",
    "a@b.c",
    "\n\n",
    " ",
    '"',
    "1.5",
    "-",
    "\u200d",
    "\u200b",
    "\u00ad",
    "字",
    ".py",
    "/",
    ":)",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(SNIPPETS)).map("".join)))
@example("\x00a\x1cb\x85\u200b\u0301\u0301a\u00ad\ufeff")
@example("\U0001f1e9\U0001f3fb\u200d\ufe0f")
def test_every_visible_character_is_in_exactly_one_word(text):
    found = split_words(text)
    assert all(word.text and text[word.start : word.end] == word.text for word in found)
    assert not any(character.isspace() for word in found for character in word.text)
    ends = [0, *(word.end for word in found)]
    starts = [*(word.start for word in found), len(text)]
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert all(character.isspace() or is_invisible(character) for gap in gaps for character in gap)
    # Only white space can part an invisible character from a word.
    assert all(gap[0].isspace() and gap[-1].isspace() for gap in gaps[1:-1] if gap)
    assert all(end <= start for end, start in zip(ends, starts, strict=True))


def is_invisible(character):
    return unicodedata.category(character) in ("Cf", "Cc")


@given(st.one_of(st.text(), st.lists(st.sampled_from(SNIPPETS)).map("".join)))
def test_sentences_hold_all_words_and_none_is_empty(text):
    found = split_sentences(text)
    assert all(found)
    assert [word for sentence in found for word in sentence] == split_words(text)


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        ".",
        '"',
        "'",
        "1",
        "a.",
        "A. ",
        "a.a",
        "1.",
        "a@",
        "a@b.",
        "a-",
        "n't",
        "a'",
        "www.)",
        "#",
        "é",
        "e\u0301",
        "字",
        "\n",
        "\u200d",
        "\u200b",
        "a\u00ad",
        " \u200e",
        "!",
        "_",
        "a_",
        "a--",
        "a.-",
        "a/",
        "a_-a.",
        "a.com/)",
        "aa.aa.aa/",
        ":-",
        "😂\u200d",
    ],
)
def test_long_texts_take_linear_time(unit):
    text = (unit * 200_000)[:200_000]
    begun = time.process_time()
    split_sentences(text)
    # Takes a fraction of a second; in quadratic time it would take minutes.
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J. Smith met É. Zola.", ["J. Smith met É. Zola ."]),
        ("А. Пушкин спал.", ["А. Пушкин спал ."]),
        ("Так думаю я. Он ушёл домой.", ["Так думаю я .", "Он ушёл домой ."]),
        ("나야 나. 너는 누구?", ["나야 나 .", "너는 누구 ?"]),
    ],
)
def test_initials_are_capitals(text, expected):
    assert sentences(text) == expected
