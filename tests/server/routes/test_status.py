"""`/healthz` and `/metrics`."""

from __future__ import annotations

import json
import re

from ..running import Running
from .answers import L


def test_healthz_and_metrics(served: Running):
    health = json.loads(served.get("/healthz").body)
    assert health == {"ok": True, "loaded": True, "documents": 4, "viewers": 0}
    served.get(f"{L}/tiles/0/0/0.npy")
    text = served.get("/metrics").body.decode()
    assert 'bigviz_http_requests_total{route="tiles",status="200"}' in text
    assert re.search(r"^bigviz_tasks [1-9]", text, re.MULTILINE)
    assert "bigviz_memory_bytes" in text and "points" not in text
