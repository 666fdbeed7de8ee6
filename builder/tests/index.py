"""A package index of wheels that a test makes, on loopback."""

import base64
import hashlib
import io
import ssl
import threading
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self


def wheel(name: str, version: str, requires: tuple[str, ...] = (), files: dict[str, str] | None = None) -> bytes:
    """A wheel of one module, which says its version, and of these files."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents = {
        f"{name}/__init__.py": f"version = {version!r}\n",
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {each}\n" for each in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    } | (files or {})
    record = "".join(f"{path},sha256={digest(text.encode())},{len(text)}\n" for path, text in contents.items())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in (contents | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(path, text)
    return data.getvalue()


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


class Index:
    """Serves wheels while it is entered. Credentials are "user:password"; the certificate's file holds its key too."""

    def __init__(self, credentials: str = "", certificate: Path | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.hashes = True
        self.slow = threading.Event()  # a file called slow-… is served once it is set
        self._credentials = credentials
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(BrokenPipeError):
                    self.wfile.write(index._answer(self))

            def do_HEAD(self) -> None:
                index._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"

    def add(
        self, name: str, version: str, *, requires: tuple[str, ...] = (), files: dict[str, str] | None = None
    ) -> None:
        self.files[f"{name}-{version}-py3-none-any.whl"] = wheel(name, version, requires, files)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/simple"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> bytes:
        expected = f"Basic {base64.b64encode(self._credentials.encode()).decode()}"
        if self._credentials and handler.headers["Authorization"] != expected:
            body, status = b"who is there?", 401
        else:
            body, status = self._body(handler.path.strip("/").split("/"))
        handler.send_response(status)
        if status == 401:
            handler.send_header("WWW-Authenticate", 'Basic realm="index"')
        handler.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/octet-stream")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        return body

    def _body(self, path: list[str]) -> tuple[bytes, int]:
        folder, name = path
        if folder == "files" and name.endswith(".metadata"):
            with zipfile.ZipFile(io.BytesIO(self.files[name.removesuffix(".metadata")])) as archive:
                return archive.read(next(path for path in archive.namelist() if path.endswith("/METADATA"))), 200
        if folder == "files" and name in self.files:
            self.asked.append(name)
            if name.startswith("slow-"):
                self.slow.wait(60)
            return self.files[name], 200
        links = [
            f'<a href="/files/{file}{self._fragment(data)}" data-core-metadata="true">{file}</a>\n'
            for file, data in self.files.items()
            if file.split("-")[0] == name.replace("-", "_")
        ]
        return f"<!DOCTYPE html>{''.join(links)}".encode(), 200 if links and folder == "simple" else 404

    def _fragment(self, data: bytes) -> str:
        return f"#sha256={hashlib.sha256(data).hexdigest()}" if self.hashes else ""
