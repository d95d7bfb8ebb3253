"""The site builds without a warning, has every page in its navigation, and fetches nothing from anywhere."""

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("attack", ["<script src=https://x.org/a.js>", '<link href="//x.org/a.css" rel="stylesheet">'])
def test_what_would_be_fetched_is_found(attack):
    assert _FETCHED.search(attack) or _LINKED.search(attack)


def test_every_picture_of_a_page_exists_and_says_what_it_shows():
    for page in pages():
        for text, path in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", page.read_text(encoding="utf-8")):
            assert len(text.split()) > 3, page
            assert (page.parent / path).is_file(), page
