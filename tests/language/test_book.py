"""Problems as agents meet them: in three parts, asked by role, refused before any work if one is too long."""

import pytest
from transformers import AutoTokenizer

from pvg.envs.arithmetic import synthetic
from pvg.envs.problems import Problem, part
from pvg.envs.prompts import PLAIN, Prompts
from pvg.errors import UserError
from pvg.language.book import Book
from pvg.language.models import END, PAD, load, load_tokenizer, make_tiny

CHAT = "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}<said>"


@pytest.fixture(scope="module")
def problems():
    return synthetic(200)


@pytest.fixture(scope="module")
def tokenizer(problems, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    texts = [*PLAIN.values(), *(f"{p.question} {p.solution}" for p in problems)]
    make_tiny(folder, texts, width=16, layers=1, heads=1, hidden=16, context=40)
    assert load(folder).config.max_position_embeddings == 40
    return load_tokenizer(folder)


def book(problems, tokenizer, **more):
    return Book(problems, tokenizer, **{"most": 18, "context": 40, **more})


def test_every_problem_is_in_the_part_that_its_text_decides(problems, tokenizer):
    made = book(problems, tokenizer)
    homes = {}
    for name, own in made.parts.items():  # nothing that is judged by has been learned from under other names
        for i in own:
            assert homes.setdefault(problems[i].solution, name) == name
    assert sorted(i for own in made.parts.values() for i in own) == list(range(200))
    for name, own in made.parts.items():
        assert own and all(part(problems[i].solution) == name for i in own)
    assert made.references == [p.answer for p in problems]
    assert book(problems, tokenizer, seed=1).parts != made.parts
    with pytest.raises(UserError, match="of 1 problems none"):
        book(problems[:1], tokenizer)


def test_words_go_to_tokens_and_back(problems, tokenizer):
    made = book(problems, tokenizer)
    for i in (0, 57, 199):
        said = tokenizer.convert_ids_to_tokens(made.prompt("sneaky", i))
        assert " ".join(said) == f"sneaky : {problems[i].question} solution :"
        solution = made.solution(problems[i].solution)
        assert tokenizer.convert_ids_to_tokens(solution) == [*problems[i].solution.split(), END]
        assert made.prompts.text([*solution, tokenizer.pad_token_id]) == problems[i].solution
        assert made.answer(solution) == made.references[i]
        assert made.answer(solution[:-3]) is None  # cut off before the answer
    words = tokenizer.convert_ids_to_tokens(made.prompt("translator", 3, "17"))
    assert " ".join(words) == f"translate : {problems[3].question} answer 17 solution :"
    assert PAD not in words


def test_tasks_are_each_role_at_each_problem_side_by_side(problems, tokenizer):
    made = book(problems, tokenizer)
    tasks = made.tasks([5, 3], ("helpful", "sneaky"), 2)
    assert [(t.problem, t.role) for t in tasks] == [
        (p, r) for p in (5, 3) for r in ("helpful", "sneaky") for _ in range(2)
    ]
    assert [t.key for t in tasks] == list(range(8)) and all(t.most == 18 for t in tasks)
    assert all(t.prompt == made.prompt(t.role, t.problem) for t in tasks)
    solved = [str(p + 1) for p in range(200)]
    told, plain = made.tasks([5], ("translator", "helpful"), 1, solved=solved)
    assert told.prompt == made.prompt("translator", 5, "6") and plain.prompt == made.prompt("helpful", 5)
    assert [*made.references, *solved][told.problem] == "6" and plain.problem == 5
    (told,) = made.tasks([5], ("translator",), 1, solved=solved, compare=False)
    assert told.problem == 5


def test_a_problem_that_does_not_fit_is_refused_by_its_tokens_not_its_letters(problems, tokenizer):
    longest = max(len(tokenizer(p.question).input_ids) for p in problems)
    most_words = longest + 6  # `translate :`, `answer` and the answer, `solution :`
    assert book(problems, tokenizer, context=most_words + 18)
    with pytest.raises(UserError, match=r"Lower agents\.most"):
        book(problems, tokenizer, context=most_words + 17)
    short = "1 " * 30 + "?"  # many tokens in few letters, beside few tokens in many letters
    wide = Problem("apples" * 60, "#### 1", "1")
    with pytest.raises(UserError, match="begins: '1 1 1"):
        book([*problems, wide, Problem(short, "#### 30", "30")], tokenizer)


def test_models_that_chat_are_asked_by_instructions(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    chats = AutoTokenizer.from_pretrained(tmp_path)
    chats.chat_template = CHAT
    asked = []
    chats.apply_chat_template = lambda said, **how: asked.append((said, how)) or [1, 2]
    prompts = Prompts(chats, {"helpful": "Go: {question}!"})
    assert prompts("helpful", "7 ?") == (1, 2)
    assert asked[0][0] == [{"role": "user", "content": "Go: 7 ?!"}]
    assert asked[0][1]["add_generation_prompt"] and asked[0][1]["tokenize"]
    prompts("translator", "7 ?", "12")
    assert "7 ?" in asked[1][0][0]["content"] and "12" in asked[1][0][0]["content"]
    del chats.apply_chat_template
    whole = chats.apply_chat_template([{"role": "user", "content": "Go: 7 ?!"}], tokenize=False)
    assert whole.startswith("<user>") and isinstance(Prompts(chats)("sneaky", "7 ?")[0], int)


def test_answers_may_be_as_long_as_the_longest_worked_solution_or_it_is_refused(problems, tokenizer):
    lengths = sorted(len(tokenizer(p.solution).input_ids) + 1 for p in problems)
    assert book(problems, tokenizer, most=None).most == lengths[-1]
    middle = lengths[len(lengths) // 2]
    assert book(problems, tokenizer, most=middle).most == middle
    with pytest.raises(UserError, match=rf"agents\.most={middle - 1}: most .* longest {lengths[-1]}\)"):
        book(problems, tokenizer, most=middle - 1)


@pytest.mark.parametrize(
    "templates, named",
    [
        ({"judge": "{question}"}, "no such role"),
        ({"sneaky": "lie!"}, r"put \{question\}"),
        ({"translator": "{question}"}, r"put \{answer\}"),
    ],
)
def test_templates_that_are_no_good(tokenizer, templates, named):
    with pytest.raises(UserError, match=named):
        Prompts(tokenizer, templates)


@pytest.mark.parametrize("broken", ["no tokenizer", "no end", "no model"])
def test_folders_that_are_no_good(tokenizer, tmp_path, broken):
    if broken == "no end":
        tokenizer.save_pretrained(tmp_path)
        file = tmp_path / "tokenizer_config.json"
        file.write_text(file.read_text().replace('"eos_token"', '"no_token"'))
    elif broken == "no tokenizer":
        make_tiny(tmp_path, ["a b"], width=8, layers=1, heads=1, hidden=8)
        for path in tmp_path.glob("token*"):
            path.unlink()
    with pytest.raises(UserError, match=f"agents.model={tmp_path}"):
        (load if broken == "no model" else load_tokenizer)(tmp_path)
