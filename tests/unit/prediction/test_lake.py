"""`predict_lake`: what is read, what is written, what is refused, and what a rerun does."""

import gzip
import json
import shutil
from pathlib import Path

import fsspec
import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger, predict_lake
from polytag.prediction import lake, shards, tag_rows
from support.kills import Kill, each

pa, pq = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))

TEXTS = ["Peter Smith lives in Rome.", "Anna Keller met him in Geneva.", "It rained.", "", "Zoë left for New York."] * 4


@pytest.fixture(scope="module")
def tagger(ner_run) -> Tagger:
    return Tagger.load(ner_run.output)


@pytest.fixture
def ner(ner_run) -> Path:
    return ner_run.output


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.fixture
def small_shards(monkeypatch) -> None:
    """A file is split after four rows."""
    monkeypatch.setattr(shards, "SHARD_ROWS", 4)


def write_parquet(path: Path, texts=TEXTS, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": range(len(texts)), "text": texts, "by": ["me"] * len(texts)}), path, **options)


def write_json(path: Path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def objects(path) -> list:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What goes in and what comes out


def test_parquet_keeps_its_columns_and_gets_the_columns_of_a_tagged_dataset(ner, tagger, place):
    write_parquet(place / "in/a.parquet")
    result = predict_lake(ner, "in", "out")
    table = pq.read_table("out/a.parquet")
    assert table.column_names == ["id", "text", "by", "spans", "words", "offsets", "sentence_starts", "tags", "scores"]
    expected = [found.to_dict() for found in tagger.tag(TEXTS)]
    rows = table.to_pylist()
    assert [(row["id"], row["text"], row["by"]) for row in rows] == [(at, text, "me") for at, text in enumerate(TEXTS)]
    for row, tagged in zip(rows, expected, strict=True):
        tagged["offsets"] = list(map(list, tagged["offsets"]))
        assert {name: row[name] for name in tagged} == tagged
    assert (result.rows, result.quarantined, result.shards, result.left_out) == (20, 0, 1, ())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "Peter sleeps.\n\nIn Rome, it rains."),
        ("a.jsonl", '{"text": "Peter sleeps.", "id": 7}\n\n{"tokens": ["In", "Rome"], "document": "d"}\n'),
        ("a.conll", "-DOCSTART- O\n\nPeter O\nsleeps O\n\nRome B-LOC\n"),
        ("a.conll", "Peter O\nsleeps O\n\nRome B-LOC\n"),
    ],
)
def test_lines_give_what_predict_gives_for_one_file(ner, place, name, content):
    (place / "in" / name).write_text(content, encoding="utf-8")
    polytag.predict(ner, f"in/{name}", output="one.jsonl")
    predict_lake(ner, "in", "out")
    assert Path("out/a.jsonl").read_bytes() == Path("one.jsonl").read_bytes()


def test_other_forms_of_text_are_read_too(ner, place):
    Path("in/a.txt").write_bytes("Zoë sleeps.\nParis shines.".encode("utf-16"))
    Path("in/b.txt.gz").write_bytes(gzip.compress(b"Peter sleeps.\r\nAnna left.\r\n"))
    predict_lake(ner, "in", "out")
    assert [row["text"] for row in objects("out/a.jsonl")] == ["Zoë sleeps.", "Paris shines."]
    assert [row["text"] for row in objects("out/b.jsonl")] == ["Peter sleeps.", "Anna left."]
    predict_lake(ner, "in", "documents", input_format="document")
    assert [row["text"] for row in objects("documents/b.jsonl")] == ["Peter sleeps.\nAnna left."]
    predict_lake(ner, "in/b.txt.gz", "words", input_format="words")
    assert [row["words"] for row in objects("words/b.jsonl")] == [["Peter", "sleeps."], ["Anna", "left."]]


def test_words_are_replaced_by_their_text_and_documents_are_read_together(ner, place):
    words = [["Peter", "sleeps"], ["In", "Rome"], []]
    table = pa.table({"id": [1, 2, 3], "sentence": words, "page": ["a", "a", "b"]})
    pq.write_table(table, "in/a.parquet")
    predict_lake(ner, "in", "out", tokens_column="sentence", document_column="page")
    found = pq.read_table("out/a.parquet")
    assert found.column_names[:3] == ["id", "text", "page"]
    assert found["text"].to_pylist() == ["Peter sleeps", "In Rome", ""]
    assert found["words"].to_pylist() == words
    predict_lake(ner, "in", "lines", tokens_column="sentence", output_format="jsonl")
    assert [row["page"] for row in objects("lines/a.jsonl")] == ["a", "a", "b"]


def test_json_lines_become_parquet_with_a_type_for_each_field(ner, place):
    write_json(place / "in/a.jsonl", [{"body": "Peter", "n": 1}, {"body": "Rome", "n": 2.5, "tags_of": ["x"]}])
    predict_lake(ner, "in", "out", text_column="body", output_format="parquet")
    table = pq.read_table("out/a.parquet")
    assert table.select(["body", "n", "tags_of"]).to_pylist() == [
        {"body": "Peter", "n": 1.0, "tags_of": None},
        {"body": "Rome", "n": 2.5, "tags_of": ["x"]},
    ]
    write_json(place / "in/a.jsonl", [{"text": "Peter", "n": 1}, {"text": "Rome", "n": "two"}])
    with pytest.raises(PolytagError, match=r"columns of one type each.*--format jsonl"):
        predict_lake(ner, "in", "other", output_format="parquet")


def test_folders_patterns_and_files_keep_their_names(ner, place):
    write_parquet(place / "in/2026/a.parquet", ["Anna"])
    write_parquet(place / "in/2025/a.parquet", ["Peter"])
    for name in ("in/_SUCCESS", "in/.hidden.parquet", "in/_old/b.parquet", "in/README"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("no")
    result = predict_lake(ner, "in", "out")
    assert result.left_out == ("in/README",)
    names = {"2025/a.parquet", "2026/a.parquet", "_polytag.json"}
    assert tree(place / "out").keys() == names
    predict_lake(ner, "in/*/a.parquet", "pattern")
    assert tree(place / "pattern").keys() == names
    predict_lake(ner, ["in/2025/a.parquet"], "file")
    assert tree(place / "file").keys() == {"a.parquet", "_polytag.json"}


@pytest.mark.usefixtures("small_shards")
def test_a_large_file_is_split_and_no_row_is_lost(ner, place):
    write_parquet(place / "in/a.parquet", row_group_size=3)
    write_json(place / "in/b.jsonl", ({"text": text, "id": at} for at, text in enumerate(TEXTS)))
    Path("in/c.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    result = predict_lake(ner, "in", "out", output_format="jsonl")
    parts = {stem: sorted(Path("out").glob(f"{stem}-*.jsonl")) for stem in "abc"}
    assert [path.name for path in parts["a"]] == [f"a-0000{part}.jsonl" for part in range(4)]
    assert result.shards == sum(map(len, parts.values())) == 14
    for stem in "ab":
        assert [row["id"] for part in parts[stem] for row in objects(part)] == list(range(20))
    assert [row["text"] for part in parts["c"] for row in objects(part)] == TEXTS


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_file_systems_of_fsspec_are_read_and_written(ner, place, scheme):
    root = "memory://lake" if scheme == "memory" else f"file://{place}/lake"
    system, inner = fsspec.core.url_to_fs(root)
    if system.exists(inner):
        system.rm(inner, recursive=True)
    write_parquet(place / "a.parquet")
    system.makedirs(f"{inner}/in")
    system.put_file("a.parquet", f"{inner}/in/a.parquet")
    system.pipe_file(f"{inner}/in/b.jsonl", b'{"text": "Anna left."}\n{"text": 3}\n')
    result = predict_lake(ner, f"{root}/in", f"{root}/out")
    assert (result.rows, result.quarantined) == (21, 1)
    with system.open(f"{inner}/out/a.jsonl") as lines:
        assert [json.loads(line)["text"] for line in lines] == TEXTS
    assert system.exists(f"{inner}/out/_quarantine/b.jsonl.jsonl")
    assert predict_lake(ner, f"{root}/in", f"{root}/out").tagged == 0
    polytag.predict(ner, f"{root}/in/a.parquet", output=f"{root}/one.parquet")
    with system.open(f"{inner}/one.parquet", "rb") as file:
        assert pq.read_table(file)["text"].to_pylist() == TEXTS


# Rows that cannot be tagged


def test_rows_that_cannot_be_tagged_are_listed_with_file_and_row(ner, place, small_shards):
    write_parquet(place / "in/a.parquet", ["Anna", "Peter", "Rome", "It", None, "Zoë"], row_group_size=4)
    rows = b'{"text": "Anna"}\n\nno\n{"text": "a", "tags": {}}\n{"text": "Zo\xeb"}\n{"text": "\\ud83d"}\n'
    Path("in/b.jsonl").write_bytes(rows)
    result = predict_lake(ner, "in", "out", output_format="jsonl")
    assert (result.rows, result.quarantined) == (6, 5)
    bad = [row for path in sorted(Path("out/_quarantine").iterdir()) for row in objects(path)]
    assert [(row["file"], row["row"]) for row in bad] == [
        ("in/a.parquet", 5),
        *(("in/b.jsonl", at) for at in (3, 4, 5, 6)),
    ]
    for row, reason in zip(bad, ["no value", "not JSON", "field 'tags'", "not UTF-8", "half a character"], strict=True):
        assert reason in row["reason"]


def test_a_sentence_that_cannot_be_read_is_listed_and_the_others_are_tagged(ner, place):
    lines = [b"Anna\tO", b"left\tO", b"", b"Pe\xffter\tO", b"left\tO", b"", b"\tO", b"", b"Rome\tO"]
    for name, pack in (("a.conll", bytes), ("b.conll.gz", gzip.compress)):
        Path("in", name).write_bytes(pack(b"\n".join(lines)))
    result = predict_lake(ner, "in", "out")
    assert (result.rows, result.quarantined) == (4, 4)
    for name in "ab":
        assert [row["words"] for row in objects(f"out/{name}.jsonl")] == [["Anna", "left"], ["Rome"]]
        bad = objects(f"out/_quarantine/{name}.jsonl.jsonl")
        assert [row["row"] for row in bad] == [2, 3]
        assert "line 4: byte 3 of the line is not UTF-8" in bad[0]["reason"]
        assert "line 7" in bad[1]["reason"]
        assert "has no word in column 1" in bad[1]["reason"]


def test_bytes_that_are_not_utf8_concern_their_row_in_compressed_files_too(ner, place):
    Path("in/a.txt.gz").write_bytes(gzip.compress(b"Anna left.\n\xff\nRome"))
    Path("in/b.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Anna"}\n{"text": "\xff"}\n'))
    predict_lake(ner, "in", "out")
    assert [row["text"] for row in objects("out/a.jsonl")] == ["Anna left.", "Rome"]
    assert [row["row"] for row in objects("out/_quarantine/a.jsonl.jsonl")] == [2]
    assert [row["row"] for row in objects("out/_quarantine/b.jsonl.jsonl")] == [2]
    result = predict_lake(ner, "in/a.txt.gz", "documents", input_format="document")
    assert (result.rows, result.quarantined) == (0, 1)
    assert "line 2: byte 1" in objects("documents/_quarantine/a.jsonl.jsonl")[0]["reason"]


def test_rows_of_any_column_type_can_be_left_out(ner, place):
    texts = pa.array(["Anna", None, "Rome"], pa.string_view())
    pq.write_table(pa.table({"text": texts, "id": [1, 2, 3]}), "in/a.parquet")
    predict_lake(ner, "in", "out")
    assert pq.read_table("out/a.parquet").select(["text", "id"]).to_pylist() == [
        {"text": "Anna", "id": 1},
        {"text": "Rome", "id": 3},
    ]


def test_a_row_at_which_the_tagger_fails_is_found_among_the_others(ner, place, monkeypatch):
    usual = Tagger.stream

    def stream(self, texts, **options):
        texts = list(texts)
        if "bad" in texts:
            raise ValueError("the splitter fails")
        return usual(self, texts, **options)

    monkeypatch.setattr(Tagger, "stream", stream)
    write_parquet(place / "in/a.parquet", ["Anna", "bad", "Rome", "bad"])
    predict_lake(ner, "in", "out", output_format="jsonl")
    assert [row["text"] for row in objects("out/a.jsonl")] == ["Anna", "Rome"]
    assert [row["row"] for row in objects("out/_quarantine/a.jsonl.jsonl")] == [2, 4]
    write_parquet(place / "in/a.parquet", ["bad", "bad"])
    with pytest.raises(ValueError, match="the splitter fails"):  # it is not the rows
        predict_lake(ner, "in", "other")


def test_one_file_with_a_bad_row_is_an_error(ner, place):
    write_parquet(place / "in/a.parquet", ["Anna", None])
    with pytest.raises(
        PolytagError, match=r"'in/a.parquet', row 2: the column 'text' has no value.*--workers 1 --output"
    ):
        polytag.predict(ner, "in/a.parquet", output="a.parquet")
    assert not Path("a.parquet").exists()


# What is refused before work begins


@pytest.mark.parametrize(
    ("inputs", "options", "expected"),
    [
        ("nowhere.parquet", {}, "'nowhere.parquet' does not exist"),
        ("in/*.csv", {}, "pattern matches no file"),
        ("empty", {}, "folder has no files"),
        ("in/none.parquet", {}, "'in/none.parquet' has no rows"),
        ("in/none.txt", {}, "'in/none.txt' has no rows"),
        ("in/a.parquet", {"text_column": "body"}, "no column 'body' of strings.*does not exist.*id .int64., text"),
        ("in/a.parquet", {"text_column": "id"}, "no column 'id' of strings: it is of type int64"),
        ("in/a.jsonl", {"text_column": "body"}, "has no field 'body'; it has text"),
        ("in/a.txt", {"text_column": "body"}, "read as text, which has no columns with names"),
        (["in/a.parquet", "in/a.jsonl"], {}, "would both be 'a.jsonl'"),
        ("in/tagged.jsonl", {}, "already has a column 'spans'"),
        ("in/broken.parquet", {}, "damaged, or is no Parquet file"),
        ("in/twice.parquet", {}, "'in/twice.parquet' has several columns named 'id'. Rename or drop all but one"),
        ("-", {}, "Standard input"),
        ("in", {"output": "in/out"}, "is in the other"),
        ("in/a.txt", {"output": "in"}, "is in the other"),
        ("in/a.txt", {"output": "in/a.jsonl"}, "is a file"),
        ("in/a.txt", {"output": "."}, "is in the other"),
        ("in/a.txt", {"output": "full"}, "is not empty, and has no _polytag.json"),
        ("in/a.txt", {"workers": 0}, "an integer of at least 1"),
        ("in/a.txt", {"output": "memory://out", "workers": 2}, "other workers do not see it"),
        ("in/a.txt", {"runner": "dask"}, "no runner named 'dask'"),
        ("in/a.txt", {"ray_address": "auto"}, "--ray-address is for --runner ray"),
        ("in/a.txt", {"output_format": "conll"}, "no output format named 'conll'"),
        ("in/a.txt", {"text_column": "a", "tokens_column": "b"}, "--text-column and --tokens-column"),
        ("in/a.txt", {"text_column": "a", "document_column": "b"}, "--document-column says"),
        ("nope://a/b", {}, "Protocol not known"),
    ],
)
def test_mistakes_are_found_before_work_begins(ner, place, monkeypatch, inputs, options, expected):
    write_parquet(place / "in/a.parquet")
    write_parquet(place / "in/none.parquet", pa.array([], pa.string()))
    pq.write_table(pa.table([["Anna"], [1], [2]], names=["text", "id", "id"]), "in/twice.parquet")
    write_json(place / "in/a.jsonl", [{"text": "Anna"}])
    write_json(place / "in/tagged.jsonl", [{"text": "Anna", "spans": []}])
    for name, content in {"a.txt": "Anna", "none.txt": "", "broken.parquet": "PAR"}.items():
        Path("in", name).write_text(content)
    for name in ("empty", "full/more"):
        Path(name).mkdir(parents=True)
    monkeypatch.setattr(Tagger, "load", None)
    with pytest.raises(PolytagError, match=f"(?s){expected}"):
        predict_lake(ner, inputs, options.pop("output", "out"), **options)
    assert not Path("out/a.parquet").exists()


# Runs that are continued


def test_the_same_call_continues_and_another_one_is_refused(ner, place):
    write_parquet(place / "in/a.parquet")
    Path("in/b.txt").write_text("Anna\n")
    predict_lake(ner, "in", "out")
    before, times = tree(place / "out"), {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert predict_lake(ner, "in", "out").tagged == 0
    assert {path: path.stat().st_mtime_ns for path in Path("out").iterdir()} == times
    Path("out/b.jsonl").unlink()
    assert predict_lake(ner, "in", "out").tagged == 1
    assert tree(place / "out") == before
    shutil.copytree(ner, "argmax")
    description = Path("argmax/polytag.json")
    description.write_text(description.read_text().replace("viterbi", "argmax"))
    with pytest.raises(PolytagError, match="begun with another tagger"):
        predict_lake("argmax", "in", "out")
    with pytest.raises(PolytagError, match=r"other options: min_score was not given, and is 0\.5"):
        predict_lake(ner, "in", "out", min_score=0.5)
    with pytest.raises(PolytagError, match=r"'a\.jsonl' of 'in/a.parquet', which is not among the inputs now"):
        predict_lake(ner, ["in/b.txt"], "out", output_format="jsonl")
    Path("in/c.txt").write_text("More.\n")
    assert predict_lake(ner, "in", "out").tagged == 1
    Path("in/b.txt").write_text("Anna\nPeter\n")
    with pytest.raises(PolytagError, match=r"'in/b\.txt' has changed"):
        predict_lake(ner, "in", "out")
    Path("out/_polytag.json").write_text("{}")
    with pytest.raises(PolytagError, match="damaged"):
        predict_lake(ner, "in", "out")


def test_two_runs_do_not_write_to_one_folder(ner, place):
    Path("in/a.txt").write_text("Anna\n")

    def again(progress):
        with pytest.raises(PolytagError, match="Another process is writing"):
            predict_lake(ner, "in", "out")

    predict_lake(ner, "in", "out", on_progress=again)
    assert tree(place / "out").keys() == {"a.jsonl", "_polytag.json"}


@pytest.mark.slow
def test_killed_at_any_file_operation_a_run_continues_to_the_same_bytes(ner, place, monkeypatch, tagger):
    monkeypatch.setattr(lake, "_EVERY", 0)
    monkeypatch.setattr(Tagger, "load", lambda *_: tagger)
    write_parquet(place / "in/a.parquet", ["Anna", None])
    Path("in/b.txt").write_text("Anna\nPeter\n")
    (place / "out").mkdir()
    predict_lake(ner, "in", "out")
    whole = tree(place / "out")
    assert whole.keys() == {"a.jsonl", "b.jsonl", "_polytag.json", "_quarantine/a.jsonl.jsonl"}
    for kill in each(Kill, place / "out"):
        shutil.rmtree("out")
        Path("out").mkdir()
        with kill:
            predict_lake(ner, "in", "out")
        predict_lake(ner, "in", "out")
        assert tree(place / "out") == whole, kill


def test_progress_counts_rows_and_shards(ner, place):
    write_parquet(place / "in/a.parquet")
    Path("in/b.txt").write_text("Anna\n")
    seen = []
    predict_lake(ner, "in", "out", on_progress=seen.append)
    assert (seen[0].rows, seen[0].total_rows, seen[0].total_shards) == (0, 21, 2)
    assert (seen[-1].rows, seen[-1].shards) == (21, 2)
    assert [progress.finished.output for progress in seen if progress.finished] == ["a.jsonl", "b.jsonl"]
    Path("out/b.jsonl").unlink()
    seen.clear()
    predict_lake(ner, "in", "out", on_progress=seen.append)
    assert (seen[0].rows, seen[0].shards) == (20, 1)


def test_documents_are_whole_across_batches(ner, place, monkeypatch):
    from polytag.prediction import rows

    monkeypatch.setattr(rows, "LOOK_AHEAD", 2)
    seen = []
    usual = tag_rows._tagged
    monkeypatch.setattr(tag_rows, "_tagged", lambda *given: seen.append(given[2]) or usual(*given))
    pages = np.repeat([1, 2, 3], [3, 1, 4])
    pq.write_table(pa.table({"tokens": [["Anna"]] * 8, "document": pages}), "in/a.parquet")
    predict_lake(ner, "in", "out")
    assert seen == [[1, 1, 1], [2], [3, 3, 3, 3]]
