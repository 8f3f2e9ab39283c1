"""Problems as a language model's agents meet them: split in parts, asked by role, with answers to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pvg.envs.problems import SHARES, Problem, part
from pvg.envs.prompts import Prompts
from pvg.errors import UserError
from pvg.language.answers import final_answer
from pvg.language.attempts import Task


class Book:
    """Word problems in parts: provers learn on one, verifiers on another, a third puts verifiers' thresholds, and
    everybody is judged on the last.  Problems of the same solution are in the same part.

    Args:
        problems: with worked solutions and answers.
        tokenizer: of the models that play.
        most: new tokens that an answer may take; None for as many as the longest worked solution takes.
        context: tokens that models and engine take, prompt and answer together.
        templates: prompts in place of ours, by role.
        seed: of the split.

    Attributes:
        parts: indices of the problems by part: ``prover``, ``verifier``, ``calibration``, ``test``.
        references: the right answers.

    Raises:
        UserError: a part is empty, most worked solutions are longer than an answer may be, or a problem does not fit
            the context.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        tokenizer: Any,
        *,
        most: int | None,
        context: int,
        templates: Mapping[str, str] | None = None,
        seed: int = 0,
    ):
        self.problems, self.tokenizer = list(problems), tokenizer
        self.most = self._most(most)
        self.prompts = Prompts(tokenizer, templates)
        self.end = int(tokenizer.eos_token_id)
        self.parts: dict[str, list[int]] = {name: [] for name in SHARES}
        for i, problem in enumerate(self.problems):
            self.parts[part(problem.solution, seed)].append(i)
        self.references = [p.answer for p in self.problems]
        for name, found in self.parts.items():
            if not found:
                raise UserError(
                    f"env: of {len(self.problems)} problems none falls to the {name}'s part; give more."
                )
        said = [f"{p.question} {p.answer}" for p in self.problems]
        lengths = [len(tokens) for tokens in tokenizer(said, add_special_tokens=False).input_ids]
        longest = max(range(len(said)), key=lengths.__getitem__)
        for role in self.prompts.templates:
            length = len(self.prompt(role, longest, self.references[longest]))
            if length + self.most > context:
                raise UserError(
                    f"env: the longest problem takes {length} tokens ({role}), and an answer may take {self.most} "
                    f"more, but the context is {context} (the models', or engine.max_model_len if that is less). Lower "
                    "agents.most, leave long problems out (env.longest) or choose another model. The problem begins: "
                    f"{self.problems[longest].question[:80]!r}"
                )

    def _most(self, most: int | None) -> int:
        worked = self.tokenizer([p.solution for p in self.problems], add_special_tokens=False).input_ids
        lengths = sorted(len(tokens) + 1 for tokens in worked)  # and the end
        middle, longest = lengths[len(lengths) // 2], lengths[-1]
        if most is not None and middle > most:
            raise UserError(
                f"agents.most={most}: most of the worked solutions take more tokens than that ({middle} in the middle, "
                f"the longest {longest}), so hardly any answer would come to its end. Set agents.most=null for as many "
                "as the longest takes. For settings that suit real models take experiment=rounds_gsm8k."
            )
        return longest if most is None else most

    def prompt(self, role: str, problem: int, answer: str = "") -> tuple[int, ...]:
        """Token ids that ask a role about a problem."""
        return self.prompts(role, self.problems[problem].question, answer)

    def solution(self, text: str) -> list[int]:
        """Token ids of a solution, with the end."""
        return [*self.tokenizer(text, add_special_tokens=False).input_ids, self.end]

    def answer(self, tokens: Sequence[int]) -> str | None:
        """What a solution ends with; None where :func:`pvg.language.answers.final_answer` finds nothing."""
        return final_answer(self.prompts.text(list(tokens)))

    def tasks(
        self,
        problems: Sequence[int],
        roles: Sequence[str],
        each: int,
        solved: Sequence[str] | None = None,
        compare: bool = True,
    ) -> list[Task]:
        """``each`` tasks of every role at every problem.

        Args:
            solved: by problem, the answers that a translator is to lead to; None where nobody translates.
            compare: a translator's answers are compared with those, as problems that come after all others
                (``references`` and ``solved``, one after the other); else with the right ones.
        """
        keys, count = iter(range(len(problems) * len(roles) * each)), len(self.problems)
        return [
            Task(next(keys), role, p + count if compare and role == "translator" else p, prompt, self.most)
            for p in problems
            for role in roles
            for prompt in [self.prompt(role, p, solved[p] if solved else "")]
            for _ in range(each)
        ]
