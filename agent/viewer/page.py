"""The page itself: template, style and scripts put into one file, with its data or with where to get it."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

_STATIC = Path(__file__).parent / "static"
_SCRIPTS = ("three.bundle.js", "data.js", "shapes.js", "stage.js", "timeline.js", "panels.js", "app.js")


def render_page(title: str, data: Sequence[bytes] | None = None, urls: Sequence[str] = ()) -> str:
    """HTML of a page that shows one episode, or two side by side.

    `data` are bundles that go into the page, so that it needs nothing else; without them it fetches `urls`.
    """
    opening = '<script class="episode" type="application/octet-stream"'
    if data is not None:
        tags = [f"{opening}>{base64.b64encode(part).decode()}</script>" for part in data]
    else:
        tags = [f'{opening} data-url="{html.escape(url)}"></script>' for url in urls]
    scripts = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    page = (_STATIC / "page.html").read_text(encoding="utf-8")
    for mark, text in (
        ("%TITLE%", html.escape(title)),
        ("%STYLE%", (_STATIC / "style.css").read_text(encoding="utf-8")),
        ("%DATA%", "\n".join(tags)),
        ("%SCRIPT%", scripts.replace("</script", "<\\/script")),
    ):
        page = page.replace(mark, text, 1)
    return page
