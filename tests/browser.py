"""A browser for tests: Chromium without a window, driven over its own protocol."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from select import select
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TAKE_3_AND_4 = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 50) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_ANSWER_WITHIN_S = 60.0


def find_browser() -> str | None:
    """A Chromium or Chrome on the path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page. Raises AssertionError with the page's own words when a script in it fails."""

    def __init__(self, url: str, width: int = 1280, height: int = 800) -> None:
        program = find_browser()
        assert program is not None
        self._folder = tempfile.mkdtemp(prefix="doppio-browser-")
        # Messages go through file descriptors 3 and 4 of the browser: no socket, no port, no package.
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-S", "-c", _TAKE_3_AND_4, str(to_browser), str(from_browser), program),
                *("--headless", "--no-sandbox", "--disable-gpu-sandbox", "--no-first-run", "--disable-extensions"),
                "--disable-dev-shm-usage",
                *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                "--remote-debugging-pipe",
                f"--user-data-dir={self._folder}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_browser, from_browser),
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._count = 0
        self._session = ""
        target = self._send("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._send("Page.enable")
        self._send("Page.navigate", url=url)

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select([self._in], [], [], _ANSWER_WITHIN_S)
            assert ready, "the browser does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, f"the browser ended with status {self._process.wait()}"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        answer = self._send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        details = answer.get("exceptionDetails")
        assert details is None, details and details.get("exception", {}).get("description", details)
        return answer["result"].get("value")

    def wait(self, script: str, within_s: float = 60.0) -> None:
        """Until the expression holds."""
        until = time.monotonic() + within_s
        while not self.run(script):
            assert time.monotonic() < until, f"{script} does not become true; the page says: {self.text('#loading')}"
            time.sleep(0.1)

    def text(self, selector: str) -> str:
        """What an element shows."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")

    def key(self, key: str) -> None:
        """Press a key."""
        self.run(f"dispatchEvent(new KeyboardEvent('keydown', {{key: {json.dumps(key)}, bubbles: true}})), 1")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """`mousePressed`, `mouseMoved` or `mouseReleased` of the left button."""
        buttons = 0 if kind == "mouseReleased" else 1
        self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=buttons, clickCount=1)

    def picture(self) -> bytes:
        """PNG of what is shown."""
        return base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
