"""Terms as strings: prefix notation, one character a symbol, so that to substitute is ``str.replace``.

Most general unifiers (Robinson 1965), found from the left: at the first place where two strings differ one of them has
a variable, or there is none.  What is slow in Python, to walk through trees, is left to strings' own methods.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pvg.formal.grammar import Grammar, Tree

POSITIONS = (
    32  # places of a tree that a network can tell apart: those of the first five levels, and all below
)
NAMES = 8  # variables, and rigid ones, that it can tell apart; later ones look like the last
HEADS = 15  # places of the first four levels
LARGEST = 10_000  # symbols of a string on the way to a unifier
PAD = chr(1)


class Overflow(Exception):
    """A term is too long."""


class Alphabet:
    """Characters for the symbols of a grammar, for variables by their type, and for rigid names.

    A variable's character says its type, its number and a *set*: those of set 0 are a statement's, numbered in the
    order in which they come; sets 1, 2, … are for the same statement as a premise; the last set is for rules.

    Args:
        grammar: whose syntax axioms are the symbols.
        size: variables of a type in a set.
        sets: how many.

    Attributes:
        arity: of each character.
        kind: the typecode of what begins with it.
        variables: the characters of all variables.
    """

    def __init__(self, grammar: Grammar, size: int, sets: int):
        self.grammar, self.size = grammar, size
        self.arity: dict[str, int] = {}
        self.kind: dict[str, str] = {}
        self.tokens: list[int] = []  # of each character, by its place in the alphabet
        self.labels: dict[str, str] = {}
        self.symbols: dict[str, str] = {}
        for token, (label, axiom) in enumerate(grammar.axioms.items()):
            self.symbols[label] = self._new(axiom.typecode, len(axiom.hypotheses), token)
            self.labels[self.symbols[label]] = label
        types = sorted({h.typecode for h in grammar.database.floating})
        many = len(self.tokens)
        self.named = {
            (which, code): [self._new(code, 0, many + min(k, NAMES - 1)) for k in range(size)]
            for which in range(sets)
            for code in types
        }
        self.variables = frozenset(c for some in self.named.values() for c in some)
        self.places = {c: (which, k) for (which, _), some in self.named.items() for k, c in enumerate(some)}
        self.rigid: dict[str, str] = {}
        self.copying = [
            {ord(c): d for code in types for c, d in zip(self.named[0, code], self.named[which, code])}
            for which in range(sets)
        ]
        self._tables: tuple[np.ndarray, np.ndarray] | None = None

    def _new(self, kind: str, arity: int, token: int) -> str:
        place = len(self.tokens)
        code = chr(place + 256 if place < 50_000 else place + 2**16)  # what lies between has surrogates
        self.kind[code], self.arity[code] = kind, arity
        self.tokens.append(token)
        self._tables = None
        return code

    # ------------------------------------------------------------------ trees
    def write(self, tree: Tree, names: dict[str, str], which: int = 0, longest: int = LARGEST) -> str:
        """A tree as a string; its variables get characters of a set in the order in which they come.

        Args:
            names: characters of variables that have some; it grows.

        Raises:
            Overflow: there are more than ``longest`` symbols.
        """
        found: list[str] = []
        todo = [tree]
        while todo:
            one = todo.pop()
            if len(found) == longest:
                raise Overflow
            if isinstance(one, tuple):
                found.append(self.symbols.get(one[0]) or self._rigid(one[0]))
                todo += one[:0:-1]
            else:
                if one not in names:
                    names[one] = self.named[which, self._type(one)][len(names)]
                found.append(names[one])
        return "".join(found)

    def _type(self, variable: str) -> str:
        """Names of variables begin with their type, but those of the database."""
        return variable[0] if len(variable) > 1 else self.grammar.types[variable]

    def _rigid(self, name: str) -> str:
        if name not in self.rigid:
            token = len(self.symbols) + NAMES + min(int(name[2:]), NAMES - 1)
            self.rigid[name] = self._new(name[0], 0, token)
            self.labels[self.rigid[name]] = name
        return self.rigid[name]

    def read(self, term: str) -> Tree:
        """A string as a tree, with variables named by type and number."""
        stack: list[Tree] = []
        for code in reversed(term):
            if code in self.variables:
                stack.append(self.name(code))
            else:
                children = [stack.pop() for _ in range(self.arity[code])]
                stack.append((self.labels[code], *children))
        return stack[0]

    def name(self, code: str) -> str:
        """The name in trees of a statement's variable, or of a rigid one."""
        return f"{self.kind[code]}{self.places[code][1]}" if code in self.variables else self.labels[code]

    def code(self, name: str) -> str:
        """The other way round."""
        if name in self.rigid or name[1:2] == "!":
            return self._rigid(name)
        return self.named[0, name[0]][int(name[1:])]

    # ------------------------------------------------------------------ substitution
    def copy(self, term: str, which: int) -> str:
        """A statement with variables of another set."""
        return term.translate(self.copying[which])

    def canonical(self, term: str) -> tuple[str, dict[str, str]]:
        """A string with other than set 0's variables as a statement, and what each of them has become."""
        variables = self.variables
        names: dict[str, str] = {}
        for code in term:
            if code in variables and code not in names:
                names[code] = new = self.named[0, self.kind[code]][len(names)]
                term = term.replace(code, new)
        return term, names

    def unify(self, one: str, other: str, others: Sequence[str]) -> list[str] | None:
        """The ``others`` under the most general unifier of two terms without a common variable; None if none.

        Raises:
            Overflow: terms became too long on the way.
        """
        variables, kind, arity, others = self.variables, self.kind, self.arity, list(others)
        while one != other:
            start, x, y = 0, "", ""
            for x, y in zip(one, other):
                if x != y:
                    break
                start += 1
            if x not in variables:
                if y not in variables:
                    return None
                one, other, x, y = other, one, y, x
            if kind[x] != kind[y]:
                return None
            end, missing = start + 1, arity[y]
            while missing:
                missing += arity[other[end]] - 1
                end += 1
            term = other[start:end]
            if x in term:
                return None
            one, other = one[start + 1 :].replace(x, term), other[end:].replace(x, term)
            others = [text.replace(x, term) for text in others]
            if len(one) > LARGEST:
                raise Overflow
        return others

    def unified(self, one: str, other: str, others: Sequence[str] = ()) -> list[str] | None:
        """The same; None, too, if terms became too long on the way."""
        x, y = one[0], other[0]
        if x != y and x not in self.variables and y not in self.variables:
            return None
        try:
            return self.unify(one, other, others)
        except Overflow:
            return None

    def match(self, pattern: str, term: str) -> bool:
        """Whether a term is an instance of a pattern; the term's own variables stay as they are."""
        found: dict[str, str] = {}
        variables, arity, start = self.variables, self.arity, 0
        for code in pattern:
            if code not in variables:
                if code != term[start]:
                    return False
                start += 1
                continue
            if self.kind[code] != self.kind[term[start]]:
                return False
            end, missing = start + 1, arity[term[start]]
            while missing:
                missing += arity[term[end]] - 1
                end += 1
            part = term[start:end]
            if found.setdefault(code, part) != part:
                return False
            start = end
        return True

    # ------------------------------------------------------------------ for networks
    def codes(self, terms: Sequence[str], longest: int) -> np.ndarray:
        """Token and place of a symbol, ``1 + token * POSITIONS + place``: int32 ``[n, longest]``, 0 behind the end."""
        tokens, arities = self._lookup()
        text = "".join([term.ljust(longest, PAD) for term in terms])
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32).reshape(len(terms), longest)
        token, arity = tokens[points], arities[points]
        rows, top = np.arange(len(terms)), np.zeros(len(terms), np.int64)
        stack = np.zeros(
            (len(terms), longest + int(arities.max()) + 1), np.int32
        )  # places of what is to come
        found = np.zeros(points.shape, np.int32)
        for k in range(longest):
            live = token[:, k] >= 0
            if not live.any():
                break
            place = stack[rows, top]
            found[live, k] = 1 + token[live, k] * POSITIONS + place[live]
            top -= live
            for child in range(int(arity[:, k].max()) - 1, -1, -1):
                more = rows[live & (arity[:, k] > child)]
                top[more] += 1
                below = 2 * place[more] + (1 if child == 0 else 2)
                stack[more, top[more]] = np.minimum(below, POSITIONS - 1)
        return found

    def heads(self, terms: Sequence[str], longest: int) -> np.ndarray:
        """The symbols at the uppermost places: int16 ``[n, HEADS]``, 0 for variables and where there is nothing.

        Where two terms have different symbols in one place, they have no unifier.
        """
        return self.uppermost(self.codes([term[:longest] for term in terms], longest))

    def uppermost(self, codes: np.ndarray) -> np.ndarray:
        """The same from :meth:`codes`."""
        token, place = np.divmod(codes - 1, POSITIONS)
        first = len(self.symbols)  # of the variables' tokens
        row, column = np.nonzero((codes > 0) & (place < HEADS) & ((token < first) | (token >= first + NAMES)))
        found = np.zeros((len(codes), HEADS), np.int16)
        found[row, place[row, column]] = token[row, column] + 1
        return found

    def _lookup(self) -> tuple[np.ndarray, np.ndarray]:
        """Token and arity of each code point."""
        if self._tables is None:
            points = np.array([ord(c) for c in self.arity])
            tokens, arities = np.full(points.max() + 1, -1, np.int32), np.zeros(points.max() + 1, np.int32)
            tokens[points], arities[points] = self.tokens, list(self.arity.values())
            self._tables = tokens, arities
        return self._tables
