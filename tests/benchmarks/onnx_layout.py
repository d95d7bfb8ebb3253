"""The ONNX models in the folders of taggers, as optimum and transformers.js load them: do they find polytag's tags?

    python tests/benchmarks/onnx_layout.py --tagger FOLDER

One tagger with random weights is made for each family of checkpoints. `--tagger` adds trained ones with one task,
aligned with `first`; their folders are copied. Both ONNX models are written into each folder, and each peer loads them
as its documentation does. polytag decodes by argmax, as peers do. Compared are:

- the ids of subwords;
- the logits with TensorFlow's, or, of eight bits, with ONNX Runtime's: the largest difference, also in WebAssembly;
- the label of each word's first subword with the tag, where the peer gives one;
- for trained taggers, the share of texts with the same spans, which peers form of all subwords.

The programs of docs/how-to/tag-without-tensorflow.md are run on the last tagger that both know. It needs npm. A family
that a peer does not know is said to be unknown to it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, Side, add_peers, closing, console, parser, peer_python, table

import polytag
from polytag.corpus.sample.reader import sample_sentences
from support.checkpoints import FAMILIES
from support.pages import DOCS, Block, parts
from support.random_tagger import save_random_tagger

PACKAGES = ("@huggingface/transformers@4",)
UNKNOWN = {"optimum": ("eurobert",), "transformers.js": ("albert",)}
"""Families that a peer does not know: transformers 4.57, and the token classifiers of transformers.js."""

BATCH_SIZES = {"model.onnx": 8, "model_quantized.onnx": 1}
"""In eight bits, the numbers depend on what else is in a batch."""
LARGEST_DIFFERENCE = 1e-4
LONGEST = 40
"""Subwords that a window of the smallest checkpoints holds, with room for special tokens."""
RANDOM = "random-"
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@dataclass
class Expected:
    """What polytag finds in the texts, in one of its runtimes.

    Attributes:
        ids: For each text its subwords, int64 (length,).
        logits: float32 (length, labels).
        places: The first subword of each word.
        tags: The tag of each word.
        spans: Label and text, without spaces.
    """

    ids: list[NDArray[Any]]
    logits: list[NDArray[Any]]
    places: list[list[int]]
    tags: list[list[str]]
    spans: list[list[tuple[str, str]]]


def main() -> None:
    """Write the folders, let the peers read them, and compare."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--tagger", type=Path, action="append", default=[], help="folder of a trained tagger")
    options.add_argument("--families", nargs="*", default=list(FAMILIES), help="families of checkpoints")
    options.add_argument("--sentences", type=int, default=40)
    chosen = options.parse_args()
    report = Report("onnx_layout", chosen)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folders = [_random_tagger(home / f"{RANDOM}{family}", family) for family in chosen.families]
        folders += [shutil.copytree(given, home / "given" / given.resolve().name) for given in chosen.tagger]
        models = [path for folder in folders for path in _exported(folder)]
        sentences = _short_sentences(folders, chosen.sentences)
        expected = {str(path): _expected(path, sentences) for path in models}
        sides = [] if chosen.without_peers else _sides(chosen.peers, home, models, sentences)
        with closing(sides):
            report.versions(sides)
            rows = []
            known = [folder for folder in folders if all(_family(folder) not in names for names in UNKNOWN.values())]
            if sides and known:
                _run_page(known[-1], home / "page", chosen.peers)
            for side in sides:
                side.go()
                found = json.loads((home / f"{side.name}.json").read_text(encoding="utf-8"))
                rows += [_row(side.name, path, found[str(path)], expected[str(path)]) for path in models]
    report.add(models=[f"{path.parents[1].name} {path.name}" for path in models], sentences=len(sentences), rows=rows)
    columns = ["folder", "file", "peer", "inputs", "ids", "logits", "in a browser", "tags", "spans", ""]
    report.show(table("ONNX models elsewhere", columns, rows))
    if any(row[-1] == "DIFFERENT" for row in rows):
        raise SystemExit("A peer does not find what polytag does.")


def _random_tagger(folder: Path, family: str) -> Path:
    return save_random_tagger(folder, {"ner": (LABELS, "iob2")}, family)


def _exported(folder: Path) -> list[Path]:
    """Write both ONNX models into a folder; random weights may lose too much in eight bits."""
    paths = []
    for quantize, file in ((None, "model.onnx"), ("int8", "model_quantized.onnx")):
        console.print(f"exporting {folder.name}/onnx/{file}", markup=False)
        try:
            polytag.export(folder, in_place=True, quantize=quantize)
            paths.append(folder / "onnx" / file)
        except polytag.PolytagError as error:
            console.print(f"left out: {error}", markup=False)
    return paths


def _short_sentences(folders: Sequence[Path], wanted: int) -> list[list[str]]:
    encoders = [polytag.Tagger.load(folder, runtime="onnx").encoder for folder in folders]
    found: list[list[str]] = []
    for sentence in sample_sentences("test"):
        words = list(sentence.words)
        if len(found) < wanted and all(len(encoder.encode(words).ids) <= LONGEST for encoder in encoders):
            found.append(words)
    return found


def _expected(path: Path, sentences: Sequence[Sequence[str]]) -> Expected:
    folder, is_rounded = path.parents[1], path.name == "model_quantized.onnx"
    tagger = polytag.Tagger.load(folder, runtime="onnx-int8" if is_rounded else "onnx", decoding="argmax")
    ((task, head),) = tagger.heads.items()
    if head.alignment != "first":
        raise SystemExit(f"{folder} is aligned with {head.alignment!r}; peers are compared by first subwords.")
    encoder, found = tagger.encoder, Expected([], [], [], [], [])
    original = None if is_rounded else polytag.Tagger.load(folder, runtime="tensorflow").network
    scheme = tagger.decoders[task].scheme
    for words in sentences:
        units = encoder.encode(list(words))
        ids = np.array([*encoder.before, *units.ids[:, 0], *encoder.after], dtype=np.int64)
        mask = np.ones((1, len(ids)), dtype=bool)
        if original:
            logits = np.asarray(original(ids[None, :, None].astype(np.int32), mask, training=False)[task])
        else:
            logits = _logits(path, ids[None])
        (tags,) = tagger.predict_tags([words])[task]
        found.ids.append(ids)
        found.logits.append(logits[0])
        found.places.append((len(encoder.before) + np.cumsum(units.counts) - units.counts).tolist())
        found.tags.append(tags)
        found.spans.append([(span.label, "".join(words[span.start : span.end])) for span in scheme.spans(tags)])
    return found


def _logits(path: Path, ids: NDArray[np.int64]) -> NDArray[Any]:
    """The logits of one text in the runtime of this environment: polytag itself gives probabilities."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    values = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    found: NDArray[Any] = session.run(["logits"], {put.name: values[put.name] for put in session.get_inputs()})[0]
    return found


def _sides(peers: Path, home: Path, models: Sequence[Path], sentences: Iterable[Sequence[str]]) -> list[Side]:
    file = home / "texts.jsonl"
    lines = (json.dumps({"text": " ".join(words)}, ensure_ascii=False) for words in sentences)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = {"file": str(file), "models": list(map(str, models)), "batch_sizes": BATCH_SIZES}
    packages = _node_packages(peers)
    optimum, js = "optimum", "transformers.js"
    outputs = {name: str(home / f"{name}.json") for name in (optimum, js)}
    return [
        Side(optimum, peer_python(peers, "optimum"), "optimum_layout.py", output=outputs[optimum], **told),
        Side(js, "node", "transformers_js.mjs", output=outputs[js], packages=str(packages), **told),
    ]


def _node_packages(peers: Path) -> Path:
    """The folder of transformers.js, which npm installs where it is missing; onnxruntime-node downloads nothing."""
    home = peers.expanduser().resolve() / "transformers-js"
    if not home.exists():
        console.print(f"building {home}: {', '.join(PACKAGES)}", markup=False)
        home.mkdir(parents=True)
        try:
            (home / "package.json").write_text("{}\n", encoding="utf-8")
            settings = os.environ | {"ONNXRUNTIME_NODE_INSTALL": "skip"}
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=home, env=settings, check=True)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
    return home


def _run_page(folder: Path, place: Path, peers: Path) -> None:
    """Run the programs of the page, which print a span per line."""
    place.mkdir()
    (place / "my-tagger").symlink_to(folder)
    (place / "node_modules").symlink_to(_node_packages(peers) / "node_modules")
    page = parts(DOCS / "how-to/tag-without-tensorflow.md")
    code = {part.title: part.body for part in page if isinstance(part, Block) and part.title}
    for name, program in (("with_optimum.py", peer_python(peers, "optimum")), ("with_transformers.mjs", "node")):
        (place / name).write_text(code[name], encoding="utf-8")
        found = subprocess.run([program, name], cwd=place, stdout=subprocess.PIPE, text=True, check=True).stdout
        console.print(f"{name}: {', '.join(found.splitlines())}", markup=False)


def _row(peer: str, path: Path, theirs: Mapping[str, Any], own: Expected) -> list[Any]:
    folder = path.parents[1]
    start: list[Any] = [folder.name, path.name, peer]
    if _family(folder) in UNKNOWN[peer]:
        return [*start, *[None] * 6, "unknown"]
    if "error" in theirs:
        console.print(f"{path} {peer}: {theirs['error']}", markup=False)
        return [*start, *[None] * 6, "DIFFERENT"]
    found = _compared(own, theirs["rows"], path.name == "model_quantized.onnx")
    if folder.name.startswith(RANDOM):
        found[-2] = None
    return [*start, len(theirs["inputs"]), *found]


def _family(folder: Path) -> str:
    family: str = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    return family


def _compared(own: Expected, theirs: Sequence[Mapping[str, Any]], is_rounded: bool) -> list[Any]:
    """Shares of texts, words and texts, the largest differences of logits, and whether it is all the same."""
    same_ids, same_spans, tags, in_browser = 0, 0, [], []
    differences: dict[str, list[float]] = {"logits": [], "in_browser": []}
    for number, row in enumerate(theirs):
        if row["ids"] != own.ids[number].tolist():
            continue
        same_ids += 1
        scores, places = own.logits[number], own.places[number]
        for kind in differences.keys() & row.keys():
            differences[kind].append(float(np.abs(np.array(row[kind]) - scores).max()))
        if "in_browser" in row:
            in_browser += (np.array(row["in_browser"]).argmax(-1) == scores.argmax(-1))[places].tolist()
        for place, tag in zip(places, own.tags[number], strict=True):
            if (label := row["labels"].get(str(place))) is not None:  # transformers.js leaves out unknown subwords
                tags.append(label == tag)
        spans = [(label, text.replace(" ", "")) for label, text in row["spans"]]
        same_spans += spans == own.spans[number]
    largest = {kind: max(values) for kind, values in differences.items() if values}
    # WebAssembly rounds eight bits otherwise.
    is_close = largest.get("logits", 0) <= LARGEST_DIFFERENCE
    is_close &= is_rounded or (all(in_browser) and largest.get("in_browser", 0) <= LARGEST_DIFFERENCE)
    logits, browser = (f"{largest[kind]:.0e}" if kind in largest else None for kind in differences)
    shown = [logits, f"{browser}, tags {_share(in_browser)}" if browser else None, f"{_share(tags)} of {len(tags)}"]
    verdict = "same" if is_close and same_ids == len(theirs) and all(tags) else "DIFFERENT"
    return [f"{same_ids / len(theirs):.1%}", *shown, f"{same_spans / len(theirs):.1%}", verdict]


def _share(same: Sequence[bool]) -> str:
    return f"{sum(same) / max(len(same), 1):.1%}"


if __name__ == "__main__":
    main()
