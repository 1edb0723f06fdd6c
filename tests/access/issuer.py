"""An issuer of tokens: keys of its own, and a real HTTP server that publishes them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

URL, AUDIENCE = "https://issuer.test/", "finml"


class Issuer:
    """Signs tokens by the newest of its keys."""

    def __init__(self):
        self.keys = {}
        self.fetched = 0
        self.away = False
        self.rotate("first")

    def rotate(self, kid, *, keep=False):
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.keys = ({**self.keys} if keep else {}) | {kid: made}

    @property
    def jwks(self):
        public = {kid: RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for kid, key in self.keys.items()}
        return {"keys": [{**key, "kid": kid, "use": "sig"} for kid, key in public.items()]}

    def claims(self, **other):
        now = int(time.time())
        default = {"iss": URL, "aud": AUDIENCE, "sub": "jane@shop.test", "exp": now + 600, "iat": now}
        return {**default, "scope": "finml:credit_risk:predict", **other}

    def token(self, *, without=(), headers=None, **claims):
        kid, key = list(self.keys.items())[-1]
        kept = {name: value for name, value in self.claims(**claims).items() if name not in without}
        return jwt.encode(kept, key, "RS256", headers={"kid": kid, **(headers or {})}).encode()


@contextmanager
def published(issuer) -> Iterator[str]:
    """URL at which a real server gives the issuer's keys."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            issuer.fetched += 1
            body = json.dumps(issuer.jwks).encode()
            self.send_response(503 if issuer.away else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        server.shutdown()
