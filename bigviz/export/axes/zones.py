"""Time zones: local times of instants and back, with the hour that autumn repeats. As in static/axes/zones.js."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["date_of", "instants_of", "is_known_zone", "pass_of", "zone_offset"]

_FIXED: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", re.IGNORECASE)
_HOUR: Final = 3_600_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def date_of(ms: int) -> datetime:
    """The calendar of milliseconds since the epoch."""
    return _EPOCH + timedelta(milliseconds=ms)


@lru_cache(256)
def _zone_of(zone: str) -> ZoneInfo | int | None:
    """A zone, or its fixed offset in ms ("+01:00", "-0330", "UTC+1"); None for a name that is not known here."""
    fixed = _FIXED.fullmatch(zone)
    if fixed:
        sign, hours, minutes, seconds = fixed.groups()
        size = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
        return (-1 if sign == "-" else 1) * size * 1000
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such zone, no name of one, or a directory of zones
        return None


def is_known_zone(zone: str) -> bool:
    """Whether its local times are known here; those of others are UTC's."""
    return _zone_of(zone) is not None


def zone_offset(ms: int, zone: str | None) -> int:
    """Local minus UTC time in ms, at an instant in ms since the epoch."""
    found = 0 if zone is None or zone == "UTC" else _zone_of(zone) or 0
    if isinstance(found, int):
        return found
    shift = date_of(ms // 1000 * 1000).astimezone(found).utcoffset() or timedelta()
    return round(shift.total_seconds() * 1000)


def instants_of(local: int, zone: str | None) -> list[int]:
    """The instants of a local time in ms, ascending: two in the hour that autumn repeats; in a gap the one after it."""
    guess = local - zone_offset(local, zone)
    offsets = {zone_offset(guess + hours * _HOUR, zone) for hours in (-3, 0, 3)}
    found = [local - each for each in offsets if local - each + zone_offset(local - each, zone) == local]
    if found:
        return sorted(found)
    again = local - zone_offset(guess, zone)
    return [max(again, local - zone_offset(again, zone))]


def pass_of(ms: int, zone: str | None) -> str:
    """What tells an instant from another one with the same local time: its offset, as "+02"; nothing where there is no
    other."""
    offset = zone_offset(ms, zone)
    if len(instants_of(ms + offset, zone)) < 2:
        return ""
    hours, minutes = divmod(int(abs(offset) / 60_000 + 0.5), 60)
    sign = "\u2212" if offset < 0 else "+"
    return f"{sign}{hours:02}{f':{minutes:02}' if minutes else ''}"
