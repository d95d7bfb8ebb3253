"""Routes whose input is a body of JSON, without what FastAPI does for other inputs: it costs a third of a request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

_JSON = "application/json"


class BodyRoute(APIRoute):
    """A route that has pydantic read the body of a valid request; all others are FastAPI's.

    Its function has the parameters `body` and `request`, and no other, and gives a response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the function that answers a request."""
        usual, dependant = super().get_route_handler(), self.dependant
        (body,), call = dependant.body_params, dependant.call
        model = body.field_info.annotation
        if dependant.path_params or call is None or not (isinstance(model, type) and issubclass(model, BaseModel)):
            return usual

        async def answer(request: Request) -> Response:
            if request.headers.get("content-type") != _JSON:
                return await usual(request)
            try:
                read = model.model_validate_json(await request.body())
            except ValidationError:
                return await usual(request)  # which says what is wrong
            response: Response = await call(body=read, request=request)
            return response

        return answer
