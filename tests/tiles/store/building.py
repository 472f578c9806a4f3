"""Builds an order as a program, or a series if that is the fourth word: a table, a directory for stores, and bytes
that a file may have at most (0: any).

Prints JSON: the most anonymous `memory` that it took, in bytes, what it `said` (the store or the error), and the names
`left` in the directory.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from pathlib import Path

from bigviz.common.errors import BigvizError
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory


def anonymous() -> int:
    """Bytes of memory that are not of a file."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def main() -> None:
    source, root, most = open_dataset(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    ended, seen = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.02):
            seen[0] = max(seen[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        stores = StoreDirectory(root, 1 << 40)
        spec = OrderSpec("x", "y", kind="series" if sys.argv[4:] == ["series"] else "order")
        result = str(stores.build(source, spec))
    except BigvizError as error:
        result = f"{type(error).__name__}: {error.message}"
    finally:
        ended.set()
        watcher.join()
    left = sorted(each.name for each in root.iterdir()) if root.exists() else []
    print(json.dumps({"memory": seen[0], "said": result, "left": left}))


if __name__ == "__main__":
    main()
