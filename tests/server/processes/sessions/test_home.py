"""The files of tables in the memory of apps: each is there from before its app shows it until no app does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bigviz.server.processes.sessions.home import SessionHome


def showing(name: str, *files: str) -> Any:
    """An app that shows these files."""
    tables = {each: {"file": each} for each in files}
    document = SimpleNamespace(to_json=dict)
    return SimpleNamespace(name=name, ready=SimpleNamespace(document=document, tables=tables) if files else None)


def test_a_table_that_an_app_opens_is_not_taken_away_when_another_one_changes(tmp_path: Path):
    def there() -> set[str]:
        return {each.name for each in tmp_path.iterdir()}

    (tmp_path / "left.arrow").touch()
    hub: Any = SimpleNamespace(apps={"a": showing("a"), "b": showing("b")})
    home = SessionHome(SimpleNamespace(failures={}, epoch=1), hub, tmp_path)  # type: ignore[arg-type]
    assert not there()
    for name in ("1.arrow", "2.arrow", "3.arrow"):
        (tmp_path / name).touch()
    for name, files in (("a", "1.arrow"), ("b", "2.arrow")):
        hub.apps[name] = showing(name, files)
        hub.changed(hub.apps[name])
        assert there() == {"1.arrow", "2.arrow", "3.arrow"}
    hub.apps["a"] = showing("a", "3.arrow")
    hub.changed(hub.apps["a"])
    assert there() == {"2.arrow", "3.arrow"}
    home.close()
    assert not there()
