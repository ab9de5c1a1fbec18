"""Turns: what takes a worker long is done a few at a time, so that everybody else is answered meanwhile."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.web.access import address_of
from app.web.state import State


class InTurn(APIRoute):
    """A route whose requests wait for their turn, by the addresses that they come from.

    They wait without a thread, and the answer is sent when the turn is over: a slow client holds up nobody.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return what answers a request."""
        handle = super().get_route_handler()

        async def handle_in_turn(request: Request) -> Response:
            state: State = request.app.state.omniracle
            async with state.searches.of(address_of(request)):
                return await handle(request)

        return handle_in_turn
