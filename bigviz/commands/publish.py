"""`bigviz publish`, `unpublish` and `list`: the documents of a plot server, from the command line."""

from __future__ import annotations

from pathlib import Path

from bigviz.apps.script import run_script
from bigviz.client.connect import Connection, connect
from bigviz.client.refusals import Unreachable
from bigviz.commands.arguments import named_script
from bigviz.commands.text_table import day, print_table
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.document.load import load
from bigviz.document.names import check_name
from bigviz.document.spec import Document

__all__ = ["document_on_server", "print_documents", "publish", "server_at"]

_LONGEST_TOKEN_FILE = 10_000


def server_at(url: str | None, token_file: Path | None) -> Connection:
    """The server at an address, with the token that a file holds. Raises Unreadable for a file that has none."""
    return connect(url, None if token_file is None else _token_in(token_file))


def publish(path: str, name: str, public: bool, url: str | None, token_file: Path | None) -> str:
    """Publish the document of a script or a JSON file under a name: its address.

    The name and the file are checked before a server is asked. Raises BadInput for a file of another kind, and what
    running a script or publishing raises.
    """
    made = _document_in(path, check_name(name))
    answer = server_at(url, token_file).publish(name, made, public)
    return str(answer["url"])


def document_on_server(name: str, url: str | None, token_file: Path | None) -> Document:
    """The document of that name on a server. Raises NotFound, also where no server answers: then the name may have
    been meant for a file."""
    try:
        return server_at(url, token_file).open(name)
    except Unreachable as error:
        message = f"There is no file {echoed(name)}, and no server to ask for a document of that name. {error.message}"
        raise NotFound(message, "path", name) from error


def print_documents(server: Connection) -> None:
    """Print the documents that the caller may see, the last changed first."""
    rows = []
    for each in server.documents():
        version = "served" if each["version"] is None else str(each["version"])
        size = "" if each["rows"] is None else f"{each['rows']:,}"
        who = "public" if each["public"] else "private"
        changed = "" if each["updated"] is None else day(each["updated"])
        rows.append((each["name"], each["title"], each["owner"] or "", who, version, size, changed))
    print_table(("NAME", "TITLE", "OWNER", "SEEN BY", "VERSION", "ROWS", "CHANGED"), rows)


def _document_in(path: str, name: str) -> Document:
    if path.endswith(".json"):
        return load(Path(path)).renamed(name)
    if named_script([path]) is None:
        raise BadInput(f"What is published is a script, FILE.py, or a document, FILE.json, got {path!r}.", "path", path)
    return run_script(path)[0].renamed(name)


def _token_in(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            token = file.read(_LONGEST_TOKEN_FILE).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it holds no token"
        raise Unreadable(f"The token in {path} cannot be read: {reason.lower()}.", "token-file", str(path)) from error
    if not token:
        raise Unreadable(
            f"{path} is empty: `bigviz token create` prints a token to put there.", "token-file", str(path)
        )
    return token
