"""How thorough the property tests are: `--hypothesis-profile long tests/spec`."""

from hypothesis import settings

# What guards main asks the same questions each time; `long` looks for new ones. The
# number of examples is a percentage: see `tests.spec.worlds.thorough`.
settings.register_profile("spec", max_examples=100, derandomize=True)
settings.register_profile("long", max_examples=5_000, print_blob=True)
settings.load_profile("spec")
