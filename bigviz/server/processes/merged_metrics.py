"""The metrics of several processes as one text, each with the number of its process as a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["merged"]


class _Families:
    """What the writer of the format takes for a registry."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def merged(texts: Mapping[int, bytes]) -> bytes:
    """One text in the exposition format of Prometheus, given that of each process by its number."""
    families: dict[str, Metric] = {}
    for number, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text.decode()):
            into = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for each in family.samples:
                into.add_sample(each.name, {**each.labels, "process": str(number)}, each.value)
    return generate_latest(_Families(families.values()))
