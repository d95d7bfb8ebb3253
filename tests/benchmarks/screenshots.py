"""The screenshots of docs/how-to/report.md and docs/how-to/serve.md, made again.

    python tests/benchmarks/screenshots.py --tagger TAGGER --corpus CONLL2003

The report on the corpus is shown from the top, without its sentences. The mistakes are those of a tagger that learnt
one epoch of the corpus `sample`. The page of the server shows the tagger with a text of the gallery.
Needs Playwright and Chromium.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, parser, polytag_command
from PIL import Image

import polytag
from support.gallery import passages
from support.pages import DOCS

HOW_TO = DOCS / "how-to"
COLOURS = 128
_WIDTH = 1100


def main() -> None:
    """Take the screenshots."""
    options = parser(__doc__)
    options.add_argument("--tagger", required=True, help="a tagger for ner, pos and chunk")
    options.add_argument("--corpus", required=True, help="what the first report is on")
    chosen = options.parse_args()
    report = Report("screenshots", chosen)
    with tempfile.TemporaryDirectory() as name, _page() as page:
        folder = Path(name)
        # Under these names they are in the pictures.
        (folder / "joint").symlink_to(Path(chosen.tagger).resolve())
        (folder / "conll2003").symlink_to(Path(chosen.corpus).resolve())
        os.chdir(folder)
        top = polytag.report("joint", "conll2003", output=folder / "top.html").page
        page.goto(top.as_uri())
        _save(page.screenshot(clip={"x": 0, "y": 0, "width": _WIDTH, "height": 660}), HOW_TO / "report-scores.png")
        polytag.train(task="ner", corpus="sample", epochs=1, output=str(folder / "brief"), quiet=True)
        brief = polytag.report(folder / "brief", "sample", output=folder / "brief.html").page
        page.goto(brief.as_uri())
        page.add_style_tag(content="nav { position: static !important; }")
        _save(page.locator("#mistakes").screenshot(), HOW_TO / "report-mistakes.png", height=640)
        with _server("joint") as address:
            page.set_viewport_size({"width": _WIDTH, "height": 860})
            page.goto(address)
            page.fill("textarea", next(one["text"] for one in passages() if one["name"] == "watson"))
            page.wait_for_selector(".polytag-mark")
            page.wait_for_timeout(1000)
            _save(page.screenshot(), HOW_TO / "serve-page.png")
    report.add(sizes={path.name: path.stat().st_size for path in HOW_TO.glob("*.png")})
    report.show()


@contextmanager
def _page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": _WIDTH, "height": 900}, color_scheme="light")
        browser.close()


@contextmanager
def _server(tagger: str) -> Iterator[str]:
    command = [polytag_command(), "serve", tagger, "--port", "8377"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _save(picture: bytes, path: Path, height: int | None = None) -> None:
    """Save a picture with few colours, which keeps it small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if height:
        image = image.crop((0, 0, image.width, min(height, image.height)))
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
