"""`polytag compare`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from polytag.cli.options import (
    CorpusScheme,
    DecodingName,
    Json,
    Quiet,
    ReaderName,
    RuntimeName,
    TagsAsIs,
    reads_corpora,
)
from polytag.cli.stages import stages_shown
from polytag.errors import PolytagError
from polytag.plugin.reader import ReadingKeywords
from polytag.training.options import CORPUS

_SYSTEM = (
    "Tagger: folder or hub name; or a file written by `polytag predict` (jsonl, or conll: words in the first column)."
    " Without --corpus: a corpus."
)


@reads_corpora
def compare_cli(
    a: Annotated[str, typer.Argument(help=_SYSTEM)],
    b: Annotated[str, typer.Argument(help="The same for the other system.")],
    corpus: Annotated[
        str | None,
        typer.Option("--corpus", "-c", help=CORPUS, show_default="A and B are corpora"),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Split to compare on.", show_default="test, else the last one; of two corpora, all"),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="Task to compare; repeat the option for several. For column files, the tasks in the order of the tag"
            " columns, with _ to skip one.",
            show_default="all shared tasks, or columns",
        ),
    ] = None,
    decoding: DecodingName = None,
    sentences: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of sentences to show per task, of those that differ most; of two corpora, the first places.",
        ),
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the interval and the p value.")] = 0,
    reader: ReaderName = None,
    corpus_scheme: CorpusScheme = None,
    tags_as_is: TagsAsIs = False,
    runtime: RuntimeName = None,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Compare two taggers or files of predictions, or two annotations of one text.

    Shows for each task both headline scores, their difference with its 95% interval (paired bootstrap over sentences)
    and p value (approximate randomisation), and the sentences that differ most.

    Without --corpus, A and B are corpora with the same words: shows the agreement of their annotators (Cohen's kappa of
    words, F1 of spans), for each type, and the first places that differ.
    """
    from polytag.cli.tables import print_agreement, print_comparison, print_json
    from polytag.evaluation.annotators import agreement
    from polytag.evaluation.compare import compare
    from polytag.tagger.viterbi import check_decoding

    if corpus is None:
        _check_corpora(a, b, {"--decoding": decoding, "--runtime": runtime})
        how: dict[str, Any] = {"reader": reader, "corpus_scheme": corpus_scheme, "tags_as_is": tags_as_is}
        found = agreement(a, b, split, task=task or (), places=sentences, **how, **reading)
        print_json(found.to_dict()) if as_json else print_agreement(found)
        return
    with stages_shown(elsewhere=False, quiet=quiet):
        result = compare(
            a,
            b,
            corpus,
            split,
            task=task or (),
            reader=reader,
            **reading,
            corpus_scheme=corpus_scheme,
            tags_as_is=tags_as_is,
            decoding=check_decoding(decoding),
            sentences=sentences,
            seed=seed,
            runtime=runtime,
        )
    if as_json:
        print_json(result.to_dict())
    else:
        print_comparison(result)


def _check_corpora(a: str, b: str, of_taggers: Mapping[str, str | None]) -> None:
    """Check that without --corpus, both names can be corpora.

    Raises:
        PolytagError: One is a tagger, or an option for taggers is given.
    """
    from polytag.tagger.description import FILE

    for name in (a, b):
        if (Path(name) / FILE).is_file():
            raise PolytagError(f"{name!r} is a tagger. Name the corpus to compare it on: --corpus SOURCE")
    for option, value in of_taggers.items():
        if value is not None:
            raise PolytagError(f"{option} is for taggers, and without --corpus two corpora are compared. Leave it out.")
