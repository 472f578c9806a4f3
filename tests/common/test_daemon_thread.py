"""What becomes of daemon threads when the interpreter closes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from ..patience import PATIENCE


def ran(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_they_are_asked_to_end_and_waited_for():
    done = ran(
        """
        import threading
        from bigviz.common.daemon_thread import is_closing, start_daemon

        def works():
            asked.wait()
            print("asked", flush=True)

        def looks():
            while not is_closing():
                looked.set()
            print("looked", flush=True)

        asked, looked = threading.Event(), threading.Event()
        start_daemon("a", works, stop=asked.set)
        start_daemon("b", looks)
        looked.wait()
        assert not is_closing()
        print("end", flush=True)
        """
    )
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.split()[0] == "end" and sorted(done.stdout.split()) == ["asked", "end", "looked"]


def test_one_that_does_not_end_is_left():
    done = ran(
        """
        import threading
        from bigviz.common import daemon_thread

        daemon_thread._SECONDS_TO_END = 0.1
        daemon_thread.start_daemon("a", threading.Event().wait)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_work_that_was_cancelled_as_it_was_asked_to_tells_nothing():
    done = ran(
        """
        from bigviz.common.cancel import Cancel
        from bigviz.common.daemon_thread import start_daemon

        def works():
            while True:
                cancel.check()

        cancel = Cancel()
        start_daemon("a", works, stop=cancel.cancel)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
