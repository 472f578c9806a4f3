"""The directory of stores: each found by what it is an index of, built once, used by many, removed when room is
needed."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bigviz.aggregate.reductions.base import Reduction
from bigviz.common.errors import BadInput, BigvizError, TooLarge, Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.atomic_build import (
    Write,
    aside_of,
    begun_with,
    build_folder,
    discard,
    disk_errors,
    lock_of,
    make_directory,
)
from bigviz.tiles.store.catalog.expected_size import expected_size
from bigviz.tiles.store.catalog.identity import folder_name, origin_of
from bigviz.tiles.store.catalog.parts import PARTS, PartKind, part_folder, part_of
from bigviz.tiles.store.catalog.quota import (
    SHARE,
    Unit,
    bytes_of,
    default_root,
    drop_unused,
    make_room,
    sweep,
    unit_of,
    units,
)
from bigviz.tiles.store.files.lock import Lock
from bigviz.tiles.store.files.manifest import FORMAT, Manifest, OtherFormat, loosely, read_manifest
from bigviz.tiles.store.writers import WRITERS, Writer

__all__ = ["Entry", "StoreDirectory", "entry_of"]

State = Literal["ready", "unfinished", "other format", "damaged"]

_LOGGER: Final = logging.getLogger("bigviz")
_TRIES: Final = 8
_MATTERS: Final = ("fingerprint", "identity", "spec", "key", "store")


@dataclass(frozen=True)
class Entry:
    """One store as it is on the disk.

    `of` is what it is an index of (see `origin_of`; empty where it does not say), `manifest` is None for one that is
    not whole, `size` is in bytes, parts included, and `used` seconds since the epoch.
    """

    path: Path
    state: State
    of: Mapping[str, Any]
    manifest: Manifest | None
    size: int
    used: float


class StoreDirectory:
    """Stores below `root`, at most `limit` bytes of them. Safe to use from any number of threads and processes.

    What is found or built is held, so that nobody removes it, until `release` or the end of the process. `tell` is
    called with sentences for the operator.
    """

    def __init__(
        self,
        root: Path | None = None,
        limit: int | None = None,
        writers: Mapping[str, Writer] | None = None,
        tell: Callable[[str], None] = _LOGGER.warning,
        asked: bool = False,
    ) -> None:
        """`root` (default: the user's cache directory) is made when something is first built; `limit` (default: a
        quarter of what would be free without stores) is kept by removing the least recently used.

        `asked`: the user wants the index itself, so the default limit is all that would be free, and what cannot be
        kept is an error. Raises BadInput where there is no cache directory.
        """
        self.root = (root or default_root()).absolute()
        self._limit, self._share, self._asked = limit, 1 if asked else SHARE, asked
        self._writers = WRITERS if writers is None else writers
        self._tell = tell
        self._told: set[str] = set()
        self._places: dict[tuple[str, OrderSpec], tuple[Path, dict[str, Any]]] = {}
        self._held: dict[Path, Lock] = {}
        self._guard = threading.Lock()

    def find(self, dataset: Dataset, spec: OrderSpec) -> Path | None:
        """The whole and fresh store, held from now on; None without one. Its files were compared with its manifest."""
        if not dataset.files:
            return None
        return self._found(*self._place(dataset, spec))

    def build(
        self,
        dataset: Dataset,
        spec: OrderSpec,
        columns: Sequence[str] = (),
        crew: Crew | None = None,
        reduction: Reduction | None = None,
    ) -> Path:
        """The store, built unless it is there, with at least `columns` if it is built now; held from now on.

        With the `reduction` of the layer that it is for, room is made for its pyramid too, and the operator is told how
        much all of it is and where it goes, before the first row is written.

        If another process builds it, this waits and reports the progress of that process. Cancelled leaves what can be
        continued; any other error leaves nothing: TooLarge (the limit, or the disk), Unreadable (the source changed),
        BadInput for a table in memory, which no later process could recognise.
        """
        crew = crew or Crew()
        if not dataset.files:
            raise BadInput(f"{dataset.name!r} is in memory: only an index of files can be kept.", "dataset")
        columns = tuple(dict.fromkeys(columns))
        folder, of = self._place(dataset, spec)
        for _ in range(_TRIES):
            with disk_errors(self.root):
                if self._hold_or_drop(folder, of):
                    return folder
                dataset.check()
                size = expected_size(dataset, spec, columns, reduction, crew.cancel)
                self._make_room(folder, size.total, f"The index of {dataset.name!r} takes {size}")
                if reduction is not None:
                    self._say(f"The index of {dataset.name!r} takes {size}. It goes to {self._where()}.")
                for _, older in self._replaced(of):
                    why = "was written by an older bigviz" if older else "is of an older state of the file"
                    self._say(f"The index of {dataset.name!r} {why}: it is built again.")
                plan = {"of": of, "columns": columns}
                lock = build_folder(folder, spec.kind, of, plan, self._write(dataset, spec, columns), crew)
                for replaced, _ in self._replaced(of):
                    drop_unused(replaced)
                self._trim(lock)
        raise Unreadable(f"The store {folder} is removed as soon as it is written.", got=str(folder))

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Tell the operator, once, instead of raising, where the disk or the limit does not allow what is built within:
        callers that can do without the store go on. A store that the user asked for still raises."""
        try:
            yield
        except (BadInput, TooLarge) as error:
            if self._asked or error.field not in ("store-dir", "store-limit"):
                raise
            self._say(f"No index is kept on the disk: {error.message}")

    def part(self, store: Path, kind: PartKind, key: str) -> Path | None:
        """A column or pyramid that was added to a store, held from now on; None without it."""
        try:
            return self._found(part_folder(store, kind, key), part_of(store, key))
        except Unreadable as error:  # of the store
            self._say(f"An index is not used: {error.message}")
            return None

    def add(
        self, store: Path, kind: PartKind, key: str, write: Write, crew: Crew | None = None, expected: int = 0
    ) -> Path:
        """A column or pyramid of a store that is held, built by `write` unless it is there; held from now on.

        `expected` bytes are made room for. Errors, waiting and resuming as for `build`.
        """
        folder, of = part_folder(store, kind, key), part_of(store, key)
        for _ in range(_TRIES):
            with disk_errors(self.root):
                if self._hold_or_drop(folder, of):
                    return folder
                self._make_room(folder, expected)
                self._trim(build_folder(folder, kind.removesuffix("s"), of, key, write, crew or Crew()))
        raise Unreadable(f"The part {folder} is removed as soon as it is written.", got=str(folder))

    def entries(self) -> list[Entry]:
        """All stores, the most recently used first, those that are not whole included; nothing is held. Raises BadInput
        where the directory cannot be read."""
        with disk_errors(self.root):
            return [_entry(unit) for unit in reversed(units(self.root)) if unit.folder.parent == self.root]

    def drop(self, path: Path) -> None:
        """Remove a store or part, such as one that turned out to be damaged, even if it is used: files that are mapped
        stay until they are released. One that is being built stays."""
        with self._guard:
            lock = self._held.pop(path, None)
        lock = lock or (Lock.take(lock_of(path), exclusive=False) if path.exists() else None)
        if lock is not None:
            try:
                # Nobody can build under this name before the lock's file is gone, and then under another lock.
                discard(path)
                lock.remove()
            finally:
                lock.release()

    def holder(self, file: str) -> Path | None:
        """The store or part of this directory that a file belongs to, such as one that an Unreadable names."""
        path = Path(file)
        if not path.is_relative_to(self.root) or path == self.root:
            return None
        names = path.relative_to(self.root).parts
        return self.root.joinpath(*names[: 3 if len(names) > 2 and names[1] in PARTS else 1])

    def release(self, path: Path) -> None:
        """Let go of a store or part: it may be removed when room is needed."""
        with self._guard:
            lock = self._held.pop(path, None)
        if lock is not None:
            lock.release()

    def close(self) -> None:
        """Let go of everything."""
        for path in list(self._held):
            self.release(path)

    def _place(self, dataset: Dataset, spec: OrderSpec) -> tuple[Path, dict[str, Any]]:
        """The folder of a store and what it is of, which takes a while for a table of many files."""
        key = dataset.fingerprint, spec
        if key not in self._places:
            self._places[key] = self.root / folder_name(dataset, spec), origin_of(dataset, spec)
        return self._places[key]

    def _found(self, folder: Path, of: Mapping[str, Any]) -> Path | None:
        """The folder, held, if it can be used; otherwise the reason is reported once."""
        try:
            with disk_errors(self.root):
                return folder if self._hold(folder, of) else None
        except BigvizError as error:
            self._say(f"An index is not used: {error.message}")
            return None

    def _hold(self, folder: Path, of: Mapping[str, Any]) -> bool:
        """Hold a folder that is whole and what it should be; Unreadable for one that is there and is not."""
        with self._guard:
            held = self._held.get(folder)
            if held is not None:
                if held.share():
                    return True
                self._held.pop(folder).release()  # another process found it damaged
            lock = Lock.take(lock_of(folder), exclusive=False) if folder.is_dir() else None
            if lock is None:
                return False
            try:
                manifest = read_manifest(folder)
                if manifest is None or any(manifest.of.get(name) != of[name] for name in _MATTERS if name in of):
                    raise Unreadable(f"{folder} is not what its name says.", got=str(folder))
            except BaseException:
                lock.release()
                raise
            self._held[folder] = lock
            return True

    def _hold_or_drop(self, folder: Path, of: Mapping[str, Any]) -> bool:
        try:
            return self._hold(folder, of)
        except Unreadable as error:
            self._say(f"An index is built again: {error.message}")
            self.drop(folder)
            return False

    def _make_room(self, folder: Path, needed: int, what: str | None = None) -> None:
        make_directory(self.root)
        sweep(self.root)
        more = max(0, needed - bytes_of(aside_of(folder)))
        make_room(self.root, more, self._limit, folder, self._share, what)

    def _where(self) -> str:
        """The directory, and what its disk has free."""
        return f"{self.root}, where {shutil.disk_usage(self.root).free / 1e9:,.2f} GB are free"

    def _trim(self, lock: Lock) -> None:
        """Keep the limit, if what was just built (and is locked) took more than was expected."""
        try:
            make_room(self.root, 0, self._limit, share=self._share)
        except TooLarge:
            self._say(f"The indexes in {self.root} that are in use take more than --store-limit allows.")
        finally:
            lock.release()

    def _write(self, dataset: Dataset, spec: OrderSpec, columns: Sequence[str]) -> Write:
        writer = self._writers[spec.kind]

        def write(path: Path, crew: Crew) -> Mapping[str, Any]:
            facts = writer(path, dataset, spec, columns, crew)
            dataset.check()  # else rows of two states of the file may be in it
            return facts

        return write

    def _replaced(self, of: Mapping[str, Any]) -> Iterator[tuple[Path, bool]]:
        """Stores of the same files and columns in an older format (True) or of an older state of the files (False)."""
        for unit in units(self.root):
            if unit.folder.parent != self.root:
                continue
            found = loosely(unit.folder)
            if found is None:
                begun = _begun_of(unit.folder)
                found = (FORMAT, begun["identity"], begun["fingerprint"]) if begun else None
            if found is None or found[1] != of["identity"] or found[0] > FORMAT:
                continue
            if found[0] < FORMAT or found[2] != of["fingerprint"]:
                yield unit.folder, found[0] < FORMAT

    def _say(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)


def entry_of(folder: Path) -> Entry:
    """The store in a folder, wherever it lies."""
    return _entry(unit_of(folder))


def _entry(unit: Unit) -> Entry:
    state, manifest = _state(unit.folder)
    of = _begun_of(unit.folder) if manifest is None else manifest.of
    return Entry(unit.folder, state, of, manifest, unit.size, unit.used)


def _state(folder: Path) -> tuple[State, Manifest | None]:
    if not folder.is_dir():
        return "unfinished", None
    try:
        manifest = read_manifest(folder)
    except OtherFormat:
        return "other format", None
    except Unreadable:
        return "damaged", None
    return ("damaged" if manifest is None else "ready"), manifest


def _begun_of(folder: Path) -> dict[str, Any]:
    """What a store that is being built, or was left half built, is meant to be an index of."""
    plan = begun_with(folder)
    of = plan.get("of") if isinstance(plan, dict) else None
    return of if isinstance(of, dict) and {"identity", "fingerprint"} <= of.keys() else {}
