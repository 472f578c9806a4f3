"""Which file system a path lies on, as the kernel tells it: SQLite's locks and shared memory need a local one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["NETWORK", "file_system", "is_network"]

NETWORK: Final = frozenset({
    "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs",
    "panfs", "pvfs2", "smb2", "smb3", "smbfs", "wekafs",
    "fuse.ceph", "fuse.cephfs", "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
    "fuse.hdfs", "fuse.juicefs", "fuse.mfs", "fuse.moosefs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs", "fuse.sshfs",
})  # fmt: skip
"""File systems that several machines write to, by the kernel's names."""

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")


def is_network(kind: str | None) -> bool:
    """Whether other machines may write to a file system of this kind; False for one that is not known."""
    return kind in NETWORK


def file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of the file system that holds `path` ("ext4", "nfs4"); None where the system does not tell.

    Of several mounts on one place the last one is seen, so it counts.
    """
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return None
    place, best, kind = os.path.realpath(os.fsencode(path)), -1, None
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        parts, after = fields.split(b" "), rest.split(b" ")
        if len(parts) < 5 or not after[0]:
            continue
        point = _ESCAPED.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), parts[4])
        if len(point) >= best and _is_below(place, point):
            best, kind = len(point), after[0].decode(errors="replace")
    return kind


def _is_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
