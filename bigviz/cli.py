"""The command line. Imports stand inside the commands, so that `bigviz --help` loads nothing but click."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bigviz import __version__
from bigviz.commands import options as shared
from bigviz.commands.cluster.options import cluster, cluster_options
from bigviz.commands.groups import ErrorLines, Lazy

if TYPE_CHECKING:
    from bigviz.common.progress import Progress
    from bigviz.server.processes.front_end import FrontEnd

__all__ = ["main"]


@click.group(cls=ErrorLines, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-v", "--version", prog_name="bigviz")
def cli() -> None:
    """Plot tables of a billion rows in the browser: pan, zoom and hover, exactly.

    \b
    bigviz demo                     write a sample and open it
    bigviz serve trips.parquet      open a file of your own
    bigviz serve app.py             open a Python script's document
    bigviz publish app.py sales     publish a script's document on a plot server
    bigviz json app.py              print a script's document
    bigviz html trips.parquet       write a page that zooms without a server
    bigviz png app.py               draw a script's document
    bigviz index trips.parquet      index a large file, so that it opens at once
    bigviz bench trips.parquet      measure how fast it is drawn here
    bigviz doctor                   look for what could keep it from working here
    """


@cli.command(short_help="Serve tables, a Python script's document, or what is published to it.")
@click.argument("paths", nargs=-1, metavar="[[NAME=]PATH...]")
@click.option(
    "--follow",
    multiple=True,
    metavar="[NAME=]PATH",
    help="Serve a table that grows, and show what comes: a directory or a quoted glob of Parquet or Arrow files, an "
    "Arrow stream, or a file of CSV or NDJSON. May be given several times.",
)
@shared.drawing
@shared.maps
@shared.csv
@cluster
@shared.listening
def serve(
    paths: tuple[str, ...],
    follow: tuple[str, ...],
    x: str | None,
    y: str | None,
    agg: str | None,
    glyph: str | None,
    filter: str | None,
    xaxis: str | None,
    yaxis: str | None,
    basemap: str | None,
    attribution: str | None,
    header: str | None,
    delimiter: str | None,
    **listening: Any,
) -> None:
    """Serve tables and apps, one document for each PATH, or, without a PATH, the documents that are published to it.

    A PATH is a Parquet, Arrow or CSV file, a directory of Parquet files (hive partitions too), or a quoted glob of
    files that form one table; or an app: a Python script, which runs in a process of its own, or a directory of such.
    NAME=PATH names the document; otherwise it is named after the file. Published documents
    are kept in a library: they are there again after a restart. Beside PATHs there is one only with --library.

    \b
    bigviz serve trips.parquet
    bigviz serve
    bigviz serve trips.parquet --library /srv/plots
    bigviz serve app.py other.py
    bigviz serve --follow log.csv --follow days/
    bigviz serve 'trips/*.parquet' --workers 4
    """
    from bigviz.commands.arguments import check_no_tables, tables_and_scripts
    from bigviz.commands.serve import serve_library, serve_tables

    workers = cluster_options(listening, bool(paths or follow))
    columns = (x, y, agg, glyph, filter, xaxis, yaxis, basemap, attribution)
    if not paths and not follow:
        if any((*columns, header, delimiter)):
            raise click.UsageError("Options of columns, axes and CSV files need a PATH of a table.")
        serve_library(listening)
        return
    tables, scripts = tables_and_scripts(paths, follow)
    if scripts and workers is not None:
        raise click.UsageError("--scheduler and --workers are for data files: serve scripts without them.")
    if not tables:
        check_no_tables(columns, header, delimiter)
    options = shared.csv_options(header, delimiter)
    serve_tables(tables, columns, options, listening, len(follow), scripts, workers)


@cli.command()
@shared.rows("Rows of each sample table.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where the samples are kept (default: ./demo-data).")
@click.option("--live", is_flag=True, help="Stream a simulated market and a field of sensors instead.")
@shared.listening
def demo(rows: int, directory: Path | None, live: bool, **listening: Any) -> None:
    """Write sample tables, serve them and open them in the browser.

    With --live rows are appended all the time, and nothing is kept once it ends.

    \b
    bigviz demo --rows 1e6
    bigviz demo --live
    """
    if live:
        from bigviz.commands.live_demo.producer import serve_live

        if directory is not None:
            raise click.UsageError("--live keeps no samples: leave out --directory.")
        serve_live(listening)
        return
    from bigviz.commands.sample_tables import WHAT_TO_LOOK_AT, write_samples
    from bigviz.commands.serve import run

    paths = write_samples(directory or Path("demo-data"), rows)

    def load(progress: Progress, front_end: FrontEnd | None = None) -> Any:
        from bigviz.server.run.loading import demo_documents

        return demo_documents(*map(str, paths))

    click.echo(WHAT_TO_LOOK_AT, err=True)
    run(["demo", *(path.stem for path in paths)], load, listening, first=True)


@cli.command(short_help="Write sample tables as Parquet.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@shared.rows("Rows of each table.")
def sample(directory: Path, rows: int) -> None:
    """Write sample tables as Parquet: an attractor to plot as points, a random walk to plot as a line.

    \b
    bigviz sample samples --rows 1000000
    """
    from bigviz.commands.sample_tables import write_samples

    for path in write_samples(directory, rows):
        click.echo(path)


@cli.command(short_help="Show a table's rows and columns.")
@click.argument("path", metavar="PATH")
@click.option(
    "--store-dir", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where its indexes are."
)
@shared.csv
@click.option("--exact", is_flag=True, help="Read all of a CSV file, to count its rows and find its types.")
def info(path: str, store_dir: Path | None, header: str | None, delimiter: str | None, exact: bool) -> None:
    """Show a table's rows and columns, what `bigviz serve` would plot, and its indexes; or what an index holds.

    A PATH is a table, an index, or a directory of indexes.

    \b
    bigviz info trips.parquet
    """
    from bigviz.commands.info import summary

    click.echo(summary(path, store_dir, shared.csv_options(header, delimiter), exact))


@cli.command(short_help="Write a page that zooms without a server.")
@click.argument("paths", nargs=-1, required=True, metavar="[NAME=]PATH|NAME...")
@shared.output("NAME.html in this one")
@click.option("--depth", type=int, metavar="N", help="Hold the levels 0 to N, whatever they take.")
@click.option("--max-size", metavar="SIZE", help="Hold as many levels as fit (default: 20MB).")
@click.option(
    "--tiles",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write its tiles there, as PNG, NPY and TileJSON for a static host.",
)
@shared.drawing
@shared.csv
@shared.documents
def html(
    paths: tuple[str, ...],
    output: Path | None,
    depth: int | None,
    max_size: str | None,
    tiles: Path | None,
    header: str | None,
    delimiter: str | None,
    table: tuple[str, ...],
    library: Path | None,
    store_dir: Path | None,
    **columns: str | None,
) -> None:
    """Write the document of a table, of a Python script, or of a plot server's library as a page in one file, which
    pans, zooms and tells values without a server.

    It holds all rows of small tables, and of large ones as many levels of tiles as fit. Several are written to a file
    each, NAME.html.

    \b
    bigviz html trips.parquet
    bigviz html app.py -o report.html --max-size 5MB
    bigviz html trips.parquet --depth 3 --tiles public/trips
    """
    from bigviz.commands.document_inputs import drawable_documents_at
    from bigviz.commands.export.html import write_pages
    from bigviz.server.run.loading import Columns

    if depth is not None and max_size is not None:
        raise click.UsageError("--depth says what is held, and --max-size how much: give one of them.")
    found = drawable_documents_at(paths, Columns(**columns), shared.csv_options(header, delimiter), table, library)
    sys.exit(write_pages(found, output, depth, max_size, tiles, store_dir))


@cli.command(short_help="Write a picture with axes and legend.")
@click.argument("paths", nargs=-1, required=True, metavar="[NAME=]PATH|NAME...")
@shared.output("NAME.png in this one")
@click.option("--size", metavar="WxH", help="Width and height in CSS pixels (default: the figure's own, or 1600x900).")
@click.option("--dpr", default=1.0, show_default=True, help="Pixels of the file for each CSS pixel, 0.5 to 8.")
@click.option("--view", metavar="VIEW", help="The part of a page's address after #, or X0,X1 or X0,X1,Y0,Y1.")
@click.option("--theme", type=click.Choice(("light", "dark")), default="light", show_default=True, help="Its colours.")
@shared.drawing
@shared.csv
@shared.documents
def png(
    paths: tuple[str, ...],
    output: Path | None,
    size: str | None,
    dpr: float,
    view: str | None,
    theme: str,
    header: str | None,
    delimiter: str | None,
    table: tuple[str, ...],
    library: Path | None,
    store_dir: Path | None,
    **columns: str | None,
) -> None:
    """Write the picture that the page of a table, of a Python script, or of a plot server's document saves: title,
    axes, data and legend, exact, without a browser.

    Several figures are laid out as on the page. Several PATHs are written to a file each, NAME.png.

    \b
    bigviz png trips.parquet
    bigviz png app.py -o report.png --size 1600x900 --dpr 2
    bigviz png trips.parquet --view "x0=-74.1&x1=-73.8&y0=40.6&y1=40.9" --theme dark
    """
    from bigviz.commands.document_inputs import drawable_documents_at
    from bigviz.commands.png import Look, write_pictures
    from bigviz.server.run.loading import Columns

    look = Look.of(size, dpr, view, theme)
    found = drawable_documents_at(paths, Columns(**columns), shared.csv_options(header, delimiter), table, library)
    sys.exit(write_pictures(found, output, look, store_dir))


@cli.command("json", short_help="Print a document as JSON.")
@click.argument("paths", nargs=-1, required=True, metavar="[NAME=]PATH|NAME...")
@shared.output("this one")
@shared.drawing
@shared.maps
@shared.csv
@shared.on_server
def json_(
    paths: tuple[str, ...],
    output: Path | None,
    header: str | None,
    delimiter: str | None,
    url: str | None,
    token_file: Path | None,
    **columns: str | None,
) -> None:
    """Print the document of a table, or of a Python script, as JSON: what `bigviz serve` shows, without the rows.

    A PATH is a table, a script, or a file of a document, which is checked and written in the newest format. A NAME is a
    document of a plot server. Several are written to a file each, NAME.json.

    \b
    bigviz json trips.parquet --agg "mean(fare)" -o trips.json
    bigviz json sales --url https://plots.example.org
    """
    from functools import partial

    from bigviz.commands.document_inputs import documents_at
    from bigviz.commands.document_json import text_of, write_documents
    from bigviz.commands.publish import document_on_server
    from bigviz.server.run.loading import Columns

    on_server = partial(document_on_server, url=url, token_file=token_file)
    documents = documents_at(paths, Columns(**columns), shared.csv_options(header, delimiter), on_server)
    if len(documents) == 1 and output is None:
        click.echo(text_of(documents[0]), nl=False)
    else:
        for path in write_documents(documents, output):
            click.echo(path)


@cli.command(short_help="Index a table on disk, so that it opens at once.")
@click.argument("path", metavar="PATH")
@shared.drawing
@click.option("--columns", default="", metavar="A,B,...", help="Further columns to store, for reductions.")
@shared.csv
@shared.stores("--out", "--store-dir", most="the free space")
def index(
    path: str,
    columns: str,
    store_dir: Path | None,
    store_limit: int | None,
    header: str | None,
    delimiter: str | None,
    **layer: str | None,
) -> None:
    """Index a table on disk, so that `bigviz serve` opens it at once, whatever its size.

    Ctrl-C stops it; the same command resumes where it stopped. With --out DIR the index is written there: serve it
    with --store-dir DIR.

    \b
    bigviz index trips.parquet --x lon --y lat --agg "mean(fare)"
    """
    import csv

    from bigviz.commands.index import index_path

    names = [name for row in csv.reader([columns]) for name in row]
    words = {key: text for key, text in layer.items() if text}
    sys.exit(index_path(path, words, names, store_dir, store_limit, shared.csv_options(header, delimiter)))


for _name, _where, _help in (
    ("publish", "plot_server.documents:publish", "Publish a script's document on a plot server."),
    ("unpublish", "plot_server.documents:unpublish", "Take a document away from a plot server."),
    ("append", "plot_server.datasets:append", "Append rows to a dataset of a plot server."),
    ("list", "plot_server.documents:list_documents", "List the documents of a plot server."),
    ("user", "plot_server.people:user", "Add, list and remove users; make login links."),
    ("token", "plot_server.people:token", "Make, list and revoke tokens for scripts."),
    ("bench", "bench.command:bench", "Measure how fast a table is drawn here."),
    ("doctor", "doctor.command:doctor", "Look for what could keep bigviz from working here."),
):
    cli.add_command(Lazy(_name, f"bigviz.commands.{_where}", _help))


@cli.command(short_help="Print a new random secret.")
def secret() -> None:
    """Print 32 random bytes as text, in base64url: a secret with which a server signs the tokens that show private
    plots in other pages.

    \b
    bigviz secret > secret.txt
    bigviz serve --secret-file secret.txt --allow-origin https://www.example.org
    """
    from bigviz.library.secrets import new_secret

    click.echo(new_secret())


def main() -> None:
    """The entry point."""
    cli(prog_name="bigviz")
