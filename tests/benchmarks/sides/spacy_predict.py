"""spaCy predicts with a pipeline it has trained."""

from __future__ import annotations

from typing import Any

import spacy
from spacy.tokens import Doc
from turns import pause, sentences, settings, versions
from watch import answer


def main() -> None:
    nlp = spacy.load(settings["model"])
    words = [row["tokens"] for row in sentences(settings["file"])]
    texts = [" ".join(sentence) for sentence in words]

    def tag(token: Any) -> str:
        if settings["component"] == "tagger":
            return str(token.tag_)
        return f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"

    def from_words() -> list[list[str]]:
        return [[tag(token) for token in doc] for doc in nlp.pipe(Doc(nlp.vocab, sentence) for sentence in words)]

    answer(
        pause(versions=versions("spacy")),
        {"words": from_words, "text": lambda: [list(doc.ents) for doc in nlp.pipe(texts)]},
        lambda index: list(nlp(texts[index]).ents),
    )


main()
