"""File systems of paths."""

from __future__ import annotations

from pathlib import Path

from bigviz.library.storage.mounts import file_system, is_network

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 27 0:30 / {top}/home rw shared:2 master:3 - nfs4 server:/home rw
31 30 0:31 / {top}/home/local rw - xfs /dev/vdb rw
32 27 0:32 / {top}/with\040space\134 rw - fuse.sshfs host: rw
33 27 0:33 / {top}/twice rw - ext4 /dev/vdc rw
34 33 0:34 / {top}/twice rw - cifs //server/share rw
half a line
"""


def test_the_last_and_longest_mount_holds_a_path(tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(top=tmp_path))
    for path, kind, network in (
        ("home", "nfs4", True),
        ("home/ann/library", "nfs4", True),
        ("homes/library", "ext4", False),
        ("home/local/x", "xfs", False),
        ("with space\\/x", "fuse.sshfs", True),
        ("twice/x", "cifs", True),
    ):
        assert (file_system(tmp_path / path, mounts), is_network(kind)) == (kind, network)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert file_system(tmp_path / "link" / "x", mounts) == "nfs4"


def test_a_system_that_does_not_tell(tmp_path):
    assert file_system(tmp_path, tmp_path / "missing") is None and not is_network(None)
    assert file_system(Path("/proc/self")) in (None, "proc")
