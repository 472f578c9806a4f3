"""Where a server may listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigviz.library.library import Library
from bigviz.server.run.access_options import OpenToAll
from bigviz.server.run.options import Options


def test_a_library_without_users_is_not_for_others(tmp_path: Path):
    directory = tmp_path / "my library"
    with Library.open(directory) as library:
        with pytest.raises(OpenToAll) as refused:
            Options(address="0.0.0.0").check(library)
        assert f"    bigviz user add NAME --admin --library '{directory}'\n" in refused.value.message
        assert f"    bigviz serve ... --address 0.0.0.0 --library '{directory}'\n" in refused.value.message
        assert refused.value.message.endswith("    bigviz serve ... --address 0.0.0.0 --allow-anonymous")
        Options(address="0.0.0.0", allow_anonymous=True).check(library)
        Options(address="127.0.0.1").check(library)
        library.users.add("ada")
        Options(address="0.0.0.0").check(library)


def test_a_server_without_a_library_is_not_for_others():
    with pytest.raises(OpenToAll, match="bigviz user add NAME --admin --library DIR"):
        Options(address="192.0.2.1").check()
