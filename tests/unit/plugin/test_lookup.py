"""What plugins provide, by name."""

import pytest

import polytag
from polytag.plugin.registry import registry


def test_names_give_what_is_registered() -> None:
    assert polytag.task("ner") is registry().tasks["ner"]
    assert polytag.scheme("iob2") is registry().schemes["iob2"]
    assert polytag.alignment("all") is registry().alignments["all"]
    assert polytag.metric("spans") is registry().metrics["spans"]


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (polytag.task, "There is no task named 'nothing'."),
        (polytag.scheme, "There is no label scheme named 'nothing'."),
        (polytag.alignment, "There is no alignment strategy named 'nothing'."),
        (polytag.metric, "There is no metric named 'nothing'."),
    ],
)
def test_a_name_that_nobody_provides_is_refused_with_those_there_are(look_up, message: str) -> None:
    with pytest.raises(polytag.PolytagError) as raised:
        look_up("nothing")
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "question"), [("acme.bilstm", ""), ("cfr", "Did you mean 'crf'? ")], ids=["of a plugin", "misspelt"]
)
def test_what_something_needs_is_to_be_installed_and_not_to_be_chosen(name: str, question: str) -> None:
    with pytest.raises(polytag.PolytagError) as raised:
        registry().heads.require(name, needed_by="the tagger")
    assert str(raised.value) == (
        f"There is no head named {name!r}, which the tagger needs. {question}Install the plugin that provides it, or "
        "name its file in POLYTAG_PLUGINS."
    )
