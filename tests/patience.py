"""How long a test waits for what must come. Nothing is measured by it: it only ends a test that hangs."""

PATIENCE = 200.0  # seconds: a machine that is busy with other work takes ten times what an idle one does
