"""Databases that others wrote, where there are any: PVG_METAMATH=folder, or Debian's metamath-databases."""

import random

import pytest

from pvg.formal.building import proof_of
from pvg.formal.dag import compress, dag
from pvg.formal.errors import MetamathError
from pvg.formal.grammar import Grammar
from pvg.formal.proofs import Verifier
from pvg.formal.reader import read
from pvg.formal.verify import verify
from pvg.formal.writing import write_database
from tests.formal.test_building import provable_steps
from tests.formal.test_proofs import HARMLESS, mutants
from tests.formal.test_writing import metamath, needs_metamath

# what `metamath` counts in Debian's and newer versions lies above
LEAST = {"demo0": 1, "miu": 1, "big-unifier": 2, "hol": 138, "ql": 1138, "nf": 5900, "iset": 8990}


def database(shared, name):
    path = shared / f"{name}.mm"
    if not path.is_file():
        pytest.skip(f"there is no {name}.mm")
    return read(path)


@pytest.mark.parametrize("name", LEAST)
def test_every_proof_is_verified(shared, name):
    outcome = verify(database(shared, name))
    assert not outcome.failed and not outcome.incomplete and outcome.verified >= LEAST[name]


@pytest.mark.slow
def test_every_proof_of_set_mm_is_verified(shared):
    outcome = verify(database(shared, "set"))
    assert not outcome.failed and not outcome.incomplete and outcome.verified >= 37_000


@needs_metamath
@pytest.mark.parametrize("name", ["hol", "nf"])
def test_metamath_accepts_proofs_that_we_compress(shared, name, tmp_path):
    ours = database(shared, name)
    verifier = Verifier(ours)
    proofs = {t.label: compress(t, dag(verifier, t)) for t in ours.theorems}
    assert all(verifier(t, proofs[t.label]) for t in ours.theorems)
    write_database(ours, tmp_path / "new.mm", proofs)
    assert "All proofs in the database were verified" in metamath(tmp_path / "new.mm")


@pytest.mark.parametrize("name", ["demo0", "hol", "ql", "nf"])
def test_statements_parse_and_proofs_are_made_again(shared, name):
    ours = database(shared, name)
    grammar, verifier = Grammar(ours), Verifier(ours)
    theorems = [t for t in ours.theorems if t.typecode == grammar.provable][:800]
    for theorem in theorems:
        assert verifier(theorem, proof_of(grammar, theorem, provable_steps(grammar, theorem)))


def test_mutants_of_a_large_database_are_rejected(shared):
    """Some of those of 150 short proofs, each with 60 random labels to become."""
    ours = database(shared, "nf")
    verifier, chance = Verifier(ours), random.Random(0)
    tried = survived = 0
    labels = chance.sample(list(ours.labels), 60)
    for theorem in chance.sample([t for t in ours.theorems if len(t.proof) < 200], 150):
        for kind, mutant in mutants(verifier, theorem, labels):
            if kind in HARMLESS or chance.random() < 0.9:
                continue
            tried += 1
            try:
                survived += verifier(theorem, " ".join(mutant))
            except MetamathError:
                continue
    assert tried > 5_000 and survived <= 0.001 * tried
