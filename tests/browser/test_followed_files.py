"""A page of a file that grows follows it, and says what happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from .driver import figure, open_page, settle
from .served import start_server


def test_a_page_follows_a_file_and_tells_that_it_was_replaced(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("x,y\n" + "".join(f"{row},{row}\n" for row in range(100)))
    server = start_server("--follow", str(path), cwd=tmp_path)
    try:
        open_page(page, f"{server.url}/log/")
        told = page.locator(f"{figure()} .status-last")
        expect(told).to_contain_text("100 rows")
        with path.open("a") as file:
            for row in range(100, 130):
                file.write(f"{row},{row}\n")
                file.flush()
            file.write("1,oh\n")
        expect(told).to_contain_text("131 rows")
        expect(told).to_contain_text("1 note")
        (tmp_path / "other.csv").write_text("x,y\n1,1\n2,2\n3,3\n")
        os.rename(tmp_path / "other.csv", path)
        expect(told).to_contain_text("3 rows")
        settle(page)
        page.locator(f'{figure()} [data-act="details"]').click()
        details = page.locator(f"{figure()} .status-details")
        expect(details).to_contain_text("log.csv was replaced: the table was opened anew")
        expect(details).not_to_contain_text("oh")
        expect(details).not_to_contain_text(str(tmp_path))
    finally:
        server.stop()
