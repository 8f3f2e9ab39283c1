"""Every test runs on one core, so that its numbers are the same on every machine."""

import os

os.environ.setdefault("RL_LOGGING_LEVEL", "ERROR")

import pytest
import torch

from tests.cli import Program

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pvg(tmp_path_factory):
    """``python -m pvg.run``, as a function."""
    program = Program(tmp_path_factory.mktemp("cli"))
    yield program
    program.close()
