"""The site builds without a warning, has every page in its navigation, and fetches nothing from anywhere."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from support.page_server import serving
from support.pages import DOCS, ROOT, pages

_FETCHED = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//""")
_LINKED = re.compile(
    r"""<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*\bhref=["']?(?:https?:)?//"""
)
_STYLED = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")  # a link would lead out of the folder, which Zensical refuses
    shutil.copy(ROOT / "zensical.toml", folder)
    for name in ("CHANGELOG.md", "plugins", "src"):
        (folder / name).symlink_to(ROOT / name)
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """The address of the site."""
    app = FastAPI()
    app.mount("/", StaticFiles(directory=site))
    with serving(app) as address:
        yield address


@pytest.fixture
def opened(browser):
    """Open a page; nothing that it asks for is elsewhere, and nothing goes wrong."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))

    def opened(url: str, width: int = 1280, scheme: str = "light"):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(url)
        return page

    yield opened
    host = urlsplit(page.url)[:2]
    context.close()
    assert {urlsplit(url)[:2] for url in requests} == {host}
    assert wrong == []


def test_every_page_is_built_and_in_the_navigation(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    expected = [page.relative_to(DOCS).with_suffix(".html").as_posix() for page in pages()]
    for path in expected:
        assert (site / path).is_file()
        assert re.search(rf'href="?(?:\./)?{re.escape(path)}\b', front), path


def test_the_reference_has_no_name_that_it_does_not_explain(site):
    pages = [(site / f"reference/{name}.html").read_text(encoding="utf-8") for name in ("python", "hooks")]
    explained = {name.rpartition(".")[2] for page in pages for name in re.findall(r'id="polytag\.([\w.]+)"', page)}
    for page in pages:
        article = page.partition("<article")[2].partition("</article>")[0]
        # A name that nothing explains has no link, only its module in a title.
        named = re.findall(r'title="polytag\.(?:[a-z]\w*\.)*(\w+)', article)
        assert set(named) <= explained
        text = unescape(re.sub(r"<[^>]+>", "", article))
        assert re.findall(r"(?<![\w$`])(?:\w+\.)*_[a-z]\w*", text) == []


@pytest.mark.parametrize("page", ["command-line", "training-options"])
def test_underscores_in_help_texts_are_no_markup(site, page):
    html = (site / f"reference/{page}.html").read_text(encoding="utf-8")
    assert "--columns _,tokens,pos_tags,ner_tags" in html


def test_nothing_is_fetched_from_anywhere(site):
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert not _FETCHED.search(html), path
        assert not _LINKED.search(html), path
    for path in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        assert not _STYLED.search(path.read_text(encoding="utf-8")), path


def test_the_search_works_without_a_server(site):
    assert "polytag" in (site / "search.js").read_text(encoding="utf-8")


def test_the_search_finds_a_page_in_a_folder(opened, site):
    page = opened((site / "index.html").as_uri())
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("resume")
    page.get_by_text(re.compile(r"^\d+ results$")).wait_for()


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        (
            "index.html",
            "pip install .\n"
            "polytag train --task ner --corpus sample --epochs 2 --output my-tagger\n"
            'echo "Anna Smith moved to Paris." | polytag predict my-tagger - --format table',
        ),
        (
            "how-to/run-offline.html",
            "export HF_HUB_OFFLINE=1\n"
            "polytag train --task pos --corpus corpus --encoder checkpoint --epochs 1 \\\n"
            "    --output offline-tagger",
        ),
        (
            "how-to/hub.html",
            "polytag push my-tagger acme/ner-news  # creates a repository that is missing\n"
            "polytag push my-tagger acme/ner-news --private  # refuses a public one\n"
            'polytag push my-tagger acme/ner-news --revision v2 -m "More data"',
        ),
    ],
)
def test_copying_a_block_gives_its_commands_alone(opened, served, path, commands):
    page = opened(served + path)
    page.locator(".language-console [data-md-type=copy]").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == commands


def test_a_block_of_output_has_no_button(opened, served):
    page = opened(f"{served}tutorial/from-the-course.html")
    page.locator(".language-python [data-md-type=copy]").first.wait_for(state="visible")
    assert page.locator(".language-text [data-md-type=copy]:visible").count() == 0


@pytest.mark.parametrize(
    "path",
    ["index.html", "reference/command-line.html", "reference/training-options.html", "tutorial/gallery/real-text.html"],
)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_nothing_serious_bars_anybody(opened, served, path, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(f"{served}{path}", width, scheme)
    page.wait_for_function(
        "[...document.querySelectorAll('.md-typeset__scrollwrap')].every((one) => one.hasAttribute('tabindex'))"
    )
    found = Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_marks_are_dark_where_the_page_is(opened, served):
    page = opened(served + "index.html")
    mark = page.locator(".polytag-mark").first
    light = mark.evaluate("(mark) => getComputedStyle(mark).backgroundColor")
    page.locator("[data-md-component=palette] label:visible").click()
    assert mark.evaluate("(mark) => getComputedStyle(mark).backgroundColor") != light


@pytest.mark.parametrize("attack", ["<script src=https://x.org/a.js>", '<link href="//x.org/a.css" rel="stylesheet">'])
def test_what_would_be_fetched_is_found(attack):
    assert _FETCHED.search(attack) or _LINKED.search(attack)


def test_every_picture_of_a_page_exists_and_says_what_it_shows():
    for page in pages():
        for text, path in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", page.read_text(encoding="utf-8")):
            assert len(text.split()) > 3, page
            assert (page.parent / path).is_file(), page
