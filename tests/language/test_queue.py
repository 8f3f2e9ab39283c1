"""The queue against a plain loop over tasks: with workers that die, a slow grader, interruptions and kills."""

import json
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.queue import AtOnce, Slots, decode, grade, memoryless, workload
from pvg.errors import UserError
from pvg.language.attempts import WANTED, Attempt, Task, attempt_seed
from pvg.language.engine import EngineFailed, Request
from pvg.language.queue import Queue

ROOT = Path(__file__).parents[2]
WORK = workload(7)
TIMES = dict(worker=0, waited=0.0, seconds=0.0)  # what may differ from run to run


class Workers(Slots):
    """Several workers with slots of their own; what they finish comes in any order, and they may die.

    Every tenth step each worker is killed with chance ``death``; what it had begun is begun again by whoever is free.
    """

    def __init__(self, workers=1, death=0.0, seed=0, slots=8):
        super().__init__(memoryless, slots * workers)
        self.slots, self.death, self.rng = slots, death, random.Random(seed)
        self.running = [{} for _ in range(workers)]  # by worker: request -> tokens left

    def poll(self, timeout=None):
        done = []
        while not done:
            for worker in self.rng.sample(self.running, len(self.running)):
                while self.waiting and len(worker) < self.slots:
                    request = self.waiting.popleft()
                    worker[request] = len(self.draw(request).tokens)
            if not any(self.running):
                return []
            self.counts.steps += 1
            for number, worker in enumerate(self.running):
                if self.counts.steps % 10 == 0 and self.rng.random() < self.death:
                    self.waiting.extendleft(worker)
                    worker.clear()
                    self.counts.restarts += 1
                for request in list(worker):
                    worker[request] -= 1
                    if not worker[request]:
                        del worker[request]
                        took = self.rng.random()
                        done.append(replace(self.draw(request), worker=number, waited=took, seconds=2 * took))
        self.rng.shuffle(done)
        return done


class Slow(AtOnce):
    """Gives each verdict some polls after the answer came, in any order."""

    def __init__(self, polls=9, seed=0):
        super().__init__()
        self.rng, self.most, self.polls = random.Random(seed), polls, 0

    def poll(self):
        self.polls += 1
        due = [each for each in self.graded if self.rng.random() < 1 / self.most]
        self.graded = [each for each in self.graded if each not in due]
        return self.rng.sample(due, len(due))


class Stops(Workers):
    """Is stopped at a poll: by Ctrl-C, or in another way."""

    def __init__(self, at, stop=KeyboardInterrupt, **kwargs):
        super().__init__(**kwargs)
        self.left, self.stop = at, stop

    def poll(self, timeout=None):
        self.left -= 1
        if self.left == 0:
            raise self.stop
        return super().poll(timeout)


def queue(engine, grader=None, **kwargs):
    settings = dict(decode=decode, references=WORK.references, seed=7)
    return Queue(engine, grader or AtOnce(), **{**settings, **kwargs})


def alike(attempts):
    return [replace(a, **TIMES) for a in attempts]


def plain_loop(wanted=WANTED, tries=5, work=WORK):
    """The attempts of tasks that are tried one after the other."""
    engine, out = Slots(memoryless), []
    for task in work.tasks:
        for number in range(tries):
            seed = attempt_seed(work.seed, task.key, number)
            sample = engine.draw(Request(0, task.prompt, task.most, seed))
            answer = decode(sample.tokens)
            verdict = grade(answer, work.references[task.problem])
            out.append(
                Attempt(
                    task.key, task.role, task.problem, number, seed, sample.tokens, sample.log_probs, sample.ended,
                    0, 0, 0, 0.0, 0.0, answer, verdict, verdict == wanted[task.role],
                )
            )  # fmt: skip
            if out[-1].success:
                break
    return out


EXPECTED = plain_loop()


# --- what is tried, and in what order ---


def test_the_work_has_what_can_go_wrong():
    assert len(WORK.tasks) == 192 and 350 < len(EXPECTED) < 700
    assert {a.verdict for a in EXPECTED} == {"right", "wrong", "unparseable"}
    last = {a.task: a for a in EXPECTED}
    assert {a.number for a in last.values()} == {0, 1, 2, 3, 4} and not all(a.success for a in last.values())
    assert not all(a.ended for a in EXPECTED)


@pytest.mark.parametrize("death", [0, 0.2])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_attempts_even_if_a_fifth_is_killed(workers, death):
    for seed in range(3):
        engine = Workers(workers, death, seed)
        attempts = queue(engine, Slow(seed=seed)).run(WORK.tasks)
        assert alike(attempts) == EXPECTED
        assert {a.worker for a in attempts} == set(range(workers))
        assert (engine.counts.restarts > 5) == (death > 0)


def test_times_are_those_of_the_engine():
    attempts = queue(Workers(2)).run(WORK.tasks)
    assert all(a.seconds == 2 * a.waited > 0 for a in attempts)


def test_what_fails_is_tried_again_while_the_rest_goes_on():
    class Lengths(Workers):
        def draw(self, request):
            length = 100 if request.prompt == (0,) else 10
            return replace(super().draw(request), tokens=[0] * length)

    work = [Task(key, "helpful", 0, (key,), 100) for key in range(8)]
    engine = Lengths(slots=8)
    attempts = queue(engine, references=["0"], max_tries_per_task=10).run(work)
    # ten tries of ten tokens each, beside the long one's first try; then its other nine
    assert len(attempts) == 80 and engine.counts.steps == 1000


def test_the_engine_goes_on_while_answers_are_graded():
    class AtTheEnd(AtOnce):
        """Withholds the verdict on the first answer until all other tasks are settled."""

        def poll(self):
            held, graded = self.graded[:1], self.graded[1:]
            self.graded = held
            return graded or (held if settled[-1] == len(WORK.tasks) - 1 else [])

    settled = [0]
    grader = AtTheEnd()
    attempts = queue(Workers(2), grader).run(WORK.tasks, lambda done, total: settled.append(done))
    assert alike(attempts) == EXPECTED


def test_progress_counts_settled_tasks():
    seen = []
    queue(Workers()).run(WORK.tasks, lambda done, total: seen.append((done, total)))
    done = [d for d, _ in seen]
    assert done[0] == 0 and done == sorted(done) and len(set(done)) > 20
    assert seen[-1] == (192, 192) and {total for _, total in seen} == {192}


def test_other_roles_have_other_wishes():
    work = [replace(t, role="translator" if t.role == "helpful" else "silent") for t in WORK.tasks]
    wanted = {"translator": "right", "silent": "unparseable"}
    attempts = queue(Workers(), wanted=wanted, max_tries_per_task=2).run(work)
    assert {(a.role, a.verdict) for a in attempts if a.success} == set(wanted.items())
    assert alike(attempts) == plain_loop(wanted, 2, replace(WORK, tasks=work))


def test_an_engine_that_loses_a_request_is_found_out():
    class Loses(Workers):
        def poll(self, timeout=None):
            return super().poll(timeout)[1:]

    with pytest.raises(EngineFailed, match="never answered"):
        queue(Loses()).run(WORK.tasks)


def test_no_tasks_are_no_work():
    assert queue(Workers()).run([]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(max_tries_per_task=0), "max_tries_per_task is 0"),
        (dict(temperature=0), "temperature"),
        (dict(wanted={"helpful": "right"}), "sneaky"),
    ],
)
def test_what_can_not_be_tried_is_said(change, said):
    with pytest.raises(UserError, match=said):
        queue(Workers(), **change).run(WORK.tasks)
    assert queue(Workers(), temperature=0, max_tries_per_task=1).run(WORK.tasks)


# --- the journal ---


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_a_journal_holds_every_attempt_and_spares_all_work(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    first = queue(Workers(4), journal=path).run(WORK.tasks)
    assert len(lines(path)) == 1 + len(EXPECTED)
    idle = Workers()
    seen = []
    again = queue(idle, journal=path).run(WORK.tasks, lambda *each: seen.append(each))
    assert again == first and alike(first) == EXPECTED  # times too
    assert idle.counts.steps == 0 and seen == [(192, 192)]


def test_a_journal_cut_anywhere_is_taken_up_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    queue(Workers(2), journal=path).run(WORK.tasks)
    content = path.read_bytes()
    head = len(lines(path)[0])
    rng = random.Random(0)
    some = [rng.randrange(len(content)) for _ in range(8)]
    for size in [0, 1, head - 1, head, head + 1, *some, len(content) - 1]:
        path.write_bytes(content[:size])
        engine = Workers(3, 0.2)
        assert alike(queue(engine, journal=path).run(WORK.tasks)) == EXPECTED
        kept, now = content[: content[:size].rfind(b"\n") + 1], path.read_bytes()
        assert now.startswith(kept) and len(lines(path)) == 1 + len(EXPECTED)
        for line in now.splitlines():
            json.loads(line)


def test_after_ctrl_c_the_same_queue_goes_on(tmp_path):
    path = tmp_path / "journal.jsonl"
    polls, count = 40, 0

    def counted(done, total):
        nonlocal count
        count = len(lines(path)) - 1

    engine = Stops(polls)
    with pytest.raises(KeyboardInterrupt):
        queue(engine, Slow(), journal=path).run(WORK.tasks, counted)
    assert len(lines(path)) - 1 == count > 10
    # the engine still holds the requests of the first run, and hands out what they draw
    assert any(engine.running)
    attempts = queue(engine, Slow(), journal=path).run(WORK.tasks)
    assert alike(attempts) == EXPECTED


def test_what_an_engine_finishes_before_it_fails_is_kept(tmp_path):
    path = tmp_path / "journal.jsonl"
    with pytest.raises(EngineFailed):
        queue(Stops(30, EngineFailed), journal=path).run(WORK.tasks)
    kept = len(lines(path)) - 1
    assert kept >= 29
    assert alike(queue(Workers(), journal=path).run(WORK.tasks)) == EXPECTED


KILLED = """
import os, signal, sys
from tests.language.test_queue import WORK, Slow, Workers, queue

class Killed(Workers):
    def poll(self, timeout=None):
        if self.counts.steps > int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().poll(timeout)

queue(Killed(2), Slow(), journal=sys.argv[1]).run(WORK.tasks)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_a_killed_run_goes_on_to_the_same_attempts(tmp_path):
    path = tmp_path / "journal.jsonl"
    before = 0
    for steps in (60, 150):  # of its own: each start goes on where the last one was killed
        command = [sys.executable, "-c", KILLED, path, str(steps)]
        assert subprocess.run(command, cwd=ROOT, timeout=120).returncode == -signal.SIGKILL
        assert len(lines(path)) > before + 20
        before = len(lines(path))
    assert before < len(EXPECTED)
    assert alike(queue(Workers(), journal=path).run(WORK.tasks)) == EXPECTED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(seed=8), "seed there 7, here 8"),
        (dict(temperature=0.5), "temperature there 1.0, here 0.5"),
        (dict(max_tries_per_task=6), "max_tries_per_task there 5, here 6"),
        (dict(wanted={"helpful": "wrong", "sneaky": "wrong"}), "wanted there"),
        (dict(references=["1", *WORK.references[1:]]), "tasks there"),
    ],
)
def test_a_journal_of_another_run_is_refused(tmp_path, change, said):
    path = tmp_path / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt):
        queue(Stops(9), journal=path).run(WORK.tasks)
    content = path.read_bytes() + b'{"torn'
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        queue(Workers(), journal=path, **change).run(WORK.tasks)
    newer = Workers()
    newer.version = 3
    with pytest.raises(UserError, match="version there 0, here 3"):
        queue(newer, journal=path).run(WORK.tasks)
    with pytest.raises(UserError, match=r"tasks there 192 .* here 191"):
        queue(Workers(), journal=path).run(WORK.tasks[1:])
    assert path.read_bytes() == content  # not even cut


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: [b"a diary"], "Line 1 .* not the head"),
        (lambda rows: [b"a diary\n", *rows], "Line 1 .* not the head"),
        (lambda rows: [b"{}\n", *rows[1:]], "Line 1 .* not the head"),
        (lambda rows: [*rows[:3], rows[3][:20] + b"\n", *rows[4:]], "Line 4 .* no attempt"),
        (lambda rows: [*rows[:3], b"\xff\n", *rows[4:]], "Line 4 .* no attempt"),
        (lambda rows: [*rows[:3], b'{"task": 3}\n', *rows[4:]], "Line 4 .* no attempt"),
        (lambda rows: [*rows[:3], rows[2], *rows[3:]], "Line 4 .* has had [1-5] tries"),
    ],
)
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path, spoil, said):
    path = tmp_path / "journal.jsonl"
    queue(Workers(), journal=path).run(WORK.tasks)
    content = b"".join(spoil(lines(path)))
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        queue(Workers(), journal=path).run(WORK.tasks)
    assert path.read_bytes() == content


def test_a_journal_that_can_not_be_written_is_said_before_any_work(tmp_path):
    engine = Workers()
    with pytest.raises(UserError, match="could not be written"):
        queue(engine, journal=tmp_path).run(WORK.tasks)
    assert engine.counts.steps == 0


def test_any_answer_survives_the_journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    strange = ["\n", "\r\u2028", "\0", "\ud800", "😀", '"}\n{"', "½\u202e", ""]

    def answer(tokens):
        return strange[sum(tokens) % 8]

    class Any(AtOnce):
        def submit(self, key, answer, reference):
            self.graded.append((key, "wrong"))

    settings = dict(decode=answer, journal=path, max_tries_per_task=1)
    first = queue(Workers(), Any(), **settings).run(WORK.tasks)
    assert {a.answer for a in first} == set(strange)
    assert queue(Workers(), Any(), **settings).run(WORK.tasks) == first
