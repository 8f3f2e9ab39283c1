"""Reading databases: what the specification allows is taken, what it forbids is refused at the right place."""

import pickle
import random
from pathlib import Path

import pytest

from pvg.formal.errors import MetamathError
from pvg.formal.reader import read, read_text
from pvg.formal.verify import verify
from tests.formal.conftest import SMALL
from tests.formal.reference import Reference, Wrong

HEAD = "$c wff |- -> ( ) $.\n$v ph ps $.\nwph $f wff ph $.\nwps $f wff ps $.\n"


def test_the_small_database_is_read_as_the_reference_reads_it(small):
    statements = Reference(SMALL.read_text()).statements
    assert list(small.labels) == list(statements)
    for label, (kind, symbols, frame) in statements.items():
        ours = small.labels[label]
        assert small.show(ours.statement).split() == symbols and f"${ours.kind}" == kind
        if frame:
            mandatory, distinct, _, _, proof = frame
            assert [h.label for h in ours.hypotheses] == mandatory
            assert {frozenset(map(small.symbol, pair)) for pair in ours.disjoint} == distinct
            assert ours.proof.split() == (proof or [])
            assert [*ours.floating, *ours.essential] == sorted(ours.hypotheses, key=lambda h: h.kind != "f")


def test_lines_are_those_of_the_statements(small):
    lines = SMALL.read_text().splitlines()
    for label, statement in small.labels.items():
        assert f"{label} ${statement.kind} " in lines[statement.line - 1] + " "


def test_symbols_have_codes_and_come_back(small):
    assert small.show(small.encode("|- ( ph -> A. x ps )")) == "|- ( ph -> A. x ps )"
    assert [small.index(small.codes[symbol]) for symbol in small.symbols] == list(range(len(small.symbols)))
    assert set(map(small.symbol, small.variables)) == {"x", "y", "z", "ph", "ps", "ch", "th"}
    with pytest.raises(MetamathError, match=r"'<->'.*declared"):
        small.encode("( ph <-> ps )")


def test_so_many_symbols_that_codes_reach_the_surrogates():
    names = [f"c{k}" for k in range(56_000)]
    database = read_text(f"$c {' '.join(names)} $. last $a c0 c55999 $.")
    assert database.show(database.labels["last"].statement) == "c0 c55999"
    assert database.index(database.codes["c55999"]) == 55_999
    "".join(database.codes.values()).encode()  # surrogates couldn't be


@pytest.mark.parametrize(
    ("text", "line", "label", "said"),
    [
        # tokens and comments
        ("$c a $.\n$( never closed", 2, "", "never closed; expected $)"),
        ("$c a $.\n$( one $( two $)", 2, "", "$( inside"),
        ("$c a $.\n $)", 2, "", "$) without $("),
        ("$c a $.\n$(near $)", 2, "", "touches"),
        ("$c a$( near $) $.", 1, "", "touches"),
        ("$c a $.\n\n$c \x01 $.", 3, "", "'\\x01'; expected printable"),
        ("$c a $.\n$( é $)", 2, "", "printable ASCII"),
        ("$c a $.\n$c b c\n", 2, "", "the end of the file; expected $."),
        ("$c a $.\n$c b $c c $.", 2, "", "runs into '$c'; expected $."),
        ("$c a$b $.", 1, "", "runs into 'a$b'"),
        (HEAD + "ax $a |- ph", 5, "ax", "expected $."),
        (HEAD + "th $p |- ph $.", 5, "th", "runs into '$.'; expected $="),
        (HEAD + "th $p |- ph $= wph", 5, "th", "expected $."),
        ("$x a $.", 1, "", "'$x'; expected a statement"),
        ("$c a $.\nalone", 2, "", "'alone'"),
        # symbols
        ("$c $.", 1, "", "$c without a symbol"),
        ("$v $.", 1, "", "$v without a symbol"),
        ("$c a a $.", 1, "", "'a' is already active"),
        ("$c a $.\n$v a $.", 2, "", "'a' is already active"),
        ("$v a $.\n$v a $.", 2, "", "'a' is already active"),
        ("${ $v a $. $}\n$c a $.", 2, "", "declared as a variable"),
        ("${ $c a $. $}", 1, "", "outermost"),
        (HEAD + "$c wph $.", 5, "", "also a label"),
        (HEAD + "-> $a |- ph $.", 5, "->", "strange characters"),
        (HEAD + "$c same $.\nsame $a |- ph $.", 6, "same", "also a math symbol"),
        (HEAD + "ax $a |- ch $.", 5, "ax", "'ch' is not active"),
        (HEAD + "${ $v ch $. $}\nax $a |- ch $.", 6, "ax", "'ch' is not active"),
        # labels
        (HEAD + "wph $a |- ph $.", 5, "wph", "line 3"),
        (HEAD + "$a |- ph $.", 5, "", "a label before $a"),
        (HEAD + "$f wff ph $.", 5, "", "a label before $f"),
        (HEAD + "$p |- ph $= ? $.", 5, "", "a label before $p"),
        ("a $c b $.", 1, "", "no label there"),
        (HEAD + "a ${ $}", 5, "", "no label there"),
        # hypotheses and assertions
        (HEAD + "x $f wff $.", 5, "x", "a constant and a variable"),
        (HEAD + "x $f ph wff $.", 5, "x", "a constant and a variable"),
        (HEAD + "x $f wff ( $.", 5, "x", "a constant and a variable"),
        (HEAD + "x $f wff ph ps $.", 5, "x", "a constant and a variable"),
        (HEAD + "x $f wff ph $.", 5, "x", "type of 'wph'"),
        (HEAD + "ax $a $.", 5, "ax", "empty $a"),
        (HEAD + "ax $a ph -> $.", 5, "ax", "'ph' begins a $a"),
        (HEAD + "${ e $e ph $. $}", 5, "e", "'ph' begins a $e"),
        (HEAD + "$v ch $. ax $a |- ch $.", 5, "ax", "'ch' has no type"),
        (HEAD + "$v ch $. ${ e $e |- ch $. $}", 5, "e", "'ch' has no type"),
        (HEAD + "th $p |- ph $= $.", 5, "th", "empty proof"),
        # distinct variables and blocks
        (HEAD + "$d ph $.", 5, "", "two or more"),
        (HEAD + "$d ph ps ph $.", 5, "", "two or more"),
        (HEAD + "$d ph -> $.", 5, "", "'->' in $d"),
        (HEAD + "$d ph ch $.", 5, "", "'ch' is not active"),
        (HEAD + "${\n${ $}", 5, "", "never closed; expected $}"),
        (HEAD + "$}", 5, "", "$} without ${"),
        # files
        ("$[ nowhere.mm $]", 1, "", "no file 'nowhere.mm'"),
        ("$[ one two $]", 1, "", "one file name"),
        ("${ $[ nowhere.mm $] $}", 1, "", "outermost"),
        ("$[ open", 1, "", "expected $]"),
    ],
)
def test_what_is_refused_is_named_with_its_place(text, line, label, said):
    with pytest.raises(MetamathError) as caught:
        read_text(text, "some.mm")
    error = caught.value
    assert (error.file, error.line, error.label) == ("some.mm", line, label), str(error)
    assert said in str(error) and str(error).startswith(f"some.mm:{line}: ")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and vars(again) == vars(error)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\n$( only a comment $)",
        "$c a $( a comment inside $) b $.",
        HEAD + "th $p $( here $) |- ( ph -> ph ) $( and $) $= $( there $) ? $( too $) $.",
        "${ $v a $. $} ${ $v a $. $}",  # again, once it is no longer active
        HEAD + "${ $v ch $. wch $f wff ch $. ax $a |- ch $. $} $v ch $. wch2 $f wff ch $.",
        "$c a $.\r\n$v\fb $.",
        HEAD + "a.b-C_9 $a |- $.",
    ],
)
def test_what_is_allowed_is_read(text):
    Reference(text)
    read_text(text)


def test_active_hypotheses_are_those_of_the_open_blocks():
    database = read_text(
        HEAD + "${ a $e |- ph $. ${ b $e |- ps $. in $a |- ( ph -> ps ) $. $} mid $a |- ps $. $} out $a |- $."
    )
    frames = {a.label: [h.label for h in a.hypotheses] for a in database.assertions}
    assert frames == {"in": ["wph", "wps", "a", "b"], "mid": ["wph", "wps", "a"], "out": []}
    a, b = database.labels["a"], database.labels["b"]
    labels = list(database.labels)
    assert labels[b.end - 1] == "in" and labels[a.end - 1] == "mid"


def test_files_are_included_once_and_errors_name_the_one_that_is_wrong(tmp_path):
    (tmp_path / "main.mm").write_text("$[ head.mm $]\n$[ head.mm $] $[ main.mm $]\n$[ sub/rest.mm $]\n")
    (tmp_path / "head.mm").write_text(HEAD)
    (tmp_path / "sub").mkdir()
    rest = tmp_path / "sub/rest.mm"
    rest.write_text("\nax $a |- ph $.\n")
    database = read(tmp_path / "main.mm")
    assert [Path(file).name for file in database.files] == ["main.mm", "head.mm", "rest.mm"]
    ax = database.labels["ax"]
    assert (Path(database.files[ax.source]).name, ax.line) == ("rest.mm", 2)
    rest.write_text("\nax $a |- ch $.\n")
    with pytest.raises(MetamathError) as caught:
        read(tmp_path / "main.mm")
    assert (caught.value.file, caught.value.line, caught.value.label) == (str(rest), 2, "ax")
    (tmp_path / "main.mm").write_text("$[ head.mm $]\n\nax $a |- ch $.\n")
    with pytest.raises(MetamathError) as caught:
        read(tmp_path / "main.mm")
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "main.mm"), 3)


def test_mutants_of_statements_are_judged_as_the_reference_judges():
    """One symbol of a statement is another, goes or comes twice: both read it and its proofs, or neither does."""
    lines = SMALL.read_text().splitlines(keepends=True)
    symbols = ["(", ")", "->", "-.", "A.", "wff", "setvar", "|-", "ph", "x", "y"]
    verdicts = []
    for number, line in enumerate(lines):
        words = line.split()
        if not {"$d", "$f", "$e", "$a", "$p"} & set(words) or "$(" in words:
            continue
        for k in range(1 + number % 2, len(words), 2):
            changed = [words[:k] + words[k + 1 :], words[:k] + [words[k]] + words[k:]]
            changed.append([*words[:k], symbols[(number + k) % len(symbols)], *words[k + 1 :]])
            for mutant in changed:
                text = "".join([*lines[:number], " ".join(mutant) + "\n", *lines[number + 1 :]])
                verdicts.append((ours(text), theirs(text)))
    assert all(one == other for one, other in verdicts)
    assert len(verdicts) > 400 and 5 < sum(one for one, _ in verdicts) < 200


BLOCKS = """
    $c wff |- set -> ( ) A. $. $v ph ps x y $. wph $f wff ph $.
    ${ wps0 $f wff ps $. wi $a wff ( ph -> ps ) $. $}
    vx $f set x $. ${ $v z $. vz $f set z $. wal $a wff A. z ph $. $}
    wps $f wff ps $. vy $f set y $.
    ${ $d x ph $. a5 $a |- ( ph -> A. x ph ) $. ${ maj $e |- ph $. min $e |- ( ph -> ps ) $. mp $a |- ps $. $} $}
    ${ e1 $e |- ps $. $d y ps $. t1 $p |- A. y ps $= wps wps vy wal e1 wps vy a5 mp $.
    t2 $p |- A. y ps $= ( wal a5 mp ) AABDCABEF $. $}
    ${ $d y ph x $. t3 $p |- ( A. x ph -> A. y A. x ph ) $= wph vx wal vy a5 $.
    t4 $p |- ( A. x ph -> A. y A. x ph ) $= ( wal a5 ) ABDZCE $. $}
    """


def test_tokens_astray_are_judged_as_the_reference_judges():
    """One to three tokens of a database with many blocks go, come, move or change, whatever they are."""
    words, chance, verdicts = BLOCKS.split(), random.Random(0), []
    assert ours(BLOCKS) and theirs(BLOCKS)
    for _ in range(4000):
        mutant = list(words)
        for _ in range(chance.choice([1, 1, 2, 3])):
            here, there, kind = (
                chance.randrange(len(mutant)),
                chance.randrange(len(mutant)),
                chance.randrange(5),
            )
            if kind == 0:
                del mutant[here]
            elif kind == 1:
                mutant[here] = chance.choice(words)
            elif kind == 2:
                mutant.insert(here, chance.choice(words))
            elif kind == 3:
                mutant[here], mutant[there] = mutant[there], mutant[here]
            else:
                mutant.insert(max(here + chance.randrange(-12, 12), 0), mutant.pop(here))
        text = " ".join(mutant)
        verdicts.append((ours(text), theirs(text)))
        assert verdicts[-1][0] == verdicts[-1][1], text
    assert sum(one for one, _ in verdicts) > 50


def ours(text):
    try:
        outcome = verify(read_text(text))
        return not outcome.failed and not outcome.incomplete
    except MetamathError:
        return False


def theirs(text):
    try:
        reference = Reference(text)
        return all(reference.check(label) for label, s in reference.statements.items() if s[0] == "$p")
    except (Wrong, StopIteration):
        return False
