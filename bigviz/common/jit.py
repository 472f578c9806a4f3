"""The one decorator that compiles kernels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba
import numpy.typing as npt
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from bigviz.common.disk.turn import turn

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE: Final = 60.0  # seconds; a kernel takes up to 10 s, and one that another process stopped at takes no longer
_compiling: list[Path] = []  # kernels whose turn this process has; the compiler's lock guards it


def jit(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a kernel with the project's numba options.

    The kernel releases the GIL, so that the server's executor supplies the threads, and is cached on disk, so that
    only the first start on a machine pays for the compiler (every start where neither the package's directory nor the
    user's can be written to, as in a read-only container). Of processes that need it at the same time one compiles it,
    and the others wait: numba may give a file two names for two types where two processes add to its cache at once.
    It divides as numpy does (1 / 0 is infinity), is never parallel and never reorders float arithmetic: the same rows
    give the same bits on every machine. No entry for C is made: nothing calls it, and it takes a part of the
    compiler's time.
    """
    kernel = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)
    with suppress(RuntimeError):  # numba found no directory for its cache
        kernel.enable_caching()
        kernel.compile = partial(_in_turn, kernel, kernel.compile, _turns_of(function, kernel.stats.cache_path))
    return cast("Callable[P, T]", kernel)


def _turns_of(function: Callable[..., Any], cache: str) -> Path:
    """The file at which processes take turns to compile a kernel."""
    return Path(cache, f"{function.__module__}.{function.__qualname__}.turn")


def _in_turn(kernel: Any, compile: Callable[[Any], Any], turns: Path, signature: Any) -> Any:
    """Compile a kernel for a signature, or load what another process has compiled."""
    with global_compiler_lock:  # first: a thread that has its turn needs it too
        if turns in _compiling or _is_kept(kernel, signature):  # it calls itself, or nothing is added to its cache
            return compile(signature)
        with turn(turns, _PATIENCE):
            _compiling.append(turns)
            try:
                return compile(signature)
            finally:
                _compiling.remove(turns)


def _is_kept(kernel: Any, signature: Any) -> bool:
    """Whether a kernel is on the disk for a signature: who loads it need not wait while another process compiles it for
    other types. numba has no public name for that."""
    kernel.targetctx.refresh()
    cache = kernel._cache
    found: bool = cache._index_key(signature, kernel.targetctx.codegen()) in cache._cache_file._load_index()
    return found


def load_compiler() -> None:
    """Load what numba loads with the first kernel that is called in a process (half a second), so that it is there."""
    _nothing()


@contextmanager
def told_of_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` when the first kernel is compiled meanwhile, in any thread. Those that are on the disk are not."""
    with event.install_listener("numba:compile", _First(tell)):
        yield


def tell_of_compiling(tell: Callable[[], None]) -> None:
    """Call `tell`, and nobody who was to be called so before, when the next kernel is compiled, in any thread."""
    event.unregister("numba:compile", _latest[0])
    _latest[0] = _First(tell)
    event.register("numba:compile", _latest[0])


def say_compiling() -> None:
    """Call the one who is to be called when the next kernel is compiled: another process compiles some for this one."""
    _latest[0].on_start(None)


class _First(event.Listener):  # type: ignore[misc]
    """Calls a function at the first event."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def on_start(self, event: Any) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def on_end(self, event: Any) -> None:
        """Nothing waits for the end."""


_latest = [_First(lambda: None)]
event.register("numba:compile", _latest[0])


def cache_directory() -> str | None:
    """Where numba keeps the kernels of this module; None where it found no directory that can be written to."""
    kernel: Any = _nothing
    found: str | None = kernel.stats.cache_path
    return found


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view of an array that a kernel only reads.

    Columns over Arrow's memory are read-only, computed ones are not, and numba compiles a kernel again for each of the
    two. With every input frozen there is one machine code, not two to the number of inputs.
    """
    view = array.view()
    view.flags.writeable = False
    return view


@jit
def _nothing() -> None:
    """A kernel that does nothing."""
