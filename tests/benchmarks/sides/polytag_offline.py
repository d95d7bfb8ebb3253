"""polytag tags texts without a server: a stream of all, or single ones."""

from __future__ import annotations

import time

from turns import pause, sentences, settings, versions

import polytag


def main() -> None:
    tagger = polytag.Tagger.load(settings["tagger"], runtime=settings.get("runtime"))
    texts = [" ".join(row["tokens"]) for row in sentences(settings["file"])]
    command = pause(versions=versions("polytag"))
    position = 0
    while True:
        began = time.perf_counter()
        if command["what"] == "stream":
            done = sum(1 for _ in tagger.stream(texts))
            command = pause(sentences_per_second=done / (time.perf_counter() - began))
        else:
            times = []
            while time.perf_counter() < began + command["seconds"]:
                before = time.perf_counter()
                tagger.tag(texts[position % len(texts)])
                times.append(time.perf_counter() - before)
                position += 1
            command = pause(p50=1000 * sorted(times)[len(times) // 2])


main()
