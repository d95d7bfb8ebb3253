"""The conformance suite finds what is wrong, and says what contract was broken."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import (
    IGNORE,
    NO_WORD,
    OUTSIDE,
    AlignmentStrategy,
    LabelScheme,
    Metric,
    Reader,
    Scores,
    Source,
    Span,
    Task,
    Units,
    Word,
)
from polytag.builtin import CompactProvider, CrfHead, SoftmaxHead
from polytag.plugin.manager import PluginManager, isolated
from polytag.plugin.registry import registry
from polytag.testing import BrokenContractError, Case, cases, check, plugins
from polytag.testing.contracts import Workbench
from polytag.testing.suite import CONTRACTS

pytestmark = pytest.mark.usefixtures("uncompiled")


class Bmes(polytag.PrefixScheme):
    name, first, inner, last, single = "bmes", "B", "M", "E", "S"


class LosesLabels(Bmes):
    def spans(self, tags: Sequence[str]) -> list[Span]:
        return [span._replace(label="X") for span in super().spans(tags)]


class AllowsNothing(Bmes):
    def allows(self, before: str | None, after: str | None) -> bool:
        return before is None or before == OUTSIDE or after == OUTSIDE


class ChokesOnGarbage(Bmes):
    def spans(self, tags: Sequence[str]) -> list[Span]:
        if any(tag and tag != OUTSIDE and tag[1:2] != "-" for tag in tags):
            raise ValueError("no such tag")
        return super().spans(tags)


class OutsideContinuation(Bmes):
    def continuation(self, tag: str) -> str:
        return OUTSIDE


class WritesAnything(Bmes):
    def tags(self, spans: Iterable[Span], length: int) -> list[str]:
        try:
            return super().tags(spans, length)
        except polytag.PolytagError:
            return [OUTSIDE] * length


class MergesTouching(Bmes):
    """Keeps spans, but writes tags that depend on chance."""

    turn = 0

    def tags(self, spans: Iterable[Span], length: int) -> list[str]:
        self.turn += 1
        spans = list(spans)
        written = super().tags(spans, length)
        return [tag.replace("S-", "U-") if self.turn % 2 else tag for tag in written]


class First(AlignmentStrategy):
    name, summary = "mine", "The first subword"

    def to_subwords(self, labels: Any, word_ids: Any, continuation: Any) -> Any:
        return polytag.labels_at(labels, word_ids, polytag.first_units(word_ids))

    def to_words(self, scores: Any, word_ids: Any, n_words: int) -> Any:
        return polytag.scores_at(scores, word_ids, n_words, polytag.first_units(word_ids))


class LabelsPadding(First):
    def to_subwords(self, labels: Any, word_ids: Any, continuation: Any) -> Any:
        aligned = super().to_subwords(labels, word_ids, continuation)
        return np.where(word_ids == NO_WORD, 0, aligned).astype(np.int32)


class LearnsNothing(First):
    def to_subwords(self, labels: Any, word_ids: Any, continuation: Any) -> Any:
        return np.full(word_ids.shape, IGNORE, dtype=np.int32)


class OneScoreShort(First):
    def to_words(self, scores: Any, word_ids: Any, n_words: int) -> Any:
        return super().to_words(scores, word_ids, n_words)[:-1]


class NextWord(First):
    def to_words(self, scores: Any, word_ids: Any, n_words: int) -> Any:
        words = super().to_words(scores, word_ids, n_words)
        empty = np.isin(np.arange(n_words), word_ids, invert=True)
        return np.where(empty[:, np.newaxis], words, np.roll(words, 1, axis=1)) if scores.shape[1] else words


class ReadsElsewhere(First):
    def reads(self, word_ids: Any) -> Any:
        return polytag.last_units(word_ids)


class ReadsNumbers(First):
    def reads(self, word_ids: Any) -> Any:
        return word_ids


class Scribbles(First):
    def to_words(self, scores: Any, word_ids: Any, n_words: int) -> Any:
        words = super().to_words(scores, word_ids, n_words)
        scores *= 0
        return words


class Right(Metric):
    """Share of words that are right."""

    name, summary, headline = "right", "Share of words that are right", "share"

    def compute(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Scores:
        counts = self.statistics(gold, predicted, scheme).sum(axis=0)
        return Scores({"share": float(self.headline_of(counts))})

    def statistics(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Any:
        rows = [[(a == b, 1) for a, b in zip(g, p, strict=True) if a] for g, p in zip(gold, predicted, strict=True)]
        return np.array([np.sum([(0, 0), *row], axis=0) for row in rows], dtype=np.float64).reshape(-1, 2)

    def headline_of(self, totals: Any) -> Any:
        return totals[..., 0] / np.maximum(totals[..., 1], 1)


class DividesByZero(Right):
    def headline_of(self, totals: Any) -> Any:
        with np.errstate(all="ignore"):
            return totals[..., 0] / totals[..., 1]


class Wrong(Right):
    def headline_of(self, totals: Any) -> Any:
        return 1 - super().headline_of(totals)


class CountsGaps(Right):
    def statistics(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Any:
        return np.array(
            [(sum(a == b for a, b in zip(g, p, strict=True)), len(g)) for g, p in zip(gold, predicted, strict=True)],
            dtype=np.float64,
        ).reshape(-1, 2)


class KnowsItsLabels(Right):
    def compute(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Scores:
        assert not any("NEVERSEEN" in tag for tags in [*gold, *predicted] for tag in tags)
        return super().compute(gold, predicted, scheme)


class AnotherScore(Right):
    def compute(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Scores:
        return Scores({"share": super().compute(gold, predicted, scheme).overall["share"] ** 2})


class Appends(Right):
    def compute(self, gold: Any, predicted: Any, scheme: LabelScheme) -> Scores:
        scores = super().compute(gold, predicted, scheme)
        if gold:
            gold.append([])
        return scores


class StricterThanAnything(Right):
    strict = "no-such-metric"


class Slashes(Reader):
    """Reads `word/TAG word/TAG`, a sentence a line."""

    name, summary = "slashes", "word/TAG, a sentence a line"
    endings = frozenset({".slashes"})
    mark = "/"

    def accepts(self, source: Source) -> bool:
        return any(path.suffix == ".slashes" for paths in source.files.values() for path in paths)

    def read(self, source: Source) -> Any:
        return polytag.corpus_from_sentences({split: self.sentences(paths[0]) for split, paths in source.files.items()})

    def sentences(self, path: Path) -> Iterable[polytag.Sentence]:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise polytag.CorpusError(f"{path} is not UTF-8.") from None
        for number, line in enumerate(lines, 1):
            pairs = [pair.rpartition(self.mark) for pair in line.split(" ")]
            tags = [tag if tag != "-" else polytag.UNANNOTATED for _, _, tag in pairs]
            yield polytag.Sentence([word for word, _, _ in pairs], {"tags": tags}, None, f"{path.name}:{number}")

    def write(self, data: Any, folder: Path) -> None:
        for split, table in data.items():
            lines = []
            for sentence in polytag.sentences_of(table):
                if list(sentence.tags) != ["tags"]:
                    raise polytag.CorpusError("Only the column tags can be written.")
                pairs = zip(sentence.words, sentence.tags["tags"], strict=True)
                lines.append(" ".join(f"{word}{self.mark}{self.written(tag)}" for word, tag in pairs))
            (folder / f"{split}.slashes").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def written(self, tag: str) -> str:
        return tag or "-"


class WritesColumns(Slashes):
    """Writes files that another reader takes, too: it knows `word/TAG`, and not `word+TAG`."""

    endings = frozenset()
    mark = "+"


class AcceptsMaybe(Slashes):
    def accepts(self, source: Source) -> Any:
        return source.path and super().accepts(source)


class AcceptsNothing(Slashes):
    def accepts(self, source: Source) -> bool:
        return False


class LosesTags(Slashes):
    def written(self, tag: str) -> str:
        return "X" if tag == "NN" or tag.startswith("B-") else super().written(tag)


class FillsGaps(Slashes):
    def written(self, tag: str) -> str:
        return tag or OUTSIDE


class Traceback(Slashes):
    def sentences(self, path: Path) -> Iterable[polytag.Sentence]:
        path.read_text(encoding="utf-8")
        return super().sentences(path)


def task(**changes: Any) -> Task:
    fields: dict[str, Any] = {"name": "acme.skills", "summary": "Skills", "columns": ("skills",), "scheme": "iob2"}
    return Task(**{**fields, "alignment": "first", "metrics": ("spans",), **changes})


class MergesUnits(CompactProvider):
    """An encoder that has nothing for words of control characters."""

    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encode = encoder.encode

        def without(words: Sequence[str]) -> Units:
            units = encode(words)
            counts = np.array([int(word.isprintable()) for word in words], np.int32)
            return Units(units.ids[counts > 0], counts)

        encoder.encode = without  # type: ignore[method-assign]
        return encoder


class SeesPadding(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        network = encoder.network

        class Summed:
            network = staticmethod(lambda ids, mask, training: network(ids, mask, training=training) * ids.shape[1])

        changed = type("Changed", (type(encoder),), {"network": property(lambda _: Summed.network)})
        encoder.__class__ = changed
        return encoder


class ForgetsPlaces(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        network = encoder.network
        network.at = lambda ids, mask, wanted, training: np.concatenate(network(ids, mask))[wanted[::-1]]
        return encoder


class ForgetsBatches(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        network = encoder.network
        network.in_bulk = lambda ids, mask: network(ids, mask) * 2
        return encoder


class ForgetsPadding(CompactProvider):
    name = "mine"

    def numpy_network(self) -> Any:
        make = super().numpy_network()
        return lambda tensors: lambda ids, mask, wanted: make(tensors)(ids, np.ones_like(mask), wanted)


class ForgetsTheMask(CompactProvider):
    name = "mine"

    def onnx_network(self) -> Any:
        def write(graph: Any, config: Any, tensors: Any) -> str:
            graph.mask, mask = graph.add("Max", graph.mask, graph.constant(1)), graph.mask
            vectors = super_write(graph, config, tensors)
            graph.mask = mask
            return vectors

        super_write = super().onnx_network()
        return write


class ForgetsWeights(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.assign = lambda tensors: None
        return encoder


class SaysAnotherWidth(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.__class__ = type("Wide", (type(encoder),), {"width": 7})
        return encoder


class IsNoCheckpoint(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.__class__ = type("Checkpoint", (type(encoder),), {"transformers_layout": True})
        return encoder


class ForgetsItsFiles(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.export_files = lambda folder: None  # type: ignore[method-assign]
        return encoder


class KeepsAFileForItself(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.save_files = lambda folder: (folder / "vectors.bin").touch()  # type: ignore[method-assign]
        return encoder


class SaysAnotherName(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        return super().create("compact")


class CannotBeRestored(CompactProvider):
    name = "mine"

    def create(self, reference: str) -> Any:
        encoder = super().create("compact")
        encoder.__class__ = type("Mine", (type(encoder),), {"provider": "mine"})
        return encoder

    def restore(self, folder: Path) -> Any:
        raise RuntimeError("no folder")


class Lines(polytag.Splitter):
    """Each line is a sentence and a word."""

    name, summary = "lines", ""

    def split(self, text: str) -> list[list[Word]]:
        found: list[list[Word]] = []
        start = 0
        for line in text.splitlines(keepends=True):
            word = line.strip()
            if any(character.isprintable() for character in word):
                begin = start + line.index(word)
                found.append([Word(word, begin, begin + len(word))])
            start += len(line)
        return found


class SplitsNothing(Lines):
    def split(self, text: str) -> list[list[Word]]:
        return super().split(text) if text else [[]]


class Trims(Lines):
    def split(self, text: str) -> list[list[Word]]:
        return [[Word(word.text.strip(".,"), *word[1:]) for word in words] for words in super().split(text)]


class Repeats(Lines):
    def split(self, text: str) -> list[list[Word]]:
        return [words * 2 for words in super().split(text)]


class Drops(Lines):
    def split(self, text: str) -> list[list[Word]]:
        return super().split(text)[:1]


class Joins(Lines):
    def split(self, text: str) -> list[list[Word]]:
        found = super().split(text)
        if not found:
            return []
        start, end = found[0][0].start, found[-1][-1].end
        return [[Word(text[start:end], start, end)]]


class Counts(Lines):
    calls = 0

    def split(self, text: str) -> list[list[Word]]:
        self.calls += 1
        return super().split(text)[: 1 + self.calls % 2]


class StartsByChance(CrfHead):
    name = "mine"
    calls = 0

    def parameters(self, labels: Any, scheme: LabelScheme) -> Any:
        self.calls += 1
        return {name: values + np.float32(self.calls) for name, values in super().parameters(labels, scheme).items()}


class LearnsMistakes(SoftmaxHead):
    name = "mine"

    def loss(self, logits: Any, gold: Any, parameters: Any, sentences: Any) -> Any:
        return -np.asarray(super().loss(logits, gold, parameters, sentences))


class TakesGapsForOutside(CrfHead):
    name = "mine"

    def loss(self, logits: Any, gold: Any, parameters: Any, sentences: Any) -> Any:
        return super().loss(logits, np.where(gold == IGNORE, 0, gold), parameters, sentences)


class GivesLogarithms(SoftmaxHead):
    name = "mine"

    def decode(self, scores: Any, sentence_starts: Any, parameters: Any) -> Any:
        return polytag.DecodedWords(np.log(scores))


class JoinsSentences(CrfHead):
    name = "mine"

    def decode(self, scores: Any, sentence_starts: Any, parameters: Any) -> Any:
        return super().decode(scores, sentence_starts[[0, -1]], parameters)


class DecodesInPlace(SoftmaxHead):
    name = "mine"

    def decode(self, scores: Any, sentence_starts: Any, parameters: Any) -> Any:
        scores[:] = scores[:, ::-1]
        return polytag.DecodedWords(scores)


UNFIT = task(name="acme.unfit", scheme="flat")
BROKEN = [
    (LosesLabels(), "spans survive being written as tags", "spans() of these tags is"),
    (AllowsNothing(), "it allows its own tags", "forbids the tag at position"),
    (ChokesOnGarbage(), "any sequence of tags can be read", "It raised ValueError: no such tag"),
    (OutsideContinuation(), "later subwords continue the span of their word", "continuation('B-MISC-OTHER') is 'O'"),
    (WritesAnything(), "spans that no tags can hold are refused", "should raise a PolytagError"),
    (MergesTouching(), "conversion to any other scheme and back changes nothing", "converted back"),
    (LabelsPadding(), "every word with a subword gets its label", "must have IGNORE"),
    (LearnsNothing(), "every word with a subword gets its label", "nothing is learnt from it"),
    (OneScoreShort(), "every word gets one prediction", "a score for each label of each word"),
    (NextWord(), "a word gets the label that its subwords agree on", "every subword of word"),
    (ReadsElsewhere(), "it reads exactly the subwords of reads()", "of the other subwords are 0"),
    (ReadsNumbers(), "it reads exactly the subwords of reads()", "must be bool with a value for each"),
    (Scribbles(), "its arguments are not changed", "changes its argument scores"),
    (DividesByZero(), "an empty corpus can be scored", "a score without data must be 0"),
    (Wrong(), "perfect predictions score best", "higher must be better"),
    (CountsGaps(), "words without annotation are not counted", "such words must not be counted"),
    (KnowsItsLabels(), "tags never seen in training can be scored", "It raised AssertionError"),
    (AnotherScore(), "statistics add up to the score", "intervals would be about another score"),
    (Appends(), "its arguments are not changed", "changes its arguments"),
    (StricterThanAnything(), "its strict form exists", "no plugin provides such a metric"),
    (AcceptsMaybe(), "accepts() answers for any source", "must be a bool"),
    (AcceptsNothing(), "every word it reads has its tags", "It does not accept"),
    (LosesTags(), "it reads its own output", "were written, and"),
    (WritesColumns(), "no other reader accepts its output", "accepted by column"),
    (FillsGaps(), "words without annotation are preserved, or refused", "were written, and"),
    (Traceback(), "a broken file is a CorpusError that names it", "makes read() raise UnicodeDecodeError"),
    (MergesUnits(), "every word has units", "needs at least one unit"),
    (SeesPadding(), "padding changes nothing", "`mask` is ignored"),
    (
        ForgetsPlaces(),
        "at(), in_bulk(), numpy_network() and onnx_network() give the vectors of a call",
        "differ from a call",
    ),
    (
        ForgetsBatches(),
        "at(), in_bulk(), numpy_network() and onnx_network() give the vectors of a call",
        "in_bulk() gives vectors that differ",
    ),
    (
        ForgetsPadding(),
        "at(), in_bulk(), numpy_network() and onnx_network() give the vectors of a call",
        "numpy_network() gives vectors that differ",
    ),
    (
        ForgetsTheMask(),
        "at(), in_bulk(), numpy_network() and onnx_network() give the vectors of a call",
        "onnx_network() gives vectors that differ",
    ),
    (
        SaysAnotherWidth(),
        "its declared properties are correct",
        "Its width is 7, but its network gives vectors of width 192",
    ),
    (
        IsNoCheckpoint(),
        "its declared properties are correct",
        "transformers has no 'PolytagCompactForTokenClassification'",
    ),
    (ForgetsItsFiles(), "an export encodes words in the same way", "No module named 'word_hashes'"),
    (KeepsAFileForItself(), "an export encodes words in the same way", "It writes 'vectors.bin', which `files`"),
    (ForgetsWeights(), "weights can be read and assigned", "does not give the same vectors"),
    (SaysAnotherName(), "a tagger with it can be trained, saved and loaded", "the attribute `provider` is 'compact'"),
    (CannotBeRestored(), "a tagger with it can be trained, saved and loaded", "raised RuntimeError: no folder"),
    (SplitsNothing(), "a text without visible characters has no sentences", "split() gives [[]]"),
    (Trims(), "words are where their offsets say", "and the text has"),
    (Repeats(), "words are in order and do not overlap", "where another ends"),
    (Drops(), "every visible character is in a word", "is in no word"),
    (Joins(), "no word crosses a line end", "crosses a line end"),
    (Counts(), "a text is always split in the same way", "is split in two ways"),
    (StartsByChance(), "its parameters are finite, and always the same", "gives other values for 'transitions'"),
    (LearnsMistakes(), "its loss is smaller for the right labels", "for logits that favour the right labels"),
    (TakesGapsForOutside(), "sentences without annotation have no loss", "and must be 0"),
    (GivesLogarithms(), "every word gets probabilities, and a label or none", "negative, or do not sum to 1"),
    (JoinsSentences(), "sentences are decoded independently", "when it comes alone"),
    (DecodesInPlace(), "its arguments are not changed", "decode() changes scores"),
    (task(metrics=("spams",)), "everything that it names exists", "Did you mean 'spans'"),
    (UNFIT, "its metrics fit its scheme", "Use the metric 'tags'"),
    (task(labels=("O", "B-SKILL")), "its label inventory is complete", "Its labels lack I-SKILL"),
    (UNFIT, "ten sentences are enough to train it", "It raised PolytagError"),
]
HOOKS = {
    LabelScheme: "polytag_label_schemes",
    AlignmentStrategy: "polytag_alignments",
    Metric: "polytag_metrics",
    Reader: "polytag_readers",
    CompactProvider: "polytag_encoders",
    polytag.Splitter: "polytag_splitters",
    polytag.Head: "polytag_heads",
    Task: "polytag_tasks",
}


def plugin_with(contribution: Any) -> Any:
    """A plugin that contributes just this."""
    (hook,) = [name for kind, name in HOOKS.items() if isinstance(contribution, kind)]

    def contribute() -> list[Any]:
        return [contribution]

    contribute.__name__ = hook
    return type("Acme", (), {hook: staticmethod(polytag.hookimpl(contribute))})()


def case_of(contribution: Any, promise: str, manager: PluginManager) -> Case:
    manager.register(plugin_with(contribution), "acme", "acme", "1.0")
    return next(case for case in cases("acme") if case.contract.promise == promise)


@pytest.mark.parametrize(
    ("contribution", "promise", "how"),
    [pytest.param(*row, id=f"{getattr(row[0], 'name', '')} {type(row[0]).__name__}: {row[1]}") for row in BROKEN],
)
def test_a_broken_contract_is_named(
    contribution: Any,
    promise: str,
    how: str,
    polytag_manager: PluginManager,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "word_hashes", raising=False)  # the file of an export, which a test has imported
    case = case_of(contribution, promise, polytag_manager)
    with pytest.raises(BrokenContractError) as raised:
        case.run(Workbench(registry(), tmp_path, encoders={"mine": "mine"}))
    message = str(raised.value)
    assert message.startswith(f"The {case.contract.kind} '{contribution.name}' of plugin 'acme' (acme 1.0) breaks the")
    assert f'"{promise}"' in message
    assert how in message


@pytest.mark.parametrize("contribution", [Bmes(), First(), Right(), Slashes(), Lines()], ids=lambda each: each.name)
def test_what_is_sound_passes(contribution: Any, polytag_manager: PluginManager, tmp_path: Path) -> None:
    polytag_manager.register(plugin_with(contribution), "acme")
    for number, case in enumerate(case for case in cases("acme") if case.contract.kind != "plugin"):
        (folder := tmp_path / str(number)).mkdir()
        case.run(Workbench(registry(), folder))


class Brackets(Slashes):
    """Holds spans, which it writes and reads in IOBES."""

    name, scheme = "brackets", "iobes"

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def written(self, tag: str) -> str:
        self.seen.add(tag[:1])
        return super().written(tag)


def bench(folder: Path, **sources: str | Path) -> Workbench:
    return Workbench(registry(), folder, sources)


def run_all(reader: Reader, manager: PluginManager, folder: Path, **sources: str | Path) -> None:
    manager.register(plugin_with(reader), "acme")
    for number, case in enumerate(case for case in cases("acme") if case.contract.kind == "reader"):
        (own := folder / str(number)).mkdir()
        case.run(bench(own, **sources))


def test_a_reader_is_given_tags_in_its_own_scheme(polytag_manager: PluginManager, tmp_path: Path) -> None:
    polytag_manager.register(plugin_with(task(name="acme.things", columns=("tags",))), "things")
    reader = Brackets()
    run_all(reader, polytag_manager, tmp_path)
    assert reader.seen == {"O", "B", "E", "S", ""}


class Refuses(Slashes):
    name = "refuses"

    def write(self, data: Any, folder: Path) -> None:
        (column,) = data["train"].tags
        raise polytag.CorpusError(f"The format cannot hold {column}.")


class Stumbles(Slashes):
    name = "stumbles"

    def write(self, data: Any, folder: Path) -> None:
        raise KeyError("tags")


def test_a_reader_that_writes_nothing_is_shown_each_offer_and_its_own_error(
    polytag_manager: PluginManager, tmp_path: Path
) -> None:
    case = case_of(Refuses(), "it reads its own output", polytag_manager)
    with pytest.raises(BrokenContractError) as raised:
        case.run(bench(tmp_path))
    lines = str(raised.value).splitlines()
    assert "refuses a corpus of every installed task" in lines[0]
    assert "ner in the column 'ner_tags': The format cannot hold ner_tags." in lines
    assert "pos in the column 'pos_tags': The format cannot hold pos_tags." in lines


def test_an_error_in_write_is_shown_with_its_place(polytag_manager: PluginManager, tmp_path: Path) -> None:
    case = case_of(Stumbles(), "it reads its own output", polytag_manager)
    with pytest.raises(BrokenContractError, match=r"raised KeyError: 'tags' \(test_testing.py, line \d+\)"):
        case.run(bench(tmp_path))


def test_a_reader_that_writes_can_be_tried_with_a_source_of_its_own(
    polytag_manager: PluginManager, tmp_path: Path
) -> None:
    """Its format can hold a column that no task has."""
    (tmp_path / "train.slashes").write_text("Go/X on/Y\nStop/X\n")
    run_all(Slashes(), polytag_manager, tmp_path, slashes=tmp_path / "train.slashes")
    assert (tmp_path / "train.slashes").read_text() == "Go/X on/Y\nStop/X\n"


def test_a_source_is_tried_itself(polytag_manager: PluginManager, tmp_path: Path) -> None:
    (tmp_path / "train.words").write_text("Go/NN on/Y\n")
    case = case_of(Slashes(), "every word it reads has its tags", polytag_manager)
    with pytest.raises(BrokenContractError, match=r"does not accept '.*train.words'"):
        case.run(bench(tmp_path, slashes=tmp_path / "train.words"))


def test_a_source_shows_what_is_lost(polytag_manager: PluginManager, tmp_path: Path) -> None:
    (tmp_path / "train.slashes").write_text("Go/NN on/Y\n")
    case = case_of(LosesTags(), "it reads its own output", polytag_manager)
    with pytest.raises(BrokenContractError, match=r"\['NN', 'Y'\]\} were written, and \{'tags': \['X', 'Y'\]"):
        case.run(bench(tmp_path, slashes=tmp_path / "train.slashes"))


def test_every_contract_is_seen_to_fail() -> None:
    tried = {(hook_of(contribution), promise) for contribution, promise, _ in BROKEN}
    hooks = {"label scheme": "polytag_label_schemes", "alignment strategy": "polytag_alignments"}
    assert tried == {
        (hooks.get(contract.kind, f"polytag_{contract.kind}s"), contract.promise) for contract in CONTRACTS
    }


def hook_of(contribution: Any) -> str:
    return next(name for kind, name in HOOKS.items() if isinstance(contribution, kind))


PLUGINS = {
    "it can be loaded": ("raise RuntimeError('no licence')", "It is broken: its import raised RuntimeError"),
    "it implements a hook": ("def polytag_tasks():\n    return []", "Mark functions such as polytag_tasks with"),
    "its names are unique": (
        "import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n"
        "    return [polytag.Task('ner', '', ('x',), 'iob2', 'first', ('spans',))]",
        "has the name of one of plugin 'ner' (polytag",
    ),
    "registering it imports nothing slow": ("import pyarrow", "imports pyarrow"),
}


@pytest.mark.parametrize("promise", PLUGINS)
def test_a_plugin_that_breaks_a_contract_of_plugins(
    promise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, how = PLUGINS[promise]
    monkeypatch.delitem(sys.modules, "acme_plugin", raising=False)
    assert set(PLUGINS) == {contract.promise for contract in plugins.CONTRACTS}
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "acme_plugin.py").write_text(source)
    (tmp_path / "acme-1.0.dist-info").mkdir()
    (tmp_path / "acme-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (tmp_path / "acme-1.0.dist-info/entry_points.txt").write_text("[polytag]\nacme = acme_plugin\n")
    with isolated(PluginManager(environ={})):
        outcomes = {str(outcome.case): outcome for outcome in check("acme")}
    outcome = outcomes[f"plugin acme: {promise}"]
    assert outcome.status == "failed"
    assert outcome.message.startswith(f"The plugin 'acme' (acme 1.0) breaks the contract \"{promise}\". ")
    assert how in outcome.message


def test_the_tiny_corpus_can_be_read(polytag_corpus: Path) -> None:
    corpus = polytag.load_corpus(str(polytag_corpus))
    assert corpus.splits == ("train", "validation", "test")
    assert {"ner_tags", "pos_tags", "chunk_tags"} == set(corpus.columns)
    assert len(corpus.words("train")) == 20


def test_the_manager_is_isolated(polytag_manager: PluginManager) -> None:
    assert {plugin.distribution for plugin in polytag_manager.plugins} == {"polytag"}
    assert registry().manager is polytag_manager
