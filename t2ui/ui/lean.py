"""What travels to the browser, made smaller: gradio compresses files with an ending only, so not the page itself, and lets nothing
be kept.

Measured on the demo's page: 368 kB of HTML before the first script, which a connection of 1.5 Mbit/s loads in two seconds.
"""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

LEAST = 1_024  # bytes worth compressing
KEPT = "public, max-age=31536000, immutable"  # of addresses whose content never changes


class Lean:
    """ASGI: gzip for answers of addresses without an ending (never for event streams, whose pieces have to arrive one by one), and
    leave to keep files whose name or query says which version they are."""

    def __init__(self, app: Any) -> None:
        self.app, self.gzip = app, GZipMiddleware(app, minimum_size=LEAST, compresslevel=6)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope.get("path", "")
        if versioned(path, scope.get("query_string", b"")):

            async def keep(message: Any) -> None:
                if message["type"] == "http.response.start" and message["status"] == 200:
                    others = [(k, v) for k, v in message["headers"] if k.lower() != b"cache-control"]
                    message = {**message, "headers": [*others, (b"cache-control", KEPT.encode())]}
                await send(message)

            await self.app(scope, receive, keep)
            return
        whole = "." not in path.rsplit("/", 1)[-1] and not path.endswith(("/data", "/stream")) and "/heartbeat/" not in path
        await (self.gzip if whole else self.app)(scope, receive, send)


def versioned(path: str, query: bytes) -> bool:
    """Whether an address names one version of a file: gradio's own scripts carry a hash, ours a ``v=``."""
    return "/assets/" in path or (path.endswith("/plotly.min.js") and query.startswith(b"v="))


def app_kwargs() -> dict[str, Any]:
    """For ``demo.launch``."""
    return {"middleware": [Middleware(Lean)]}
