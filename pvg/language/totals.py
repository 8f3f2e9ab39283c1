"""What several engines have done together."""

from pvg.language.engine import Counts


def total(*counts: Counts) -> Counts:
    """The sum of counts; lists are strung together."""
    found = Counts()
    for one in counts:
        for key, value in vars(one).items():
            setattr(found, key, getattr(found, key) + value)
    return found
