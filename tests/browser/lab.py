"""A JupyterLab on a free port, with the kernel of this interpreter, and notebooks to open in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import anywidget
from playwright.sync_api import Locator, Page, expect

from ..patience import PATIENCE
from ..ports import free_port

INSTALLED = Path(anywidget.__file__).parents[4] / "share" / "jupyter"


class Lab:
    """A running JupyterLab, its files in a directory of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        folders = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
        own = {**folders, "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "JUPYTER_PATH": str(INSTALLED)}
        options = [
            "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self.port}", "--IdentityProvider.token=",
            "--ServerApp.password=", f"--notebook-dir={home}", f"--LabApp.app_dir={INSTALLED / 'lab'}",
            "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]  # fmt: skip
        command = [sys.executable, "-m", "jupyterlab", *options]
        with (home / "lab.log").open("wb") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log, cwd=home)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/lab"

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None and time.monotonic() < end, (self.home / "lab.log").read_text()
            try:
                urlopen(f"http://127.0.0.1:{self.port}/api", timeout=PATIENCE).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def close(self) -> None:
        """End it at once. Its kernels see that, and end too; asked to end, it waits for them for ten seconds."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def open(self, page: Page, name: str, cells: Sequence[str]) -> None:
        """A new notebook with these cells of code, none of which has been run, once its kernel is idle."""
        made = [
            {"cell_type": "code", "id": f"c{k}", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for k, cell in enumerate(cells)
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": made}
        (self.home / f"{name}.ipynb").write_text(json.dumps(notebook))
        page.goto(f"{self.url}/tree/{name}.ipynb?reset")
        expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(len(cells))
        expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_attached()


def cell_at(page: Page, index: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(index)


def run_cell(page: Page, index: int) -> Locator:
    """Run a cell; it has ended when this returns. Its output."""
    cell = cell_at(page, index)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell.locator(".cm-content").click()
    while prompt.inner_text() == before:  # the first request is lost while the page connects to the kernel
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(200)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))
    return cell.locator(".jp-OutputArea")
