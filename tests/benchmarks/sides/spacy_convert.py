"""Write sentences as spaCy reads them: spacy_convert.py FILE.jsonl COLUMN ner|tagger FILE.spacy"""

from __future__ import annotations

import json
import sys

import spacy
from spacy.tokens import Doc, DocBin


def main() -> None:
    source, column, component, target = sys.argv[1:]
    vocabulary = spacy.blank("en").vocab
    attribute = {"ner": "ents", "tagger": "tags"}[component]
    with open(source, encoding="utf-8") as file:  # noqa: PTH123
        rows = [json.loads(line) for line in file]
    docs = [Doc(vocabulary, row["tokens"], **{attribute: row[column]}) for row in rows]
    DocBin(docs=docs, store_user_data=True).to_disk(target)


main()
