"""`python -m bigviz`."""

from bigviz.cli import main

main()
