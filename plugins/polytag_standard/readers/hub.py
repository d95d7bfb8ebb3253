"""The reader `hub`: datasets of the Hugging Face hub, by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from polytag import CorpusError, Reader, Source
from polytag_standard.readers.shared.tables import library, with_standard_names, writing_the_cache

if TYPE_CHECKING:
    import datasets

_NAME = re.compile(
    r"(?P<name>[\w.-]+(/[\w.-]+)?)(?(2)(:(?P<config>[\w.-]+))?)(@(?P<revision>[\w./-]+))?", flags=re.ASCII
)
_COPIES = {"conll2003": "lhoestq/conll2003", "eriktks/conll2003": "lhoestq/conll2003"}
"""Datasets with a script, which `datasets` refuses since version 4 -> a Parquet copy of each."""
_SAMPLE = "sample"


class HubReader(Reader):
    """Reads a dataset of the hub, `owner/name[:configuration][@revision]`, that is stored as data files.

    Scripts on the hub are never executed. A cached dataset needs no connection.
    """

    name: ClassVar[str] = "hub"
    summary: ClassVar[str] = (
        "Datasets of the Hugging Face hub: owner/name, owner/name:configuration, owner/name@revision"
    )

    def accepts(self, source: Source) -> bool:
        """Whether the reference is not on disk and can be the name of a dataset."""
        named_on_disk = source.path is not None or bool(source.files)
        return not named_on_disk and source.reference != _SAMPLE and bool(_NAME.fullmatch(source.reference))

    def read(self, source: Source) -> datasets.DatasetDict:
        """Download the dataset, or take it from the cache.

        Raises:
            CorpusError: The dataset does not exist, cannot be reached, may not be read, or is a script.
            PolytagError: The package `datasets` is not installed.
        """
        datasets = library("Datasets of the hub")
        match = _NAME.fullmatch(source.reference)
        if match is None:
            raise CorpusError(
                f"{source.reference!r} is not a name on the hub. Write owner/name, owner/name:configuration "
                "or owner/name@revision."
            )
        name, config, revision = match["name"], match["config"], match["revision"]
        if revision is None:
            name = _COPIES.get(name, name)
        try:
            with writing_the_cache():
                return with_standard_names(datasets.load_dataset(name, config, revision=revision))
        except CorpusError:
            raise
        except Exception as error:  # the client raises over a dozen unrelated classes
            raise CorpusError(_explain(error, source.reference, name)) from error


def _explain(error: Exception, reference: str, name: str) -> str:
    import datasets

    text = " ".join(str(error).split())
    named = repr(reference) if reference == name else f"{reference!r} (on the hub: {name!r})"
    if isinstance(error, datasets.exceptions.DatasetNotFoundError):
        if "gated" in text:
            return (
                f"The hub dataset {named} is gated: its owner asks for your consent to conditions. Accept the "
                f"conditions at https://huggingface.co/datasets/{name}, then log in with `hf auth login`."
            )
        if text.startswith("Revision"):
            return f"The hub dataset {named} has no such revision. Check the revision after the @, or leave it out."
        return (
            f"There is no corpus {named}: neither a file or folder of that name, nor a dataset that you may "
            "read on the hub. Check the spelling; for a private dataset, log in with `hf auth login`."
        )
    if datasets.config.HF_HUB_OFFLINE:
        return (
            f"There is no file or folder {reference!r}, and the hub dataset {named} is not in the cache: "
            "HF_HUB_OFFLINE=1 forbids downloading it. Check the path, or unset the variable once."
        )
    if "scripts are no longer supported" in text:
        return (
            f"The hub dataset {named} is a script, and scripts are not executed. Its Parquet copy may exist: "
            f"try {name}@refs/convert/parquet."
        )
    if "Config name is missing" in text:
        return f"The hub dataset {named} has several configurations: write {name}:CONFIGURATION. {text}"
    if isinstance(error, ConnectionError) or type(error).__name__ in (
        "ConnectError",
        "ConnectTimeout",
        "ReadTimeout",
    ):
        return (
            f"The hub cannot be reached to read the dataset {named} ({text}). Check the connection (and "
            "HF_ENDPOINT, if set), or give a file or folder."
        )
    return (
        f"The hub dataset {named} cannot be read ({type(error).__name__}: {text}). Check it at "
        f"https://huggingface.co/datasets/{name}, or give a file or folder."
    )
