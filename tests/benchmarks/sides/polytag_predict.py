"""polytag predicts: whole splits from words and from text, and single sentences."""

from __future__ import annotations

from turns import pause, sentences, settings, versions
from watch import answer

import polytag


def main() -> None:
    tagger = polytag.Tagger.load(settings["tagger"], runtime=settings.get("runtime"))
    words = [row["tokens"] for row in sentences(settings["file"])]
    texts = [" ".join(sentence) for sentence in words]
    answer(
        pause(versions=versions("polytag", "tensorflow", "keras")),
        {
            "words": lambda: tagger.predict_tags(words)[settings["task"]],
            "text": lambda: tagger.tag(texts),
        },
        lambda index: tagger.tag(texts[index]),
    )


main()
