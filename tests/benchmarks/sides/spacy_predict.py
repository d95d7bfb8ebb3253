"""spaCy predicts with a pipeline it has trained."""

from __future__ import annotations

import spacy
from spacy.tokens import Doc
from turns import pause, sentences, settings, versions
from watch import answer


def main() -> None:
    nlp = spacy.load(settings["model"])
    words = [row["tokens"] for row in sentences(settings["file"])]
    texts = [" ".join(sentence) for sentence in words]
    tags = [
        lambda doc: [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc],
        lambda doc: [token.tag_ for token in doc],
    ][settings["component"] == "tagger"]

    def from_words() -> list[list[str]]:
        return [tags(doc) for doc in nlp.pipe(Doc(nlp.vocab, sentence) for sentence in words)]

    command = pause(versions=versions("spacy"))
    if "tags" in command:
        pause(tags=from_words())
        return
    answer(
        command,
        {"words": from_words, "text": lambda: [list(doc.ents) for doc in nlp.pipe(texts)]},
        lambda index: list(nlp(texts[index]).ents),
    )


main()
