"""What `first` measures of a Parquet file that is elsewhere: in a bucket of S3 on loopback, without an index.

The sample of row groups that makes the estimate comes by ranges, and the index is built from the bucket behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench import data
from bench.cases.first import REPEATS, first_picture
from bench.object_server import BUCKET, object_server
from bench.report import Figure, words
from bigviz.commands.bench.browser import chromium

BOUND: Final = 1.5  # s


def run(rows: int) -> Iterator[Figure]:
    """The same file in a bucket and on the disk, in turns."""
    path = data.parquet("points", rows)
    with object_server(path.parent) as env, chromium() as browser:
        source = f"s3://{BUCKET}/{path.name}"
        first_picture(browser, source, env=env)  # compiles, and starts what a browser starts once
        far, near = [], []
        for _ in range(REPEATS):
            far.append(first_picture(browser, source, env=env))
            near.append(first_picture(browser, str(path)))
    what = f"page of {words(rows)} rows without an index (parquet)"
    yield Figure(f"{what}, in S3 on loopback, first picture", "s", far, "max", BOUND)
    yield Figure(f"{what}, the same file on the disk, first picture", "s", near, "max")
