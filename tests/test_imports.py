"""Imports point one way: from a room to those below it, and never in a circle."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "bigviz"

# Lowest first. What stands on one line knows nothing of its neighbours on it.
ROOMS = (
    ("common",),
    ("wire", "render", "data"),
    ("aggregate",),
    ("tiles",),
    ("document",),
    ("library", "apps", "client"),
    ("server",),
    ("export",),
    ("commands",),
    ("plotting",),
    ("cli", "__init__"),
    ("__main__",),
)
TILES = (
    "grid", "morton", "pyramid", "series", "store", "selection", "answers", "estimates", "scans", "segments", "bars",
    "brush",
)  # fmt: skip
ABOVE = ("rehearsal", "cluster")  # stands above these folders, beside engine.py


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path): path for path in sorted(HOUSE.rglob("*.py"))}


@cache
def imports_of(module: str) -> dict[str, bool]:
    """The modules of the project that a module imports, those for type checkers included, each with whether it is
    imported inside a function."""
    found: dict[str, bool] = {}
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    inside = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for each in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "bigviz":
            names = [name if (name := f"{node.module}.{each.name}") in MODULES else node.module for each in node.names]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names if each.name in MODULES]
        for name in names:
            if name != module:
                found[name] = found.get(name, True) and id(node) in inside
    return found


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def height_of(module: str) -> int:
    return next(height for height, rooms in enumerate(ROOMS) if room_of(module) in rooms)


def test_every_module_is_in_a_room_that_is_named_here():
    rooms = {room for line in ROOMS for room in line}
    assert {room_of(module) for module in MODULES} <= rooms


def pairs(within: str = "bigviz") -> list[tuple[str, str]]:
    """Each module of a package with each that it imports. One test goes over them: a test a module costs more than what
    it looks at."""
    return [
        (module, other) for module in MODULES if f"{module}.".startswith(f"{within}.") for other in imports_of(module)
    ]


def test_imports_point_to_rooms_below():
    # `import bigviz` is for the version: `bigviz/__init__.py` imports the rest only when a name is looked up.
    wrong = [
        f"{module} imports {other}"
        for module, other in pairs()
        if other != "bigviz" and room_of(other) != room_of(module) and height_of(other) >= height_of(module)
    ]
    assert not wrong


def test_imports_within_tiles_point_one_way():
    wrong = []
    for module, other in pairs("bigviz.tiles"):
        above, below = module.split(".")[2:], other.split(".")
        if len(above) < 2 or above[0] in ABOVE or below[:2] != ["bigviz", "tiles"]:  # as engine.py and its neighbours
            continue
        inside = len(below) > 3 or (len(below) == 3 and below[2] in TILES)
        if not inside or TILES.index(below[2]) > TILES.index(above[0]):
            wrong.append(f"{module} imports {other}")
    assert not wrong


def test_the_server_knows_engines_by_their_interface_alone():
    doors = {"bigviz.tiles.interface", "bigviz.tiles.readiness"}
    wrong = [
        f"{module} imports {other}"
        for module, other in pairs("bigviz.server")
        if not module.startswith("bigviz.server.run.")  # where the engine of this machine is made
        and other.startswith("bigviz.tiles.")
        and not other.startswith("bigviz.tiles.grid.")
        and other not in doors
    ]
    assert not wrong


def test_no_module_imports_itself_by_way_of_others():
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"modules import each other: {' -> '.join((*above, module))}"
        if module in done:
            return
        for other in imports_of(module):
            if other != "bigviz":
                visit(other, (*above, module))
        done.add(module)

    for module in MODULES:
        visit(module, ())


def test_only_the_lazy_doors_import_inside_functions():
    lazy = {module for module in MODULES if any(imports_of(module).values())}
    doors = {
        "cli", "commands.cluster.on_workers", "commands.options", "commands.serve", "server.run.engine_of_frames"
    }  # fmt: skip
    assert lazy <= {"bigviz", *(f"bigviz.{door}" for door in doors)}


def test_folders_say_what_they_are_for_and_stay_small():
    for folder in sorted({path.parent for path in MODULES.values()}):
        init = folder / "__init__.py"
        assert init.exists() and ast.get_docstring(ast.parse(init.read_text("utf-8"))), f"{init} has no docstring"
        assert len(list(folder.glob("*.py"))) - 1 <= 16, f"{folder} holds too many files"
