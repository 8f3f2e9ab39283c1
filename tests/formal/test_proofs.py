"""Verifying proofs: right ones pass, every kind of mistake is named, and mutants fare as in the reference."""

import random
from collections import Counter

import pytest

from pvg.formal.dag import compress, dag, expand
from pvg.formal.errors import MetamathError
from pvg.formal.proofs import Verifier
from pvg.formal.prop import PATH
from pvg.formal.reader import read_text
from pvg.formal.verify import verify
from tests.formal.conftest import SMALL
from tests.formal.reference import Reference, Wrong


def test_all_of_the_small_database_is_proved(small):
    outcome = verify(small)
    assert (outcome.verified, outcome.incomplete, outcome.failed) == (24, [], [])
    assert any(t.proof[0] == "(" for t in small.theorems) and any(t.proof[0] != "(" for t in small.theorems)


@pytest.mark.parametrize(
    ("label", "proof", "said"),
    [
        ("a1i", "wph nothing", "'nothing', which doesn't exist"),
        ("a1i", "wph a1i", "'a1i', which comes later"),
        ("a1i", "wph syl", "'syl', which comes later"),
        ("a1i", "( syl ) A", "'syl', which comes later"),
        ("a1i", "wph a2i.1", "'a2i.1', which comes later"),
        ("a2i", "wph a1i.1", "'a1i.1', which is not active here"),
        ("id", "wph", "proves 'wff ph'; expected '|- ( ph -> ph )'"),
        ("id", "wph wph", "2 statements left at the end of the proof; expected one"),
        ("id", "wph wi", "step 2 'wi': too few statements on the stack; expected 2"),
        ("id", "wi", "step 1 'wi': too few"),
        ("id", "wph vx wi", "step 3 'wi': a statement of type 'setvar' for its hypothesis 'wps'; expected 'wff'"),
        ("a1i", "wph wph wi wps a1i.1 a1i.1 ax-mp", "'ax-mp.1'; expected '|- ( ph -> ph )'"),
        ("alrimiv", "wps vx ax-5", "step 3 'ax-5': 'ps' and 'x' must be distinct; expected $d ps x $."),
        ("alrimiv", "vx vx weq vx ax-5", "step 5 'ax-5': 'x' in two substitutions"),
        ("alrimiv", "wph wps wi vy ax-5", "must be distinct; expected $d "),
        # compressed
        ("id", "( ax-1 A", "without )"),
        ("id", "( wph ax-1 ) A", "the mandatory hypothesis 'wph' between ( and )"),
        ("id", "( ax-1 ) AAB!", "'!' in the compressed proof"),
        ("id", "( ax-1 ) AABU", "'U' in the compressed proof"),
        ("id", "( ax-1 ) AUZB", "'U' in the compressed proof"),
        ("id", "( ax-1 ) AABC", "step 4: there are 2 to cite; expected a label or a saved step"),
        ("id", "( ax-1 ) AABZD", "step 5: there are 3 to cite"),
        ("id", "( ax-1 ) ZAAB", "step 1: nothing to save"),
        ("id", "( ax-1 ) AZZAB", "ZZ in the compressed proof"),
        ("id", "( )", "0 statements left"),
        ("id", "( nothing ) A", "'nothing', which doesn't exist"),
    ],
)  # fmt: skip
def test_a_wrong_proof_is_named_with_its_step(small, label, proof, said):
    theorem = small.assertion(label)
    with pytest.raises(MetamathError) as caught:
        Verifier(small)(theorem, proof)
    error = caught.value
    assert said in str(error)
    assert (error.file, error.line, error.label) == (str(SMALL), theorem.line, label)
    with pytest.raises(Wrong):
        Reference(SMALL.read_text()).check(label, proof.split())


@pytest.mark.parametrize(
    ("label", "proof"),
    [
        ("id", "?"),
        ("id", "( ) ?"),
        ("id", "wph wph wph wi ? ? ax-mp"),  # what the unknown step gives could be anything
        ("a1i", "wph wps wph wi a1i.1 ? ax-mp"),
        ("a1i", "( wi ax-mp ) ABADC?E"),
        ("syl", "? ? ? ? ? mpd"),
        ("alrimiv", "wph ? ? ? ? syl"),
    ],
)
def test_an_unknown_step_makes_a_proof_incomplete(small, label, proof):
    assert Verifier(small)(small.assertion(label), proof) is False


def test_what_is_wrong_beside_an_unknown_step_is_still_wrong(small):
    verifier, theorem = Verifier(small), small.assertion("id")
    for proof in ("? ?", "vx ? wi", "? wi", "? nothing", "wph wi ?", "( ) ?A", "( wi ) A?CZ"):
        with pytest.raises(MetamathError):
            verifier(theorem, proof)
    assert verifier(theorem, "( wi ) A?BZ") is False


def test_hypotheses_end_with_their_block():
    """The statement right behind a block may not cite what was active inside; one inside may."""
    head = "$c wff |- -> $. $v p q $. wp $f wff p $. wi $a wff -> p $. "
    for text, label in (
        ("${ e $e |- p $. in $a |- -> p $. $} th $p |- p $= e $.", "e"),
        ("${ e $e |- p $. $} th $p |- p $= e $.", "e"),
        ("${ e $e |- p $. in $a |- -> p $. $} th $p |- p $= ( e ) B $.", "e"),
        ("${ wq $f wff q $. $} ax $a |- -> p $. th $p |- -> p $= wq ax $.", "wq"),
        ("${ wq $f wff q $. $} th $p wff -> p $= wq wi $.", "wq"),
    ):
        (error,) = verify(read_text(head + text)).failed
        assert f"'{label}', which is not active here" in str(error)
        with pytest.raises(Wrong, match="can't be cited"):
            Reference(head + text).check("th")
    inside = head + "${ e $e |- p $. in $p |- p $= e $. $}"
    assert verify(read_text(inside)).verified == 1 and Reference(inside).check("in")
    # the verifier remembers hypotheses: here one is cited inside its block first, then right behind it
    both = "ax $a |- -> p $. ${ wq $f wff q $. ${ h $e |- -> q $. k $a |- p $. $} in $p |- p $= wp wq wq ax k $. $} "
    both = head + both + "th $p |- p $= wp wq wq ax k $."
    assert [(e.label, "not active" in str(e)) for e in verify(read_text(both)).failed] == [("th", True)]


def test_an_empty_substitution_is_one():
    text = """$c wff |- a ( ) $. $v x y $. wx $f wff x $. wy $f wff y $.
        we $a wff $. wa $a wff a x $. ax $a |- ( x y ) $.
        th $p |- ( ) $= we we ax $.  th2 $p |- ( a x ) $= wx wa we ax $.
        bad $p |- ( a ) $= we we ax $."""
    outcome, reference = verify(read_text(text)), Reference(text)
    assert outcome.verified == 2 and [e.label for e in outcome.failed] == ["bad"]
    assert reference.check("th") and reference.check("th2")


def test_numbers_of_many_letters_are_counted_as_the_specification_does(small):
    """A is 1, T is 20, UA is 21, YT is 120, UUA is 121 (the Metamath book, appendix B)."""
    verifier, theorem = Verifier(small), small.assertion("a1i")
    known = {"A": 1, "T": 20, "UA": 21, "UT": 40, "VA": 41, "YT": 120, "UUA": 121, "YYT": 620, "UUUA": 621}
    for letters, number in known.items():
        assert verifier.read(theorem, f"( ) {letters}").steps == [number - 1]


# changes that can leave the proof as it is: one Z more that nothing refers to, or one label more
HARMLESS = {"letter inserted", "letter repeated", "label repeated"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ?"


def mutants(verifier, theorem, labels):
    """All proofs one change away from a theorem's, as (kind, tokens); ``labels`` are what others may become."""
    graph = dag(verifier, theorem)
    words = expand(graph).split()
    for kind, mutant in changed(words, labels):
        yield f"step {kind}", mutant
    head, _, letters = compress(theorem, graph).rpartition(") ")
    cited = head.split()[1:]
    for kind, mutant in changed(cited, labels):
        yield f"label {kind}", ["(", *mutant, ")", letters]
    for kind, mutant in changed(list(letters), LETTERS):
        yield f"letter {kind}", ["(", *cited, ")", "".join(mutant)]
    for k in range(len(letters) + 1):
        for letter in LETTERS:
            yield "letter inserted", ["(", *cited, ")", letters[:k] + letter + letters[k:]]


def changed(words, others):
    for k, word in enumerate(words):
        yield from (("replaced", [*words[:k], other, *words[k + 1 :]]) for other in others if other != word)
        yield "dropped", words[:k] + words[k + 1 :]
        yield "repeated", words[:k] + [word] + words[k:]
        if k and word != words[k - 1]:
            yield "swapped", [*words[: k - 1], word, words[k - 1], *words[k + 1 :]]


def test_mutants_are_rejected_and_the_reference_agrees_on_all(small):
    """Every change of one symbol or one step; what survives only saves, or lists, what no step uses."""
    verifier, reference = Verifier(small), Reference(SMALL.read_text())
    tried, survived = Counter(), Counter()
    for theorem in small.theorems:
        steps = expand(dag(verifier, theorem))
        for kind, mutant in mutants(verifier, theorem, list(small.labels)):
            tried[kind] += 1
            try:
                right = verifier(theorem, " ".join(mutant))
            except MetamathError:
                right = False
            try:
                also = reference.check(theorem.label, mutant)
            except Wrong:
                also = False
            assert right == also, f"{theorem.label}: {' '.join(mutant)}"
            if right:
                survived[kind] += 1
                assert expand(dag(verifier, theorem, " ".join(mutant))) == steps
    assert tried.total() > 50_000
    assert set(survived) <= HARMLESS
    rest = sum(count for kind, count in tried.items() if kind not in HARMLESS)
    assert rest > 40_000 and survived.total() < 0.01 * tried.total()


def test_mutants_of_the_embedded_database(small):
    """Some of each theorem's, in proofs of real length: rejected, and judged as by the reference."""
    text, chance = PATH.read_text(), random.Random(0)
    reference, database = Reference(text), read_text(text)
    verifier, survived, tried = Verifier(database), 0, 0
    labels = chance.sample(list(database.labels), 6)
    for theorem in database.theorems:
        near = [m for m in mutants(verifier, theorem, labels) if m[0] not in HARMLESS]
        for _, mutant in chance.sample(near, 10):
            tried += 1
            try:
                right = verifier(theorem, " ".join(mutant))
            except MetamathError:
                right = False
            try:
                also = reference.check(theorem.label, mutant)
            except Wrong:
                also = False
            assert right == also, f"{theorem.label}: {' '.join(mutant)}"
            survived += right
    assert tried > 2000 and survived <= 0.001 * tried
