"""Puts the bundle of the page's modules into a wheel. Without Node and esbuild the wheel serves them one by one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_MADE = ("bigviz/static/page.js", "bigviz/static/page.js.br")


class BundleHook(BuildHookInterface):  # type: ignore[misc]
    """Runs tools/bundle.mjs before the files of a wheel are gathered; an editable install has its modules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        for name in _MADE:
            (root / name).unlink(missing_ok=True)
        if version == "editable":
            return
        if not (shutil.which("node") and (root / "node_modules" / "esbuild").is_dir()):
            self.app.display_warning("no Node or no esbuild (npm install): the page's modules are not bundled")
            return
        subprocess.run(["node", str(root / "tools" / "bundle.mjs")], cwd=root, check=True)
        build_data["artifacts"] += _MADE
