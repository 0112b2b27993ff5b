"""A web server on this machine that misbehaves as told: the synthetic counterpart of the real archives."""

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Resource:
    """What is served under one path, and how badly."""

    body: bytes = b""
    etag: str | None = None
    knows_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the connection is cut, one per request; none = the whole body."""
    failures: list[tuple[int, dict]] = field(default_factory=list)
    """Statuses and headers of the first answers."""
    headers: dict = field(default_factory=dict)
    redirect: str | None = None
    says_length: bool = True
    shift: int = 0
    """Bytes by which the start of a range is missed."""
    delay: threading.Event | None = None
    """Waited for before the second half of the body."""

    def __post_init__(self):
        if self.etag is None:
            self.etag = f'"{hashlib.md5(self.body).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        resource = self.server.resources.get(self.path)
        if resource is None:
            return self.answer(404)
        if resource.failures:
            status, headers = resource.failures.pop(0)
            return self.answer(status, headers)
        if resource.redirect:
            return self.answer(302, {"Location": resource.redirect})
        return self.serve(resource)

    def answer(self, status, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve(self, resource):
        body, start = resource.body, 0
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, resource.etag)
        if asked and resource.knows_ranges and same:
            start = int(asked.removeprefix("bytes=").removesuffix("-")) + resource.shift
            if start >= len(body):
                return self.answer(416, {"Content-Range": f"bytes */{len(body)}"})
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if resource.etag:
            self.send_header("ETag", resource.etag)
        if resource.says_length:
            self.send_header("Content-Length", str(len(body) - start))
        else:
            self.close_connection = True
        for name, value in {"Content-Type": "application/octet-stream", **resource.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        rest = body[start:]
        if resource.cuts:
            self.wfile.write(rest[: resource.cuts.pop(0)])
            self.close_connection = True
        elif resource.delay is not None:
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            resource.delay.wait(5)
            self.wfile.write(rest[len(rest) // 2 :])
        else:
            self.wfile.write(rest)
        return None


class ScriptedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.resources: dict[str, Resource] = {}
        self.requests: list[tuple[str, dict]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def put(self, path, body=b"", **how):
        """Serve a resource; return its address."""
        self.resources[path] = Resource(body, **how)
        return self.address + path

    def put_json(self, path, content, **how):
        """Serve JSON."""
        return self.put(path, json.dumps(content).encode(), headers={"Content-Type": "application/json"}, **how)

    def asked(self, path):
        """Headers of each request for a path."""
        return [headers for name, headers in self.requests if name == path]

    def handle_error(self, request, client_address):
        pass


@contextmanager
def running():
    server = ScriptedServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
