"""The page's modules as one script, so that a browser asks for one file and not for fifty.

Fifty answers take 0.15 s of a page that shows its first picture within one (`python -m bench --case first`), most of it
in the browser. Nothing is built or kept: the modules are read, and each becomes a function that is called when those it
imports have been. That is all there is to do because of how they are written: every import names what it takes from one
module, every export is a declaration, and no two import each other. What is written in another way is refused.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

__all__ = ["packed"]

_IMPORT: Final = re.compile(r'^import \{([^{}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_OTHER: Final = re.compile(r"^(?:import\b|export\b).*$", re.MULTILINE)


def packed(main: Path) -> str:
    """The script of a module and all that it imports by relative paths; other modules stay imports.

    Raises ValueError for an import or export that is written in another way, and for modules that import each other.
    """
    numbers: dict[str, int] = {}
    outside: dict[str, int] = {}
    functions: list[str] = []

    def add(name: str, above: tuple[str, ...]) -> int:
        if name in above:
            raise ValueError(f"modules import each other: {' -> '.join((*above, name))}")
        if name in numbers:
            return numbers[name]

        text = (main.parent / name).read_text("utf-8")
        taken = []
        for names, source in _IMPORT.findall(text):
            if source.startswith("."):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
                where = f"module{add(path, (*above, name))}"
            else:
                where = f"outside{outside.setdefault(source, len(outside))}"
            taken.append(f"const {{ {names.replace(' as ', ': ').strip()} }} = {where};\n")
        text = _IMPORT.sub("", text)
        exports = _EXPORT.findall(text)
        text = _EXPORT.sub("", text)
        if other := _OTHER.search(text):
            raise ValueError(f'{name}: expected `import {{ a }} from "./b.js";` or `export const a`, got {other[0]}')
        numbers[name] = len(numbers)
        body = f"{''.join(taken)}{text}\nreturn {{ {', '.join(exports)} }};"
        functions.append(f"// {name}\nconst module{numbers[name]} = (() => {{\n{body}\n}})();\n")
        return numbers[name]

    add(main.name, ())
    imports = [f'import * as outside{number} from "{name}";\n' for name, number in outside.items()]
    return "".join([*imports, *functions])
