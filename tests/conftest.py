"""Slow tests are skipped, visibly, unless asked for: `python -m pytest -m slow`. Ctrl-C means the same in every run."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # A shell takes it from what it runs in the background, and whatever the tests start would never hear of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "slow" in config.getoption("-m"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: python -m pytest -m slow runs it"))
