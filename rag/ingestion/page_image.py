"""Draws one page of a PDF as a picture, in a process of its own: the file may be made to do harm."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import rag

SECONDS = 10
"""Wall and processor time that one page may take."""
MEMORY_BYTES = 1024 * 2**20
LARGEST_PICTURE = 10 * 2**20
"""Bytes."""
_WIDTH, _MOST_PIXELS = 1400, 4_000_000
_PNG = b"\x89PNG\r\n\x1a\n"


def page_image(content: bytes, number: int) -> bytes | None:
    """Return page `number` (counted from 0) of a PDF as PNG, about 1,400 pixels wide.

    None when it cannot be drawn: there is no such page, the file is damaged or locked, or it needs too much.
    """
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment["PYTHONPATH"] = str(Path(rag.__file__).parents[1])
    with tempfile.TemporaryFile() as picture:
        try:
            subprocess.run(
                [sys.executable, "-s", "-P", "-m", "rag.ingestion.page_image", str(number)],
                input=content,
                stdout=picture,
                stderr=subprocess.DEVNULL,
                cwd=tempfile.gettempdir(),
                env=environment,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        picture.seek(0)
        drawn = picture.read(LARGEST_PICTURE + 1)
    return drawn if drawn.startswith(_PNG) and len(drawn) <= LARGEST_PICTURE else None


def _draw(content: bytes, number: int) -> bytes:
    import pypdfium2  # the server never loads it: only this process reads hostile files

    page = pypdfium2.PdfDocument(content)[number]
    width, height = page.get_size()
    scale = min(_WIDTH / width, (_MOST_PIXELS / (width * height)) ** 0.5)
    picture = BytesIO()
    page.render(scale=scale).to_pil().convert("RGB").quantize(256).save(picture, "PNG")
    return picture.getvalue()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for limit, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, LARGEST_PICTURE + 1),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (allowed, allowed))


if __name__ == "__main__":
    _limit()
    sys.stdout.buffer.write(_draw(sys.stdin.buffer.read(), int(sys.argv[1])))
