"""The small database, and the large ones where there are any."""

import os
from pathlib import Path

import pytest

from pvg.formal.reader import read

SMALL = Path(__file__).parent / "small.mm"
DEBIAN = Path("/usr/share/metamath/databases")


@pytest.fixture(scope="session")
def small():
    return read(SMALL)


@pytest.fixture(scope="session")
def shared():
    """The folder of large databases: PVG_METAMATH, or that of Debian's package metamath-databases."""
    folder = Path(os.environ.get("PVG_METAMATH", DEBIAN))
    if not folder.is_dir():
        pytest.skip("there are no Metamath databases: PVG_METAMATH names no folder")
    return folder
