"""Which modules are the author's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bigviz.apps.own_modules import is_own, own_imports


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("helper.py", True),
        ("package", True),
        ("src/edited", True),
        ("deep/er/module.py", True),
        (".venv/lib/python3.11/site-packages/numba", False),
        ("usr/lib/python3/dist-packages/numpy", False),
        ("__pypackages__/3.11/lib/six.py", False),
        (".venv/src/checked_out", False),
        ("conda/lib/python3.11/queue.py", False),
        ("target/six.py", False),
        ("target/numba", False),
        ("target/own.py", True),
        ("link_to_site_packages/six.py", False),
        ("../elsewhere.py", False),
        ("linked.py", True),
    ],
)
def test_is_own(tmp_path: Path, path: str, own: bool):
    top = tmp_path / "project"
    for mark in (".venv/pyvenv.cfg", "conda/conda-meta/history", "target/six-1.dist-info/RECORD", "other/x"):
        (top / mark).parent.mkdir(parents=True)
        (top / mark).write_text("six.py,,\nnumba/__init__.py,sha256=x,1\n../bin/x,,\n")
    (tmp_path / "out.py").write_text("")
    (tmp_path / "site-packages").mkdir()
    (top / "linked.py").symlink_to(tmp_path / "out.py")
    (top / "link_to_site_packages").symlink_to(tmp_path / "site-packages")
    assert is_own(str(top / path), str(top)) == own


def test_the_standard_library_is_nobodys_own():
    assert not is_own(json.__file__, str(Path(json.__file__).parents[3]))


def test_only_new_modules_of_the_author_are_taken_out(tmp_path: Path):
    (tmp_path / "package_with_extension").mkdir()
    (tmp_path / "package_with_extension" / "__init__.py").write_text("")
    (tmp_path / "module_of_the_author.py").write_text("")
    (tmp_path / "imported_before.py").write_text("")
    sys.path.insert(0, str(tmp_path))
    try:
        import imported_before  # type: ignore[import-not-found]  # noqa: PLC0415
    finally:
        sys.path.remove(str(tmp_path))
    files: set[str] = set()
    with own_imports(str(tmp_path), files):
        import module_of_the_author  # type: ignore[import-not-found]  # noqa: PLC0415
        import package_with_extension  # type: ignore[import-not-found]  # noqa: PLC0415

        compiled = type(sys)("package_with_extension.compiled")
        compiled.__file__ = str(tmp_path / "package_with_extension" / "compiled.abi3.so")
        sys.modules[compiled.__name__] = compiled
    try:
        assert sys.modules["package_with_extension"] is package_with_extension
        assert sys.modules["imported_before"] is imported_before
        assert module_of_the_author.__name__ not in sys.modules
        assert files == {module_of_the_author.__file__} and str(tmp_path) not in sys.path
    finally:
        for name in ("package_with_extension", "package_with_extension.compiled", "imported_before"):
            del sys.modules[name]
