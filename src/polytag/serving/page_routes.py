"""Stub."""

from fastapi import APIRouter


def page_router() -> APIRouter:
    """Stub."""
    return APIRouter()
