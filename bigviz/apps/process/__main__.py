"""`python -m bigviz.apps.process FD`: the process that those of apps are forked from."""

from __future__ import annotations

import gc
import os
import socket
import sys
from typing import Final

import numpy as np

import bigviz
from bigviz.apps.process.fork_server import ForkServer
from bigviz.apps.process.run import run_app

__all__ = ["main"]

_RARE: Final = frozenset({"Canvas", "Connection", "connect", "embed", "serve", "show"})  # they load a second's worth


def main() -> None:
    """Load what scripts use, then fork until the server is gone. The argument is the descriptor of a socket to it."""
    server, began = socket.socket(fileno=int(sys.argv[1])), os.getcwd()
    for name in bigviz.__all__:
        if name not in _RARE:
            getattr(bigviz, name)
    bigviz.open({"x": np.zeros(1)})  # with its first array pyarrow loads pandas, if that is there: 0.3 s
    gc.collect()
    gc.freeze()  # going through it for garbage would copy the pages that all processes share
    connection = ForkServer(server).serve()
    if connection is not None:
        run_app(connection, began)


if __name__ == "__main__":
    main()
