"""The scripts that the page loads: its modules in one file where they were bundled, else each, with preload hints.

A wheel has the bundle `static/page.js` (`tools/bundle.mjs`, run by `hatch_build.py`); a clone has the modules. Without
hints a browser learns of a module only from the one that imports it, and fetches them in as many rounds as the imports
are deep. A bundle is used only if its first line holds the digest of the modules next to it, so an old one is not.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from pathlib import Path
from typing import Final

__all__ = ["bundle_of", "digest_of", "import_map", "imported", "module_files", "packages_of", "with_scripts"]

MAIN: Final = '<script type="module" src="../_/static/main.js"></script>'
_BUNDLE: Final = "page.js"
_STATIC: Final = "../_/static/"
_IMPORT: Final = re.compile(r'^(?:import|export)\b(?:[^"\';]*\bfrom)?\s*"([^"]+)"', re.MULTILINE)
_IMPORT_MAP: Final = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


def module_files(static: Path) -> list[Path]:
    """The modules below a folder, those of third parties included, but not their bundle."""
    return sorted(path for path in static.rglob("*.js") if path != static / _BUNDLE)


def digest_of(static: Path) -> str:
    """SHA-256, in hex, of the names and contents of all modules; `tools/bundle.mjs` makes the same of them."""
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(static).as_posix(), path) for path in module_files(static)):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def imported(static: Path, main: str, packages: dict[str, str]) -> list[str]:
    """What a module imports, and what that imports: paths from the folder, nearest first, each once.

    `packages` are paths by the names of packages, as in an import map. What is not there is left out.
    """
    found = [main]
    for name in found:
        for source in _IMPORT.findall((static / name).read_text("utf-8")):
            relative = posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
            path = relative if source.startswith(".") else packages.get(source, "")
            if path and path not in found and (static / path).is_file():
                found.append(path)
    return found[1:]


def import_map(page: str) -> str | None:
    """The text of a page's import map; None if it has none."""
    found = _IMPORT_MAP.search(page)
    return found[1] if found else None


def packages_of(page: str) -> dict[str, str]:
    """The paths, from the folder of modules, of the packages that a page's import map names."""
    text = import_map(page)
    addresses = {} if text is None else json.loads(text)["imports"]
    return {name: address.removeprefix(_STATIC) for name, address in addresses.items()}


def bundle_of(static: Path) -> Path | None:
    """The bundle, if there is one and it is of the modules next to it."""
    bundle = static / _BUNDLE
    if not bundle.is_file():
        return None
    with bundle.open(encoding="utf-8") as file:
        return bundle if digest_of(static) in file.readline() else None


def with_scripts(page: str, static: Path) -> str:
    """The page with its bundle in the place of its main module, or with a preload hint for each module it imports."""
    if bundle_of(static) is not None:
        return page.replace(MAIN, MAIN.replace("main.js", _BUNDLE))
    found = imported(static, "main.js", packages_of(page))
    hints = [f'<link rel="modulepreload" href="{_STATIC}{path}">' for path in found]
    return page.replace(MAIN, "\n".join([MAIN, *hints]))
