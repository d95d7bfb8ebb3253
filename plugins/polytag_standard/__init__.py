"""The label schemes, alignment strategies, metrics and readers that tasks commonly need."""

from collections.abc import Iterable

import polytag
from polytag_standard import alignments, schemes
from polytag_standard.metrics import partial, spans

POLYTAG_PLUGIN_API = 1


@polytag.hookimpl
def polytag_label_schemes() -> Iterable[polytag.LabelScheme]:
    """The schemes `flat`, `iob1`, `iob2`, `ioe1`, `ioe2`, `iobes`, `bilou`, `bmes`, `bmewo` and `io`."""
    return [
        schemes.Flat(),
        schemes.Iob1(),
        schemes.Iob2(),
        schemes.Ioe1(),
        schemes.Ioe2(),
        schemes.Iobes(),
        schemes.Bilou(),
        schemes.Bmes(),
        schemes.Bmewo(),
        schemes.Io(),
    ]


@polytag.hookimpl
def polytag_alignments() -> Iterable[polytag.AlignmentStrategy]:
    """The strategies `first`, `last`, `all` and `mean`."""
    return [alignments.First(), alignments.Last(), alignments.All(), alignments.Mean()]


@polytag.hookimpl
def polytag_metrics() -> Iterable[polytag.Metric]:
    """The metrics `spans`, `spans-strict`, `partial` and `tags`."""
    return [spans.SpanScores(), spans.StrictSpanScores(), partial.PartialScores(), spans.TagScores()]


@polytag.hookimpl
def polytag_readers() -> Iterable[polytag.Reader]:
    """The readers of `polytag_standard.readers`."""
    from polytag_standard import readers

    return readers.readers()
