"""The page on which anybody can try the taggers: static files without anything of the taggers in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from polytag.tagger.marks import stylesheet

_FOLDER = Path(__file__).parent / "page"
_MEDIA = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}


def _files() -> dict[str, tuple[bytes, str]]:
    """The content and media type of each file, by its path on the server."""
    found = {
        "/" + path.relative_to(_FOLDER).as_posix(): (path.read_bytes(), _MEDIA[path.suffix])
        for path in sorted(_FOLDER.rglob("*.*"))
    }
    return {"/": found.pop("/index.html"), "/marks.css": (stylesheet().encode(), _MEDIA[".css"])} | found


PAGE_PATHS = frozenset(_files())
"""Paths that are served without a token: `/`, `/page.js`, `/page.css`, `/marks.css` and what these load."""


def page_router() -> APIRouter:
    """Routes of the page and its files."""
    router = APIRouter(include_in_schema=False)
    for path, (content, media) in _files().items():
        router.add_api_route(path, _answer(content, media))
    return router


def _answer(content: bytes, media: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        # Browsers ask again after an upgrade, as the names of the files stay.
        return Response(content, media_type=media, headers={"Cache-Control": "no-cache"})

    return answer
