"""Who may talk to the server, and what a page of it may load.

The server binds to loopback unless a token is set. Every request is checked: the Host header against an allow-list
(DNS rebinding), the Origin of everything that writes (cross-site requests), the token where there is one (constant time).
"""

import hmac
from functools import cache
from urllib.parse import urlsplit

from dash import Dash
from flask import Flask, Response, abort, redirect, request

TOKEN_COOKIE = "interplay-token"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def protect(app: Dash, *, hosts: frozenset[str] = LOOPBACK, token: str = "") -> None:
    """Install the checks and headers on an app."""
    server: Flask = app.server
    policy = cache(lambda: _content_policy(app))  # Dash knows its inline scripts only once it has set up its routes

    @server.before_request
    def check() -> Response | None:
        if _host(request.host) not in hosts:
            abort(421, "This server does not answer to that host name.")
        if request.method in WRITES and not _same_origin():
            abort(403, "Requests from other sites are refused.")
        return _check_token(token) if token else None

    @server.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        return response


def _content_policy(app: Dash) -> str:
    scripts = " ".join(app.csp_hashes())
    return (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def _host(header: str) -> str:
    return (urlsplit(f"//{header}").hostname or "").lower()


def _same_origin() -> bool:
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _check_token(token: str) -> Response | None:
    """Accept the cookie; or take the token from the address once, turn it into a cookie and hide it again."""
    if hmac.compare_digest(request.cookies.get(TOKEN_COOKIE, "").encode(), token.encode()):
        return None
    if hmac.compare_digest(request.args.get("token", "").encode(), token.encode()):
        answer = redirect(request.path)
        answer.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure)
        return answer  # type: ignore[return-value]
    abort(401, "Open this server with the link that contains its token.")
