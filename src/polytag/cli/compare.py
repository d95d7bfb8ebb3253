"""`polytag compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from polytag.cli.options import (
    CorpusOption,
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
from polytag.plugin.reader import ReadingKeywords

_SYSTEM = (
    "Tagger: folder or hub name; or a file written by `polytag predict` (jsonl, or conll: words in the first column)."
)


@reads_corpora
def compare_cli(
    a: Annotated[str, typer.Argument(help=_SYSTEM)],
    b: Annotated[str, typer.Argument(help="The same for the other system.")],
    corpus: CorpusOption,
    split: Annotated[
        str | None, typer.Option(help="Split to compare on.", show_default="test, else the last one")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="Task to compare; repeat the option for several. For column files, the tasks in the order of the tag"
            " columns, with _ to skip one.",
            show_default="all shared tasks",
        ),
    ] = None,
    decoding: DecodingName = None,
    sentences: Annotated[
        int, typer.Option(min=0, help="Number of sentences to show per task, of those that differ most.")
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
    """Compare two taggers or files of predictions.

    Shows for each task both headline scores, their difference with its 95% interval (paired bootstrap over sentences)
    and p value (approximate randomisation), and the sentences that differ most.
    """
    from polytag.cli.tables import print_comparison, print_json
    from polytag.evaluation.compare import compare
    from polytag.tagger.viterbi import check_decoding

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
