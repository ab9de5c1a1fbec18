"""OpenID Connect providers to sign in through: a real one, and one that cheats in the way it is told to."""

import base64
import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.servers import free_port, post, served

CLIENT_ID = "omniracle"
CLIENT_SECRET = "a secret that the provider and the site share"


@cache
def _first_key() -> RSAKey:
    """Return one key for all providers: it takes a while to make."""
    return RSAKey.generate_key(2048, {"kid": "one"})


class Provider:
    """Answers as OpenID Connect says, but for what `claims`, `header`, `metadata` and the like are set to."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = _first_key()
        self.signing_key = self.key  # or another one, to forge
        self.header: dict[str, str] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, object] = {"sub": "42", "email": "eve@example.org", "email_verified": True}
        self.userinfo: dict[str, object] = {}
        self.metadata: dict[str, object] = {}
        self.is_down = False
        self.asked: list[str] = []  # paths, in order
        self.codes: dict[str, tuple[str, str]] = {}  # and the challenge and nonce that each belongs to
        self.delay_s = 0.0
        self.more_keys: list[object] = []

    def authorize(self, location: str) -> tuple[str, dict[str, str]]:
        """Look at where a browser was sent; return the address it is sent back to, and the parameters it came with."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = query["code_challenge"], query["nonce"]
        return f"{query['redirect_uri']}?code={code}&state={query['state']}", query

    def document(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        } | self.metadata

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge, nonce = self.codes.get(form["code"][0], ("", ""))
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return 400, {"error": "invalid_grant"}
        moment = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + 300, "nonce": nonce}
        claims |= self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(self.header, claims, self.signing_key, [self.header["alg"]])
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": signed}

    def answer(self, path: str, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        self.asked.append(path)
        time.sleep(self.delay_s)
        if self.is_down:
            return 503, {}
        match path:
            case "/.well-known/openid-configuration":
                return 200, self.document()
            case "/jwks":
                return 200, {"keys": [*self.more_keys, self.key.as_dict(private=False, kid=self.key.kid, use="sig")]}
            case "/token":
                return self.token(form)
            case "/userinfo":
                return 200, self.userinfo
        return 404, {}


@contextmanager
def real_provider() -> Iterator[str]:
    """Run a provider made with Authlib's server, in a process of its own, and give its address."""
    port = free_port()
    options = ["--port", str(port), "--require-registration", "true", "--require-nonce", "true"]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options]
    issuer = f"http://localhost:{port}"
    with served(command, f"{issuer}/.well-known/openid-configuration"):
        yield issuer


def register(issuer: str, site: str) -> tuple[str, str]:
    """Make a site known to the real provider; return its client id and secret."""
    registration = {"redirect_uris": [f"{site}/sign-in/openid/callback"]}
    answer = post(f"{issuer}/oauth2/clients", json=registration).raise_for_status().json()
    return answer["client_id"], answer["client_secret"]


@contextmanager
def cheating_provider() -> Iterator[Provider]:
    """Run a provider on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, answer = provider.answer(self.path, parse_qs(self.rfile.read(length).decode()))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forging_key() -> OctKey:
    """The key of who knows only the client's secret."""
    return OctKey.import_key(CLIENT_SECRET)
