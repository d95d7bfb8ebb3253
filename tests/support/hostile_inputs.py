"""Hostile texts, and corpora of every format with seeded damage."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import polytag

_LONG = 100_000

TEXTS: dict[str, str] = {
    "empty": "",
    "a line end": "\n",
    "NUL": "Peter\x00lives in\x00\x00Paris.",
    "only NUL": "\x00" * 1000,
    "control characters": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "escape sequences": "\x1b[31mPeter\x1b[0m \x1b]0;title\x07 \x1b[2J lives in Paris.",
    "carriage returns": "Peter\rlives\r\n\rin\r\r\nParis.\r",
    "separators of lines": "Peter\x0blives\x0cin\x1c\x1d\x1e\x85Paris\u2028now\u2029.",
    "bidi": "\u202ePeter\u202c \u2066lives\u2069 \u2067in\u2069 \u200fParis\u200e \u061c.",
    "bidi without end": "\u202e\u202d\u2066\u2067\u2068" * 500 + "Peter",
    "a flood of combining marks": "P" + "\u0301" * 50_000 + "eter lives.",
    "only combining marks": "\u0301\u20dd\u0489" * 5_000,
    "zero width": "Pe\u200bter\u200c li\u200dves\ufeff in\u2060 Paris",
    "only zero width": "\u200b\u200c\u200d\u2060\ufeff" * 2_000,
    "variation selectors": "👍\ufe0f👍\ufe0e" + "\U000e0100" * 3000,
    "tag characters": "🏴" + "".join(chr(0xE0000 + number) for number in range(128)) * 20,
    "emoji families": "👨\u200d👩\u200d👧\u200d👦" * 2_000,
    "skin tones": "👍" + "🏿" * 5_000,
    "odd flags": "🇩" * 5_001,
    "lone surrogates": "Peter \ud800 lives \udfff in \udc80Paris.",
    "only surrogates": "\ud83d" * 5_000,
    "halves in the wrong order": "\ude00\ud83d" * 500,
    "noncharacters": "\ufffe\uffff\ufdd0 Peter \U0010ffff",
    "private use": "\ue000\uf8ff \U000f0000 Peter",
    "replacement characters": "\ufffd" * 2_000,
    "a million letters": "x" * 1_000_000,
    "a million marks": "." * 1_000_000,
    "half a million hyphens": "a-" * 250_000,
    "abbreviations without end": "U.S." * 3_000,
    "quotes": "\"'`´“”„«»" * 400,
    "brackets": "(" * 5_000 + ")" * 5_000,
    "apostrophes": "don't" * 10_000,
    "digits": "1" * 100_000,
    "numbers": "1,000.50-2e10/3 " * 2_000,
    "many spaces": "Peter" + " " * 200_000 + "lives.",
    "odd spaces": "Peter\u00a0lives\u2003in\u3000Paris\u1680.\u180e\u205f",
    "tabs": "Peter\tlives\tin\tParis\t" * 500,
    "many empty lines": "Peter.\n" + "\n" * 5_000 + "Paris.",
    "a word a line": "Peter\n" * 5_000,
    "web addresses": "https://x.example/" + "a/" * 20_000 + "?" + "b=c&" * 5_000,
    "hashes": "#" * 5_000 + "@" * 5_000,
    "Chinese": "彼得住在巴黎。" * 500,
    "Thai": "ปีเตอร์อาศัยอยู่ในปารีส" * 1_000,
    "Arabic": "يعيش بيتر في باريس. " * 500,
    "stacked Tibetan": "\u0f40\u0f90\u0f90\u0f90\u0fb1" * 1_000,
    "Hangul letters": "\u1112\u1161\u11ab" * 5_000,
    "Zalgo": "".join(letter + "\u0335\u0327\u0336\u0489" * 30 for letter in "Peter lives in Paris. " * 30),
    "mathematical letters": "𝐏𝐞𝐭𝐞𝐫 𝖑𝖎𝖛𝖊𝖘 𝚒𝚗 𝓟𝓪𝓻𝓲𝓼",
    "ligatures": "ﷺﬁﬃ" * 3_000,
    "case that grows": "İıßŉΐﬗ" * 3_000,
    "interlinear": "\ufff9a\ufffab\ufffb" * 1_000,
    "the byte-order mark": "\ufeffPeter lives.",
    "JSON": '{"text": "Peter", "tokens": ["a"]}' * 100,
    "markup": "<script>alert(1)</script>&amp;[bold]Peter[/bold][red]" * 200,
    "formats": "%s %d {0} {} $HOME `id` \\x41 \\" * 500,
    "special tokens": "[CLS] [SEP] [MASK] [PAD] <s> </s> <unk> ##x" * 200,
    "the separator of documents": "-DOCSTART- -X- O O\n\n" * 500,
    "NaN": "NaN nan inf -inf None null true " * 200,
}
"""Texts by what they are full of; lone surrogates reach a command only as escapes in JSON."""

BYTES: dict[str, bytes] = {
    "no UTF-8": bytes(range(256)) * 20,
    "UTF-16": "Peter lives in Paris.\n".encode("utf-16"),
    "UTF-32": "Peter lives in Paris.\n".encode("utf-32"),
    "surrogates as bytes": b"Peter \xed\xa0\x80 lives \xed\xbf\xbf.\n",
    "overlong": b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80",
    "cut in a letter": "Zürich".encode()[:2],
    "gzip": gzip.compress(b"Peter lives in Paris.\n"),
    "noise": Random(18).randbytes(20_000),
}
"""Input that is no text."""


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data or b"\n")
    for _ in range(random.choice((1, 5, 50))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _swap_cells(data: bytes, random: Random, *values: bytes) -> bytes:
    """Replace some words, numbers and JSON values."""
    found = list(re.finditer(rb'"[^"\n]{0,40}"|[-\w.]+', data))
    chosen = sorted(random.sample(found, min(len(found), random.choice((1, 3, 20)))), key=lambda match: match.start())
    parts, end = [], 0
    for match in chosen:
        parts += [data[end : match.start()], random.choice(values)]
        end = match.end()
    return b"".join(parts) + data[end:]


def _numbers(data: bytes, random: Random) -> bytes:
    return _swap_cells(data, random, b"9" * 400, b"-1", b"1e999", b"0.5", b"NaN", b"9223372036854775808", b"9" * 5000)


def _types(data: bytes, random: Random) -> bytes:
    return _swap_cells(data, random, b"null", b"true", b"[]", b"{}", b'""', b'["a", 1]', b'{"a": {"b": []}}', b"")


def _controls(data: bytes, random: Random) -> bytes:
    return _swap_cells(data, random, b"\x00", b"\x1b[31m", b"\\u0000", b"\x0b", b"\x85", "\u202e\u2028".encode(), b"\r")


def _surrogates(data: bytes, random: Random) -> bytes:
    return _swap_cells(data, random, b'"\\ud800"', b"\xed\xa0\x80", b'"\\udfff\\ud800"', b"\\ud83d")


def _nested(data: bytes, random: Random) -> bytes:
    deep = random.choice((b"[", b'{"a":', b'{"tokens": [')) * 100_000
    place = random.randrange(len(data) + 1)
    return random.choice((deep, data[:place] + deep + data[place:]))


def _long_line(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((b"x", b"\t", b" ", b"-", b'"')) * _LONG + data[place:]


def _emptied(data: bytes, random: Random) -> bytes:
    return random.choice((b"", b"\n", b" \n\t\n", b"\x00", b"\xef\xbb\xbf", b"{}", b"[]", b"null"))


def _repeated(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines[: len(lines) // 2] * 2)


DAMAGES: dict[str, Callable[[bytes, Random], bytes]] = {
    "cut": _cut,
    "flipped bits": _flip,
    "huge numbers": _numbers,
    "wrong types": _types,
    "control characters": _controls,
    "half surrogates": _surrogates,
    "deep nesting": _nested,
    "a long line": _long_line,
    "empty": _emptied,
    "shuffled lines": _repeated,
}

_CSV = "sentence,word,tag\n" + "".join(
    f"{number},{word},{tag}\n" for number in range(4) for word, tag in (("Peter", "B-PER"), ("lives", "O"), (".", "O"))
)
_CONLL2012 = (
    "#begin document (nw/x/00/x_0001); part 000\n"
    + "".join(
        f"nw/x/00/x_0001 0 {place} {word} {pos} * - - - - {name} -\n"
        for place, (word, pos, name) in enumerate(
            (("Peter", "NNP", "(PERSON)"), ("lives", "VBZ", "*"), (".", ".", "*"))
        )
    )
    + "\n#end document\n"
)


_WRITTEN = ("column", "conllu", "jsonl", "parquet", "dataset", "brat", "doccano", "labelstudio", "spacy-json", "spacy")
FORMATS = (*_WRITTEN, "train.csv", "train.v4_gold_conll", "train.conll.gz")
"""Corpora by format: folders that polytag writes, named after their format, and single files."""


def sound_corpora(folder: Path) -> dict[str, Path]:
    """A small corpus in every format that polytag reads from files: a file or a folder of each."""
    source = folder / "source.conll"
    lines = (
        "Peter NNP B-PER",
        "lives VBZ O",
        "in IN O",
        "Zürich NNP B-LOC",
        ". . O",
        "",
        "He PRP O",
        "sleeps VBZ O",
        "",
    )
    source.write_text("\n".join(lines * 6), encoding="utf-8")
    corpus = polytag.load_corpus(str(source), columns="tokens,pos_tags,ner_tags")
    found = {name: folder / name for name in FORMATS}
    for name in _WRITTEN:
        polytag.convert_corpus(corpus, folder / name, format=name)
    (folder / "train.csv").write_text(_CSV)
    (folder / "train.v4_gold_conll").write_text(_CONLL2012)
    (folder / "train.conll.gz").write_bytes(gzip.compress(source.read_bytes()))
    return found


def damaged(sound: Path, place: Path, damage: str, random: Random) -> Path:
    """A copy of a corpus with one kind of damage in one of its files."""
    if sound.is_dir():
        shutil.copytree(sound, place)
        file = random.choice(sorted(path for path in place.rglob("*") if path.is_file()))
    else:
        place.mkdir()
        file = Path(shutil.copy(sound, place))
    file.write_bytes(DAMAGES[damage](file.read_bytes(), random))
    return place if sound.is_dir() else file


def as_json_lines(text: str) -> bytes:
    """The text as `predict --input jsonl` reads it, with escapes for what UTF-8 cannot hold."""
    return json.dumps({"text": text}).encode() + b"\n"
