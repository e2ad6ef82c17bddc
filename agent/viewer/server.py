"""Serve one page to the browser of this machine, and to nobody else."""

import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HTML, BINARY = "text/html; charset=utf-8", "application/octet-stream"


class PageServer:
    """Serves fixed contents at http://127.0.0.1:PORT until closed.

    Requests that name another host are refused: a page from elsewhere must not read episodes by giving its own name
    this address.
    """

    def __init__(self, contents: Mapping[str, tuple[str, bytes]], port: int = 0) -> None:
        """`contents`: path to media type and bytes. Port 0 takes a free one. Raises OSError for one that is taken."""
        files = dict(contents)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers.get("Host", "").rpartition(":")[0]
                found = files.get(self.path.partition("?")[0])
                if host not in ("127.0.0.1", "localhost"):
                    self.send_error(HTTPStatus.FORBIDDEN, "this page is for this machine only")
                elif found is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                else:
                    media, body = found
                    self.send_response(HTTPStatus.OK)
                    self.send_header("Content-Type", media)
                    self.send_header("Content-Length", str(len(body)))
                    self.send_header("Cache-Control", "no-store")
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        """Until interrupted."""
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
