"""How random tests draw: the same examples in every run of the suite, fresh ones with ``make fuzz``."""

from hypothesis import settings

#: The suite's: what passed once passes again, on any machine.
settings.register_profile("repeatable", derandomize=True)
#: ``make fuzz``: new examples each time; a failure prints the blob that repeats it.
settings.register_profile("fresh", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
