"""Headers that every answer has: ours, BentoML's, and errors alike."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    # Nothing here loads anything, nor is anything here to be shown inside another page.
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
NEVER = frozenset({b"server", b"x-powered-by"})


class SecurityHeaders:
    """ASGI middleware: :data:`ALWAYS`, where an answer does not say otherwise itself, and none of :data:`NEVER`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request with these headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in NEVER]
                said = {name.lower() for name, _ in own}
                message = {**message, "headers": own + [one for one in ALWAYS if one[0] not in said]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
