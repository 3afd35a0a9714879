"""The command line: everything the pages can do, without a browser. `python -m rag --help` lists it."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from rag.arguments import parser
from rag.errors import RagError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 after a RagError or if all files failed, 2 after wrong usage."""
    options = parser(__doc__).parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # half a surrogate pair must not end a batch
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        from rag.commands import run  # only now: it takes seconds, which help and wrong usage need not wait

        return run(options)
    except RagError as error:
        print(f"Error: {error} {error.hint}".rstrip().replace("\n", " "), file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
