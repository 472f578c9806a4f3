"""Which rows of a dataset are kept, in the database."""

from __future__ import annotations

from sqlite3 import Connection

from bigviz.data.appending.rule import Rule

__all__ = ["rule_of", "values_of"]


def rule_of(db: Connection, item: int) -> Rule:
    """Which rows of a dataset are kept."""
    rows, nbytes, age = db.execute(
        "SELECT rollover_rows, rollover_bytes, rollover_age FROM datasets WHERE item = ?", (item,)
    ).fetchone()
    return Rule(rows, nbytes, None if age is None else round(age * 1e9))


def values_of(rule: Rule) -> tuple[int | None, int | None, float | None]:
    """The columns rollover_rows, rollover_bytes and rollover_age, in seconds."""
    return rule.rows, rule.nbytes, None if rule.age_ns is None else rule.age_ns / 1e9
