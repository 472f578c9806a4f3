"""`bigviz.serve` from a script, a thread and a running loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import bigviz as bv
from bigviz.common.errors import BadInput

from ...fetch import fetched
from ...patience import PATIENCE
from ..wire import Browser


@pytest.fixture
def plot(dataset: bv.Dataset) -> bv.Figure:
    return bv.figure(title="Served").points(dataset, "x", "y")


def test_a_handle_without_blocking(plot: bv.Figure):
    with bv.serve(plot, port=0, block=False, quiet=True) as handle:
        assert handle.url == f"http://127.0.0.1:{handle.port}/served/"
        assert b"importmap" in fetched(handle.url) and repr(handle) == f"<bigviz at {handle.url}>"
        with Browser(handle.url.removesuffix("served/"), "served") as browser:
            assert browser.layer().value["rows"] == 100_000
    with pytest.raises(OSError, match="refused"):
        fetched(handle.url)
    handle.stop()
    handle.close()


def test_a_former_option_warns_and_works(plot: bv.Figure):
    with pytest.warns(FutureWarning, match="index asked is now called existing"):
        handle = bv.serve(plot, port=0, block=False, quiet=True, index="asked")
    assert handle is not None
    with handle:
        assert b"importmap" in fetched(handle.url)


def test_an_option_that_is_none_is_named_with_the_nearest(plot: bv.Figure):
    with pytest.raises(TypeError, match=r"has no option prot. Did you mean 'port'\?"):
        bv.serve(plot, prot=1)
    with pytest.raises(TypeError, match=r"has no option prot, titel\.$"):
        bv.serve(plot, titel=1, prot=1)


def test_within_a_running_loop(plot: bv.Figure):
    async def main() -> None:
        handle = bv.serve(bv.document(plot, id="looped"), port=0, quiet=True)
        try:
            page = await asyncio.get_running_loop().run_in_executor(None, fetched, handle.url)
            assert b"importmap" in page
        finally:
            handle.stop()

    asyncio.run(main())


def test_blocking_in_a_thread(plot: bv.Figure, capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    thread = threading.Thread(target=bv.serve, args=(plot, port), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}/served/"
    while True:
        try:
            assert b"importmap" in fetched(url)
            break
        except OSError:
            assert thread.is_alive()
    assert thread.is_alive() and f"bigviz is at {url}" in capsys.readouterr().out


def test_blocking_in_the_main_thread_until_a_signal(tmp_path: Path):
    script = tmp_path / "main.py"
    script.write_text(
        textwrap.dedent(
            """
            import pyarrow as pa
            import bigviz as bv

            table = pa.table({"x": [1.0, 2.0], "y": [1.0, 3.0]})
            bv.serve(bv.figure(title="Two").points(table, "x", "y"), port=0)
            print("after")
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split()[3]
    assert url.endswith("/two/") and b"importmap" in fetched(url)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and rest.endswith("bigviz has stopped.\nafter\n")


def test_a_port_in_use_names_the_next_free_one(plot: bv.Figure):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"Port {port} of 127.0.0.1 is in use: try --port") as error:
            bv.serve(plot, port=port, block=False)
        assert error.value.field == "port"


def test_other_addresses_need_a_word(plot: bv.Figure):
    with pytest.raises(BadInput, match="allow-anonymous"):
        bv.serve(plot, port=0, address="0.0.0.0", block=False)
    with pytest.raises(BadInput, match="Cannot listen"):
        bv.serve(plot, port=0, address="192.0.2.1", allow_anonymous=True, block=False)
    with pytest.raises(TypeError, match="nonsense"):
        bv.serve(plot, port=0, nonsense=1)


def test_several_servers_share_a_process_and_a_dataset(plot: bv.Figure):
    with bv.serve(plot, port=0, block=False, quiet=True) as one, bv.serve(plot, port=0, block=False, quiet=True) as two:
        tiles = [fetched(f"{handle.url}layers/0/tiles/0/0/0.npy") for handle in (one, two)]
        assert tiles[0] == tiles[1] and one.port != two.port


def test_an_unknown_option_is_named() -> None:
    made = bv.figure().points({"x": [1.0, 2.0], "y": [1.0, 2.0]}, "x", "y")
    with pytest.raises(TypeError, match="no option browser"):
        bv.serve(made, port=0, browser=False)
