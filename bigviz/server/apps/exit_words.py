"""Why a process has ended, in words."""

from __future__ import annotations

import signal
from typing import Final

__all__ = ["exit_words"]

_SIGNALS: Final = {
    signal.SIGSEGV: "by a segmentation fault: native code went wrong",
    signal.SIGBUS: "by a bus error: a file that was mapped is gone, or native code went wrong",
    signal.SIGABRT: "by an abort: native code gave up",
    signal.SIGFPE: "by an arithmetic error in native code",
    signal.SIGILL: "by an instruction that this processor does not have",
    signal.SIGKILL: "by SIGKILL: perhaps the machine was out of memory",
    signal.SIGTERM: "by SIGTERM: somebody stopped it",
}


def exit_words(status: int) -> str:
    """The end of a sentence that begins with the app's name; `status` is that of `subprocess` (negative: a signal)."""
    if status >= 0:
        return f"ended itself with exit code {status}"
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was ended by signal {-status}"
    return f"was ended {_SIGNALS.get(number, f'by {number.name}')}"
