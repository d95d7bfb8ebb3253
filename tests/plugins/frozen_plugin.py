"""A plugin as somebody wrote it for version 1 of the plugin contract. Never change it: plugins out there do not change.

It implements every hook of that version, and every abstract method, and builds every public class by position.
"""

from pathlib import Path

import numpy as np

import polytag

POLYTAG_PLUGIN_API = 1

SEEN = []


class Scheme(polytag.LabelScheme):
    name = "frozen.scheme"

    def spans(self, tags):
        starts = [i for i, tag in enumerate(tags) if tag.startswith("B-")]
        found = []
        for start in starts:
            end = start + 1
            while end < len(tags) and tags[end] == f"I-{tags[start][2:]}":
                end += 1
            found.append(polytag.Span(start, end, tags[start][2:]))
        return found

    def tags(self, spans, length):
        tags = [polytag.OUTSIDE] * length
        for start, end, label in spans:
            if not 0 <= start < end <= length or set(tags[start:end]) != {polytag.OUTSIDE}:
                raise polytag.PolytagError("no tags can hold these spans")
            tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
        return tags

    def continuation(self, tag):
        return f"I-{tag[2:]}" if tag.startswith("B-") else tag

    def allows(self, before, after):
        return not (after or "").startswith("I-") or (before or "")[1:] == after[1:]


class Prefixes(polytag.PrefixScheme):
    name, first, inner, last, single = "frozen.prefixes", "B", "M", "E", "S"


class Alignment(polytag.AlignmentStrategy):
    name, summary = "frozen.alignment", "The last subword"

    def to_subwords(self, labels, word_ids, continuation):
        return polytag.labels_at(labels, word_ids, polytag.last_units(word_ids))

    def to_words(self, scores, word_ids, n_words):
        return polytag.scores_at(scores, word_ids, n_words, polytag.last_units(word_ids))


class Metric(polytag.Metric):
    name, summary, headline = "frozen.metric", "Share of right words", "right"

    def compute(self, gold, predicted, scheme):
        pairs = [p for a, b in zip(gold, predicted, strict=True) for p in zip(a, b, strict=True) if p[0]]
        return polytag.Scores({"right": float(np.mean([a == b for a, b in pairs] or [0]))}, {})


class Reader(polytag.Reader):
    name, summary = "frozen.reader", "word=TAG, a sentence a line"

    def accepts(self, source):
        return [path.suffix for paths in source.files.values() for path in paths] == [".frozen"]

    def read(self, source):
        return polytag.corpus_from_sentences(
            {polytag.split_of(split): self.sentences(Path(paths[0])) for split, paths in source.files.items()}
        )

    def sentences(self, path):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words, tags = zip(*(pair.split("=") for pair in line.split()), strict=True)
            yield polytag.Sentence(list(words), {"tags": list(tags)}, None, f"{path.name}:{number}")


@polytag.hookimpl
def polytag_tasks():
    return [
        polytag.Task(
            "frozen.spans", "S", ("tags",), "frozen.scheme", "frozen.alignment", ("frozen.metric",), ("O", "B-X", "I-X")
        ),
    ]


@polytag.hookimpl
def polytag_label_schemes():
    return [Scheme(), Prefixes()]


@polytag.hookimpl
def polytag_alignments():
    return [Alignment()]


@polytag.hookimpl
def polytag_metrics():
    return [Metric()]


@polytag.hookimpl
def polytag_readers():
    return [Reader()]


@polytag.hookimpl
def polytag_encoders():
    return []


@polytag.hookimpl
def polytag_train_begin(run):
    SEEN.append(("begin", run.tasks, run.corpus, run.encoder, run.output))


@polytag.hookimpl
def polytag_epoch_end(run, epoch, scores):
    SEEN.append(("epoch", epoch, sorted(scores)))


@polytag.hookimpl
def polytag_train_end(scores):
    SEEN.append(("end", sorted(scores)))
