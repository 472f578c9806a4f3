"""`python -m bigviz.tiles.rehearsal`: a warm-up in a process of its own."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

from bigviz.tiles.engine import Engine
from bigviz.tiles.rehearsal.rehearse import rehearse
from bigviz.tiles.rehearsal.table_types import TableTypes

__all__ = ["main"]

_LOWER: Final = 10  # a server that needs a kernel which is compiled here waits for it: the least priority is too little


def main() -> None:
    """Rehearse what the first line of the input says; end at once when the input ends."""
    os.nice(_LOWER)
    asked = TableTypes.from_json(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    rehearse(lambda stores: Engine(threads=2, stores=stores, index="existing"), asked)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
