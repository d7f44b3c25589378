"""The other models' pages below the first one's server: an ASGI layer that hands ``/m/<slug>/...`` to them.

Not gradio's own mounting alone: there the first page's routes would come first, and a proxy that cuts off a part of the path
(``GRADIO_ROOT_PATH``) would leave the mounted pages without theirs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, RedirectResponse

from t2ui.ui.pages import BELOW


class Mounts:
    """The pages by slug, as they are filled in before the server starts.

    Attributes:
        apps: gradio's application of each. blocks: what it shows.
    """

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}
        self.blocks: dict[str, gr.Blocks] = {}
        self._holder = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)  # runs their start and end

    def add(self, slug: str, blocks: gr.Blocks, options: Mapping[str, Any]) -> None:
        """Mount a page. ``options``: as for ``launch``; what only a server of its own can have is left out."""
        known = {key: value for key, value in options.items() if key != "app_kwargs"}
        # No root path of its own: the switch tells every request the one that it came by.
        gr.mount_gradio_app(self._holder, blocks, path=f"/{BELOW}/{slug}", root_path="", show_error=False, **known)
        self.apps[slug] = blocks.app = self._holder.router.routes[-1].app  # type: ignore[attr-defined]
        self.blocks[slug] = blocks

    def share(self, first: Any) -> None:
        """One login and one key of the monitoring for all pages: those of the first one."""
        for app in self.apps.values():
            app.tokens, app.cookie_id, app.analytics_key = first.tokens, first.cookie_id, first.analytics_key

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """Begins and ends with the first page's own."""
        async with self._holder.router.lifespan_context(self._holder):
            yield

    def close(self) -> None:
        for blocks in self.blocks.values():
            blocks.close(verbose=False)


class Switch:
    """ASGI: a page's requests to its application, everything else to the first one's."""

    def __init__(self, app: Any, mounts: Mounts) -> None:
        self.app, self.mounts = app, mounts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        root = scope.get("root_path", "").rstrip("/")
        path = scope.get("path", "")
        path = path[len(root) :] if root and path.startswith(f"{root}/") else path
        if scope["type"] != "http" or not path.startswith(f"/{BELOW}/"):
            await self.app(scope, receive, send)
            return
        slug, slash, rest = path[len(BELOW) + 2 :].partition("/")
        page = self.mounts.apps.get(slug)
        if page is None:
            await PlainTextResponse("There is no such page.", status_code=404)(scope, receive, send)
            return
        if not slash:  # the page's own addresses are relative ones
            query = scope.get("query_string", b"").decode("latin-1")
            await RedirectResponse(f"{slug}/{'?' + query if query else ''}")(scope, receive, send)
            return
        below = f"{root}/{BELOW}/{slug}"

        async def inside(message: Any) -> None:
            # The page of the monitoring is opened by an address that gradio writes as if its application stood at the top.
            if message["type"] == "http.response.start" and message["status"] == 302:
                message = {**message, "headers": [(k, below.encode() + v if k == b"location" and v.startswith(b"/monitoring/") else v)
                                                  for k, v in message["headers"]]}  # fmt: skip
            await send(message)

        await page({**scope, "root_path": below, "path": f"{below}/{rest}"}, receive, inside)
