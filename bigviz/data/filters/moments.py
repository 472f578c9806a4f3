"""ISO 8601 text as whole nanoseconds, which may lie beyond int64."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FORMS", "duration", "instant", "is_zone", "time_of_day"]

_SECOND: Final = 1_000_000_000
_CLOCK: Final = r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<part>\d{1,9}))?)?"
_INSTANT: Final = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ]{_CLOCK}\s?(?P<offset>[Zz]|[+-]\d\d(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_TIME: Final = re.compile(_CLOCK, re.ASCII)
_DURATION: Final = re.compile(
    r"(?P<sign>[+-])?P(?=\d|T\d)(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,12})(?:[.,](?P<part>\d{1,9}))?S)?)?",
    re.ASCII,
)
_EPOCH: Final = date(1970, 1, 1).toordinal()
FORMS: Final = {
    "instant": "'2024-01-31' or '2024-01-31T12:30:00'",
    "time": "'12:30' or '12:30:15.5'",
    "duration": "'PT1H30M' or 'P2DT12H'",
}
"""What the texts of each kind of time look like."""


def instant(text: str, zone: str | None) -> int | None:
    """Nanoseconds since the epoch; None if the text is no date and time. Where it has no offset of its own it is read
    in `zone`, UTC without one; of a time that a zone has twice the first is meant."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        return None
    try:
        days = date(int(found["year"]), int(found["month"]), int(found["day"])).toordinal() - _EPOCH
    except ValueError:
        return None
    minutes = (days * 24 + int(found["hour"] or 0)) * 60 + int(found["minute"] or 0)
    seconds = minutes * 60 + int(found["second"] or 0)
    if found["offset"] is not None:
        seconds -= _offset(found["offset"])
    elif zone is not None:
        seconds = _in_zone(seconds, zone)
    return seconds * _SECOND + _part(found["part"])


def time_of_day(text: str) -> int | None:
    """Nanoseconds since midnight; None if the text is no time of day."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    seconds = (int(found["hour"]) * 60 + int(found["minute"])) * 60 + int(found["second"] or 0)
    return seconds * _SECOND + _part(found["part"])


def duration(text: str) -> int | None:
    """Nanoseconds; None if the text is no duration of weeks, days, hours, minutes and seconds."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    days = int(found["weeks"] or 0) * 7 + int(found["days"] or 0)
    minutes = (days * 24 + int(found["hours"] or 0)) * 60 + int(found["minutes"] or 0)
    length = (minutes * 60 + int(found["seconds"] or 0)) * _SECOND + _part(found["part"])
    return -length if found["sign"] == "-" else length


def is_zone(zone: str) -> bool:
    """Whether the zone is known on this machine."""
    try:
        _in_zone(0, zone)
    except (pa.ArrowException, ValueError):
        return False
    return True


def _in_zone(seconds: int, zone: str) -> int:
    """Seconds since the epoch of a local time, which is given as if it were UTC."""
    local = pa.scalar(seconds, pa.timestamp("s"))
    found = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    return int(found.cast(pa.int64()).as_py())


def _offset(text: str) -> int:
    """The seconds that an offset is ahead of UTC."""
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -seconds if text[0] == "-" else seconds


def _part(digits: str | None) -> int:
    """Nanoseconds of the digits after a second's point."""
    return int((digits or "").ljust(9, "0"))
