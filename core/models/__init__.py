"""What can be trained: the choices, the variants made of them, and the engines that run them."""

RESULT_VERSION = 1
"""Part of every run's id. Raised by a change that moves numbers, with a line in CHANGELOG.md."""
