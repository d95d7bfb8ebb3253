"""Tokenizers of checkpoints: read without transformers, with the same subwords."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from polytag import PolytagError
from polytag.encoding.coders import SubwordCoder
from polytag.encoding.tokenizer import load_coder, load_tokenizer, restore_coder
from support.absent import cannot_import
from support.checkpoints import BYTE_LEVEL, FAMILIES, POSITIONS, SENTENCES, make_checkpoint, transformers_tokenizer

each_family = pytest.mark.parametrize("family", FAMILIES)

WORDS = [word for sentence in SENTENCES for word in sentence.split()]
SIMPLE = [
    *(
        "German",
        "GERMAN",
        "naïve",
        "Straße",
        "İstanbul",
        "😀",
        "👩\u200d🚀",
        "日本",
        "東京タワー",
        "한국",
        "мир",
        "क्\u200dष",
    ),
    *("", " ", "\x00", "\x01", "\t", "\u200b", "a b", "don't", "3.5", "x" * 300),
    *("[MASK]", "<mask>", "[SEP]", "</s>", "[UNK]", "<unk>", "##a", "▁a", "Ġa"),
]
ODD = [
    *SIMPLE,
    "e\u0301",
    "a\u0300\u0301",
    "ﬁne",
    "①",
    "½",
    "…",
    "ＦＵＬＬ",
    "a\u00a0b",
    "\u3000",
    "\ufeffx",
    "``",
    "''",
]
"""Also those that Unicode normalisation changes."""


def settings_of(tokenizer: Any) -> dict[str, Any]:
    """What transformers knows of its tokenizer."""
    before, after = tokenizer("")["input_ids"]
    return {
        "before": [before],
        "after": [after],
        "padding": tokenizer.pad_token_id,
        "unknown": _unknown(tokenizer),
        "max_units": tokenizer.model_max_length - 2,
    }


def _unknown(tokenizer: Any) -> int:
    """What stands for what the tokenizer does not know: EuroBERT's has no unknown token."""
    return tokenizer.mask_token_id if tokenizer.unk_token_id is None else tokenizer.unk_token_id


def assert_transformers_reads_the_same(folder: Path, words: list[str], family: str | None = None) -> None:
    expected = transformers_tokenizer(folder, family)
    found = load_tokenizer(folder)
    assert found.coder_settings() == settings_of(expected)
    coder = load_coder(folder)
    for word in words:
        ids = expected(word, add_special_tokens=False)["input_ids"] or [_unknown(expected)]
        assert coder.encode([word]).ids[:, 0].tolist() == ids[: coder.max_units], word


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


# The subwords are those of transformers


@each_family
def test_a_checkpoint_has_the_subwords_that_transformers_makes_of_it(family: str, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, family)
    assert_transformers_reads_the_same(folder, [*WORDS, *SIMPLE], family)


@each_family
def test_a_tokenizer_that_transformers_saved_has_the_same_subwords(family: str, tmp_path: Path) -> None:
    """So did the taggers of earlier versions."""
    folder = make_checkpoint(tmp_path, family)
    transformers_tokenizer(folder, family).save_pretrained(folder)
    assert_transformers_reads_the_same(folder, [*WORDS, *ODD])


@each_family
def test_what_is_saved_has_the_same_subwords_in_transformers(family: str, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "checkpoint", family)
    (tmp_path / "saved").mkdir()
    load_tokenizer(folder).save(tmp_path / "saved")
    shutil.copy(folder / "config.json", tmp_path / "saved")
    assert_transformers_reads_the_same(tmp_path / "saved", [*WORDS, *SIMPLE])
    before, after = load_tokenizer(folder), load_tokenizer(tmp_path / "saved")
    assert before.backend.to_str() == after.backend.to_str()


@pytest.mark.parametrize("uncased", [True, False])
def test_settings_that_are_not_stated_are_completed_for_transformers(uncased: bool, tmp_path: Path) -> None:
    """By default it converts to lower case, whatever tokenizer.json says."""
    folder = make_checkpoint(tmp_path, "bert", uncased=uncased)
    (folder / "tokenizer_config.json").write_text(f'{{"model_max_length": {POSITIONS}}}')
    load_tokenizer(folder).save(folder)
    assert_transformers_reads_the_same(folder, ODD)
    coder = load_coder(folder)
    assert (coder.encode(["EU"]).ids.tolist() == coder.encode(["eu"]).ids.tolist()) == uncased


def test_the_settings_of_a_bert_tokenizer_go_before_its_file(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert", uncased=True)
    edit(folder / "tokenizer_config.json", do_lower_case=False, tokenize_chinese_chars=False)
    assert_transformers_reads_the_same(folder, ODD)
    edit(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    assert_transformers_reads_the_same(folder, ODD)
    assert load_coder(folder).encode(["EU"]).ids.tolist() == load_coder(folder).encode(["eu"]).ids.tolist()


@each_family
def test_the_unicode_normalisation_of_a_checkpoint_s_file_counts(family: str, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, family)
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for word in ("①", "½", "ﬁne"):
        text = f" {word}" if family in BYTE_LEVEL else word
        ids = own.encode(text, add_special_tokens=False).ids
        assert load_coder(folder).encode([word]).ids[:, 0].tolist() == ids


def test_special_tokens_are_special_where_only_the_settings_name_them(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    described = json.loads((folder / "tokenizer.json").read_text())
    mask = described["model"]["vocab"]["[MASK]"]
    kept = [token for token in described["added_tokens"] if token["content"] != "[MASK]"]
    edit(folder / "tokenizer.json", added_tokens=kept)
    assert load_coder(folder).encode(["[MASK]"]).ids.tolist() == [[mask]]
    assert_transformers_reads_the_same(folder, ODD)


def test_the_old_file_of_special_tokens_goes_before_the_settings(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    token = {"content": "!", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    (folder / "special_tokens_map.json").write_text(json.dumps({"unk_token": token, "pad_token": "a"}))
    found, ids = load_tokenizer(folder).coder_settings(), load_coder(folder).encode(["!", "a"]).ids
    assert [[found["unknown"]], [found["padding"]]] == ids.tolist()


def test_special_tokens_that_nobody_names_are_found_by_their_usual_names(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "roberta")
    named = load_tokenizer(folder).coder_settings()
    (folder / "tokenizer_config.json").unlink()
    assert load_tokenizer(folder).coder_settings() == named | {"max_units": 100_000 - 2}


# Words begin with a space


@pytest.mark.parametrize(
    "steps",
    [
        lambda byte_level: byte_level,
        lambda byte_level: pre_tokenizers.Sequence([byte_level, pre_tokenizers.Punctuation()]),
        lambda byte_level: pre_tokenizers.Sequence([pre_tokenizers.Digits(), byte_level]),
    ],
)
def test_a_word_is_encoded_as_after_a_space(steps: Any, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "roberta")
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.pre_tokenizer = steps(own.pre_tokenizer)
    own.save(str(folder / "tokenizer.json"))
    coder = load_coder(folder)
    for word in ("German", "a", "3.5", "a1b2", "x,y"):
        ids = own.encode(f" {word}", add_special_tokens=False).ids
        assert coder.encode([word]).ids[:, 0].tolist() == ids, word
    load_tokenizer(folder).save(folder)
    assert restore_coder(folder).encode(WORDS).ids.tolist() == coder.encode(WORDS).ids.tolist()


# Files


def test_transformers_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    cannot_import(monkeypatch, "transformers")
    assert isinstance(restore_coder(folder), SubwordCoder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(PolytagError, match=r"has no fast tokenizer.*Convert it where its slow tokenizer loads"):
        load_tokenizer(folder)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "bert", "bert")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "tokenizer.json").symlink_to("/dev/full")
    for save in (load_tokenizer(folder).save, load_coder(folder, 48).save_coder):
        with pytest.raises(OSError, match="No space left on device"):
            save(tmp_path / "full")


def test_the_folder_is_not_needed_once_it_is_read(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "checkpoint", "bert")
    contents = {
        "vocab.txt": b"[PAD]\n",
        "special_tokens_map.json": b'{"unk_token": "[UNK]"}',
        "added_tokens.json": b"{}",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "training_args.txt").touch()
    tokenizer, expected = load_tokenizer(folder), load_coder(folder).encode(WORDS).ids.tolist()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    shutil.rmtree(folder)
    (saved := tmp_path / "saved").mkdir()
    tokenizer.save(saved)
    assert {path.name for path in saved.iterdir()} == {*contents, "tokenizer.json", "tokenizer_config.json"}
    assert {name: (saved / name).read_bytes() for name in contents} == contents
    assert json.loads((saved / "tokenizer_config.json").read_text()).items() >= settings.items()
    assert load_coder(saved).encode(WORDS).ids.tolist() == expected


def test_what_leads_to_code_or_other_files_is_not_saved(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    code = {"AutoTokenizer": ["mine.Slow", "mine.Fast"]}
    edit(folder / "tokenizer_config.json", auto_map=code, fast_tokenizer_files=["tokenizer.4.json"])
    load_tokenizer(folder).save(folder)
    assert not {"auto_map", "fast_tokenizer_files"} & json.loads((folder / "tokenizer_config.json").read_text()).keys()


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["mine.Slow", None]}, "tokenizer_class": "Slow"}),
        ("config.json", {"configuration_files": ["config.5.0.json"]}),
    ],
)
def test_no_code_of_a_checkpoint_is_run_and_nobody_is_asked(
    file: str, change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\nclass Slow: pass\n")
    edit(folder / file, **change)
    own = load_coder(folder).encode(WORDS)
    (folder / "tokenizer.json").rename(folder / "kept.json")
    (folder / "vocab.txt").write_text("[UNK]\nEU\n")
    monkeypatch.setattr("builtins.input", lambda _="": pytest.fail("asks"))
    with pytest.raises(PolytagError, match=f"cannot be converted: its {file} has the field '{next(iter(change))}'"):
        load_tokenizer(folder)
    (folder / "kept.json").rename(folder / "tokenizer.json")
    assert own.ids.tolist() == restore_coder(folder).encode(WORDS).ids.tolist()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("tokenizer.json", '{"model": {}}', "has no fast tokenizer: its tokenizer.json is damaged"),
        ("tokenizer_config.json", "{", "tokenizer_config.json is damaged: it is not JSON"),
        ("tokenizer_config.json", '{"do_lower_case": "no"}', "is damaged: do_lower_case is 'no'"),
        ("tokenizer_config.json", '{"do_lower_case": null}', "is damaged: do_lower_case is None"),
        ("tokenizer_config.json", '{"model_max_length": "x"}', "is damaged: model_max_length is 'x'"),
        (
            "tokenizer_config.json",
            '{"model_max_length": NaN}',
            "'model_max_length' is NaN, which is not a number",
        ),
        ("tokenizer_config.json", r'{"unk_token": "\ud83d"}', r"is damaged: unk_token is '\\ud83d'"),
        ("special_tokens_map.json", "[]", "special_tokens_map.json is damaged: it is not a JSON object"),
    ],
)
def test_a_damaged_file_is_named(file: str, content: str, expected: str, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    (folder / file).write_text(content)
    with pytest.raises(PolytagError, match=expected):
        load_coder(folder)


def test_an_unknown_token_outside_the_vocabulary_is_damage(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    Tokenizer(models.BPE(vocab={"a": 0}, merges=[], unk_token="<unk>")).save(str(folder / "tokenizer.json"))
    with pytest.raises(PolytagError, match=r"tokenizer\.json is damaged \(.*<unk>.*not found in the vocabulary"):
        load_coder(folder)


def test_a_vocabulary_that_cannot_be_converted_is_damaged(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(PolytagError, match="has a damaged tokenizer"):
        load_tokenizer(folder)


def test_a_tokenizer_without_a_limit_has_the_network_s(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    edit(folder / "tokenizer_config.json", model_max_length=int(1e30))
    assert load_coder(folder).max_units == 100_000 - 2
    assert restore_coder(folder).max_units == POSITIONS - 2


@pytest.mark.skipif("POLYTAG_TEST_ENCODER" not in os.environ, reason="needs a real encoder in POLYTAG_TEST_ENCODER")
def test_a_real_checkpoint_has_the_subwords_that_transformers_makes_of_it() -> None:
    assert_transformers_reads_the_same(Path(os.environ["POLYTAG_TEST_ENCODER"]), [*WORDS, *ODD])
