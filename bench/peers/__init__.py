"""The systems bigviz is measured against: each an adapter file here, run in a virtual environment of its own.

An adapter names what it installs in its first lines (PEP 723) and answers requests as `loop.py` says: one JSON object a
line in, one out, so that neither side's interpreter, threads or libraries are the other's. Times are taken inside the
peer's process, around the one call that does the work.
"""
