"""Normal and compressed proofs say the same, and what is written is read again, by others too."""

import shutil
import subprocess

import pytest

from pvg.formal.dag import Dag, compress, dag, expand
from pvg.formal.errors import MetamathError
from pvg.formal.proofs import Verifier
from pvg.formal.reader import read_text
from pvg.formal.verify import verify
from pvg.formal.writing import show_database, show_theorem, write_database
from tests.formal.reference import Reference

needs_metamath = pytest.mark.skipif(not shutil.which("metamath"), reason="there is no metamath")


def metamath(path):
    """What the C program says of all proofs of a file."""
    commands = [f'read "{path}"', "verify proof *", "exit"]
    done = subprocess.run(["metamath", *commands], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_both_forms_of_a_proof_are_one(small):
    verifier = Verifier(small)
    for theorem in small.theorems:
        graph = dag(verifier, theorem)
        normal, compressed = expand(graph), compress(theorem, graph)
        assert verifier(theorem, normal) and verifier(theorem, compressed)
        assert expand(dag(verifier, theorem, compressed)) == normal
        assert compress(theorem, dag(verifier, theorem, normal)) == compressed
        assert theorem.proof in (normal, " ".join(compressed.split()))


def test_a_step_that_is_used_often_is_written_once(small):
    """Twenty doublings: a million steps in normal form, some eighty letters in compressed form."""
    nodes = [("wph", ())]
    for k in range(20):
        nodes.append(("wi", (k, k)))
    graph = Dag(nodes, 20)
    theorem = small.assertion("id")
    proof = compress(theorem, graph)
    assert len(proof) < 120 and len(expand(Dag(nodes[:11], 10)).split()) == 2**11 - 1
    with pytest.raises(MetamathError, match="proves 'wff"):
        Verifier(small)(theorem, proof)
    assert dag(Verifier(small), theorem, proof).nodes == nodes


def test_unknown_steps_stay_unknown(small):
    verifier, theorem = Verifier(small), small.assertion("a1i")
    for proof in ("? ? ? ? ax-mp", "( wi ax-mp ) ABADC?E", "?"):
        graph = dag(verifier, theorem, proof)
        assert expand(graph).count("?") == proof.count("?")
        assert verifier(theorem, compress(theorem, graph)) is False


def test_a_proof_that_is_no_graph_is_refused(small):
    verifier, theorem = Verifier(small), small.assertion("a1i")
    for proof in ("wi", "( wi ) D", "( wi ) Z", "wph wps", "nothing"):
        with pytest.raises(MetamathError):
            dag(verifier, theorem, proof)


def test_a_database_that_is_written_is_the_same(small, tmp_path):
    verifier = Verifier(small)
    swapped = {}
    for theorem in small.theorems:
        graph = dag(verifier, theorem)
        swapped[theorem.label] = expand(graph) if theorem.proof[0] == "(" else compress(theorem, graph)
    write_database(small, tmp_path / "new.mm", swapped)
    text = (tmp_path / "new.mm").read_text()
    assert max(map(len, text.splitlines())) <= 79 + 2
    new = read_text(text)
    assert list(new.labels) == list(small.labels) and new.outline == small.outline
    for theorem in small.assertions:
        other = new.assertion(theorem.label)
        assert (other.statement, other.disjoint) == (theorem.statement, theorem.disjoint)
        assert [h.statement for h in other.hypotheses] == [h.statement for h in theorem.hypotheses]
    assert verify(new).verified == len(swapped)
    assert all(map(Reference(text).check, swapped))
    assert show_database(read_text(show_database(new))) == show_database(new)


def test_a_theorem_is_a_block_behind_the_database(small):
    theorem = small.assertion("alrimiv")
    text = show_theorem(small, theorem)
    assert text.splitlines()[:3] == ["${", "  $d ph x $.", "  alrimiv.1 $e |- ( ph -> ps ) $."]
    renamed = text.replace("alrimiv", "again")
    new = read_text(show_database(small) + renamed)
    assert verify(new).verified == 25 and Reference(show_database(small) + renamed).check("again")


@needs_metamath
def test_metamath_accepts_what_is_written(small, tmp_path):
    verifier = Verifier(small)
    for form in (lambda theorem, graph: expand(graph), compress):
        proofs = {t.label: form(t, dag(verifier, t)) for t in small.theorems}
        write_database(small, tmp_path / "new.mm", proofs)
        said = metamath(tmp_path / "new.mm")
        assert "All proofs in the database were verified" in said and "?Error" not in said
        bad = proofs | {"id": proofs["a1i"]}
        write_database(small, tmp_path / "bad.mm", bad)
        assert "All proofs in the database were verified" not in metamath(tmp_path / "bad.mm")
