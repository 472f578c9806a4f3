"""The process between that of an app and the one that it is forked from: what the app's daemons leave comes here.

An orphan, which a daemon that forks twice makes of itself, becomes a child of the nearest ancestor that is a subreaper
(PR_SET_CHILD_SUBREAPER). It has to be waited for when it ends, else it stays a zombie. Were that the app's own process,
nothing could tell an orphan from a child that the app itself will wait for, as `subprocess` does; here all are orphans
but one. They count as the app's memory, since they descend from this process, and end with it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import Final, NoReturn

__all__ = ["die_with_parent", "fork_kept", "take_orphans"]

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG
_TAKE_ORPHANS: Final = 36  # PR_SET_CHILD_SUBREAPER, which children do not inherit

_prctl: Final = ctypes.CDLL(None, use_errno=True).prctl


def take_orphans() -> None:
    """Become the parent of all orphans among the descendants of this process."""
    _prctl(_TAKE_ORPHANS, 1)


def die_with_parent(parent: int) -> None:
    """Be killed when the process `parent` ends, which this one was forked from; at once if it has ended."""
    _prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def fork_kept(connection: int) -> None:
    """Fork, and return in the new process, which leads a session of its own. This one closes the descriptor, waits for
    all that end, and ends in the way that the new one does."""
    keeper = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        os.write(2, f"The app's process cannot be forked: {error}.\n".encode())
        os._exit(1)
    if pid == 0:
        die_with_parent(keeper)
        os.setsid()  # signals to the app's own group are not for its keeper
        return
    os.close(connection)
    while True:
        ended, status = os.wait()
        if ended == pid:
            _end_as(os.waitstatus_to_exitcode(status))


def _end_as(status: int) -> NoReturn:
    """End this process with an exit code, or (negative) by a signal."""
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
