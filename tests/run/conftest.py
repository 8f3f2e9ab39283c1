"""One whole run, with which others are compared."""

import pytest

from tests.run.runs import ALIKE


@pytest.fixture(scope="session")
def reference(pvg):
    """A run from start to end, with W&B offline."""
    done = pvg(*ALIKE, "tracker=offline", "folder=run").ok()
    return done, done.folder / "run"
