"""docs/apps.md and the dashboard with callbacks: both run, side by side, and do what they say."""

from __future__ import annotations

from pathlib import Path

from ..server.apps.app_pages import AppPage, apps
from .markdown import ROOT, listings

FARES = ROOT / "examples" / "dashboards" / "fares.py"


def test_the_app_of_the_page_and_the_dashboard(tmp_path: Path) -> None:
    listing = next(each for each in listings(ROOT / "docs" / "apps.md") if each.language == "python")
    (tmp_path / "app.py").write_text(listing.text)
    with apps([("app", tmp_path / "app.py"), ("fares", FARES)]) as served:
        with AppPage(served.url) as page:
            assert page.push("set")["figures"] == {"f0": {"title": "4 trips, 33.75 on average"}}
            page.change("least", 20)
            assert page.push("set")["controls"] == {"least": {"value": 20}}
            assert page.push("set")["figures"] == {"f0": {"title": "2 trips, 60.0 on average"}}
            page.change("far", 1)
            assert page.push("set")["ranges"] == {"x0": [5, 10]}
            assert page.notices(1) == ["These are the long ones."]
        with AppPage(served.url, "fares") as page:
            assert page.push("set")["figures"]["f0"]["title"] == "299,980 trips, 100% of all fares"
            page.change("preset", "To the airport")
            assert page.push("set")["controls"] == {"preset": {"value": "To the airport"}}
            assert page.push("set")["controls"] == {"fare": {"value": [35, 60]}}
            title = page.push("set")["figures"]["f0"]["title"]
            assert title.endswith("of all fares") and int(title.split()[0].replace(",", "")) < 20_000
            page.change("shade", "mean(tip)")
            page.push("set")
            assert page.push("set")["layers"] == {"f0-0": {"agg": "mean(tip)", "how": "linear"}}
            page.change("reset", 1)
            assert page.notices(1) == ["As it was at first."]
