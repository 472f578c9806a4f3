"""The commands `bigviz publish`, `bigviz unpublish` and `bigviz list`: the documents of a plot server."""

from __future__ import annotations

from pathlib import Path

import click

from bigviz.commands import options as shared
from bigviz.commands import publish as publishing
from bigviz.commands.publish import print_documents, server_at
from bigviz.common.printable import printable

__all__ = ["list_documents", "publish", "unpublish"]


@click.command()
@click.argument("file", metavar="FILE.py|FILE.json")
@click.argument("name", metavar="NAME")
@click.option("--public", is_flag=True, help="Let everyone who can reach the server see it.")
@shared.on_server
def publish(file: str, name: str, public: bool, url: str | None, token_file: Path | None) -> None:
    """Publish the document of a Python script, or of a JSON file, under a name on a plot server, and print its address.

    Its tables are uploaded, unless they are datasets of the server. Publishing a name again makes a new version.

    \b
    bigviz publish app.py sales
    bigviz publish app.py sales --public --url https://plots.example.org --token-file token.txt
    """
    click.echo(printable(publishing.publish(file, name, public, url, token_file)))


@click.command()
@click.argument("name", metavar="NAME")
@shared.on_server
def unpublish(name: str, url: str | None, token_file: Path | None) -> None:
    """Take a document away from a plot server, with all its versions and the tables that were uploaded for it alone.

    \b
    bigviz unpublish sales
    """
    server_at(url, token_file).unpublish(name)
    click.echo(printable(f"Unpublished {name}."))


@click.command()
@shared.on_server
def list_documents(url: str | None, token_file: Path | None) -> None:
    """List the documents of a plot server that you may see, the last changed first.

    \b
    bigviz list --url https://plots.example.org --token-file token.txt
    """
    print_documents(server_at(url, token_file))
