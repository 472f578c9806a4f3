"""Settings for all rooms."""

from hypothesis import settings

# An example's time says nothing here: the first one pays for compilation, and other tests run beside it.
settings.register_profile("bigviz", deadline=None)
settings.load_profile("bigviz")
