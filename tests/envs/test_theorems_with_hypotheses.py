"""Theorems with hypotheses are goals from end to end: trained on, held out, proved forward and backward, written."""

import pytest
import torch

from pvg.agents.theorem_players import BackwardProver, ForwardProver
from pvg.agents.theorems import Scorer
from pvg.envs.derivations import database_proof
from pvg.envs.theory import Theory
from pvg.formal.proofs import Verifier
from pvg.formal.reader import read_text
from pvg.trainers.theorem_learning import Imitation, ProverTrainer
from pvg.trainers.theorem_metrics import judge_prover
from pvg.trainers.theorem_roles import own_proof

INFERENCES = """
$c |- wff ( ) -> $.  $v ph ps ch th $.
wph $f wff ph $.  wps $f wff ps $.  wch $f wff ch $.  wth $f wff th $.
wi $a wff ( ph -> ps ) $.
ax-1 $a |- ( ph -> ( ps -> ph ) ) $.
ax-2 $a |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph -> ps ) -> ( ph -> ch ) ) ) $.
${ mp.1 $e |- ph $.  mp.2 $e |- ( ph -> ps ) $.  mp $a |- ps $. $}
${ a1i.1 $e |- ph $.  a1i $p |- ( ps -> ph ) $= wph wps wph wi a1i.1 wph wps ax-1 mp $. $}
${ a2i.1 $e |- ( ph -> ( ps -> ch ) ) $.
   a2i $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
     wph wps wch wi wi wph wps wi wph wch wi wi a2i.1 wph wps wch ax-2 mp $. $}
${ syl.1 $e |- ( ph -> ps ) $.  syl.2 $e |- ( ps -> ch ) $.
   syl $p |- ( ph -> ch ) $=
     wph wps wi wph wch wi syl.1 wph wps wch wps wch wi wph syl.2 a1i a2i mp $. $}
${ mpd.1 $e |- ( ph -> ps ) $.  mpd.2 $e |- ( ph -> ( ps -> ch ) ) $.
   mpd $p |- ( ph -> ch ) $= wph wps wi wph wch wi mpd.1 wph wps wch mpd.2 a2i mp $. $}
${ 3syl.1 $e |- ( ph -> ps ) $.  3syl.2 $e |- ( ps -> ch ) $.  3syl.3 $e |- ( ch -> th ) $.
   3syl $p |- ( ph -> th ) $= wph wch wth wph wps wch 3syl.1 3syl.2 syl 3syl.3 syl $. $}
"""


@pytest.fixture(scope="module")
def theory(tmp_path_factory):
    file = tmp_path_factory.mktemp("inferences") / "inferences.mm"
    file.write_text(INFERENCES)
    return Theory(database=str(file), test=2, longest=16, moves=6)


def test_they_are_held_out_and_trained_on(theory):
    assert {goal.name: len(goal.hypotheses) for goal in theory.held_out} == {"mpd": 2, "3syl": 3}
    assert {proof.goal.name: len(proof.goal.hypotheses) for proof in theory.proofs} == {
        "a1i": 1,
        "a2i": 1,
        "syl": 2,
    }


@pytest.mark.parametrize("kind", [ForwardProver, BackwardProver])
def test_they_are_learned_from_proved_and_written(theory, kind):
    torch.manual_seed(0)
    scorer = Scorer(theory.library, 16, 16)
    prover = kind(theory, scorer)
    trainer = ProverTrainer(theory, scorer, prover.examples, Imitation(updates=10, batch=16))
    assert len(trainer.database) >= sum(len(proof.moves) for proof in theory.proofs)
    first, last = trainer.learn()["prover/loss"], trainer.learn()["prover/loss"]
    assert last < first
    for theorem in theory.test:  # what the database does is a game
        assert prover.examples(database_proof(theory.library, theory.verifier, theorem))
    goals = theory.held_out * 50
    attempts = [attempt for attempt in prover.prove(goals, theory.moves) if attempt.solved]
    found = {attempt.goal.name for attempt in attempts}
    assert found == {"mpd", "3syl"} if kind is ForwardProver else "mpd" in found  # nothing taught cites syl
    texts = {a.goal.name: theory.writer(own_proof(a), f"{a.goal.name}-again").text for a in attempts}
    whole = read_text(INFERENCES + "\n".join(texts.values()))
    for name in found:
        theorem, again = whole.labels[name], whole.labels[f"{name}-again"]
        assert Verifier(whole)(again) and again.statement == theorem.statement
        assert [h.statement for h in again.essential] == [h.statement for h in theorem.essential]
    assert judge_prover(theory, prover, samples=8, seed=0)["pass@8"] > 0
