"""`bigviz serve --num-procs N`: what each of the processes runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from bigviz.common.memory import total_memory
from bigviz.server.apps.fork_server import warm
from bigviz.server.processes.front_end import FrontEnd
from bigviz.server.processes.supervisor import Supervisor
from bigviz.server.run import process
from bigviz.server.run.event_log import PlainReporter, Reporter

if TYPE_CHECKING:
    from bigviz.common.progress import Progress
    from bigviz.server.run.options import Options
    from bigviz.server.run.server import Loaded

__all__ = ["Workers", "run"]

_SAID_BY_ALL: Final = frozenset(("stopped",))
_SAID_BY_ONE: Final = _SAID_BY_ALL | {"listening", "facts", "indexes", "reading", "compiling", "loaded", "built"}


class Workers(Protocol):
    """Loads documents whose tables the workers of a cluster hold."""

    def load(self, progress: Progress, front_end: FrontEnd) -> Any: ...

    def close(self) -> None: ...

    @property
    def hosts(self) -> bool: ...

    def host(self, front_end: FrontEnd) -> int: ...


def run(
    count: int, options: Options, names: Sequence[str], load: Callable[..., Loaded], as_json: bool, *, browser: bool,
    open_first: bool, opened: Callable[[str], None] | None = None, apps: bool = False,
    on_workers: Workers | None = None,
) -> int:  # fmt: skip
    """Serve from so many processes until a signal ends it; the exit status. The memory for tiles and rows is divided
    among them. `opened` is called in the one that writes, whenever one begins to. With `apps` it says no earlier where
    it is than their scripts have run. `on_workers` loads in place of `load`; workers that it hosts are in a process
    beside these."""
    each = replace(options, cache=(options.cache or total_memory() // 2) // count)

    def serve(front_end: FrontEnd) -> int:
        left_out = _SAID_BY_ALL if front_end.speaks else _SAID_BY_ONE
        report = Reporter(as_json, leaves_out=left_out, more={"process": front_end.number})
        if apps and front_end.writes:
            warm()  # it loads what apps use while this process loads the engine
        waits = apps and not options.dev and not front_end.is_again
        told = opened if front_end.writes else None
        loads = partial(load if on_workers is None else on_workers.load, front_end=front_end)
        try:
            return process.run(
                each, names, loads, report, browser=browser, open_first=open_first, opened=told, tells_when_open=waits,
                front_end=front_end,
            )  # fmt: skip
        finally:
            if on_workers is not None:
                on_workers.close()

    beside = on_workers.host if on_workers is not None and on_workers.hosts else None
    return Supervisor(options, count, serve, PlainReporter(as_json), beside).run()
