"""Our half of the peers' protocol: an environment for each adapter, a process in it, requests and answers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from bench.places import made

__all__ = ["ADAPTERS", "Peer", "PeerFailed", "modules", "pins"]

HERE: Final = Path(__file__).parent
ADAPTERS: Final = tuple(sorted(path.stem.removeprefix("on_") for path in HERE.glob("on_*.py")))
_SCRIPT: Final = re.compile(r"^# /// script\n(.*?)^# ///$", re.MULTILINE | re.DOTALL)


class PeerFailed(Exception):
    """A peer could not be installed, raised an error, or died: the report says so and goes on without it."""


class Peer:
    """A peer's process. `ask` sends it one request and waits; leaving the `with` block ends it.

    Where peers are not `wanted` in a run, making one is PeerFailed.
    """

    wanted: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        if not self.wanted:
            raise PeerFailed("left out of this run")
        self.name = name
        command = [str(_environment(name)), str(HERE / f"on_{name}.py")]
        scratch = {"BENCH_SCRATCH": str(made("scratch")), "PYTHONWARNINGS": "ignore"}
        environment = {key: text for key, text in os.environ.items() if key != "PYTHONPATH"} | scratch
        self._log = made("logs") / f"{name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, op: str, *, keep: bool = False, **arguments: Any) -> dict[str, Any]:
        """The answer to one request: `seconds`, what else the adapter says, and `array`: what it computed, if it is to
        `keep` that, else None."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps({"op": op, "keep": keep, **arguments}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerFailed(f"{self.name} ended (see {self._log})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerFailed(f"{self.name}: {answer['error'].strip().splitlines()[-1]}")
        if answer["array"] is not None:
            answer["array"] = np.load(answer["array"])
        return answer

    def ms(self, op: str, **arguments: Any) -> float:
        """Milliseconds of one request."""
        return float(self.ask(op, **arguments)["seconds"]) * 1e3


def pins(name: str) -> list[str]:
    """What an adapter installs, as its first lines say."""
    return list(_script(name)["dependencies"])


def modules(name: str) -> Path | None:
    """A folder with the npm modules of an adapter's page, installed unless they are there; None where it has none."""
    wanted = _script(name).get("tool", {}).get("bench", {}).get("modules", [])
    if not wanted:
        return None
    folder = _folder(f"{name}-page", wanted)
    if not (folder / "whole").exists():
        options = ["--ignore-scripts", "--no-save", "--omit=dev", "--prefix", str(folder)]
        _install(name, folder, wanted, [["npm", "install", *options, *wanted]])
    return folder / "node_modules"


def _script(name: str) -> dict[str, Any]:
    found = _SCRIPT.search((HERE / f"on_{name}.py").read_text())
    if found is None:
        raise PeerFailed(f"{name}: no script block with dependencies in its adapter")
    return tomllib.loads(re.sub(r"^# ?", "", found.group(1), flags=re.MULTILINE))


def _environment(name: str) -> Path:
    """The interpreter of an adapter's own environment, made and filled unless one with the same pins is there."""
    wanted = pins(name)
    folder = _folder(name, wanted)
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        _install(name, folder, wanted, [[sys.executable, "-m", "venv", str(folder)], pip])
    return python


def _folder(name: str, wanted: list[str]) -> Path:
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    return made("peers") / f"{name}-{digest}"


def _install(name: str, folder: Path, wanted: list[str], commands: list[list[str]]) -> None:
    """Fill a folder by commands; a file `whole` in it says that all of them have ended well."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"installing {name}: {', '.join(wanted)}", file=sys.stderr)
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise PeerFailed(f"{name} could not be installed: {error}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise PeerFailed(f"{name} could not be installed: {' '.join(last)}") from error
    (folder / "whole").touch()
