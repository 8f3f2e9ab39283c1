"""The command that verifies a database, and the cache of parsed forms."""

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import formal
from pvg.formal import cache
from pvg.formal.cache import cache_folder, load
from pvg.formal.errors import MetamathError
from pvg.formal.reader import read
from pvg.formal.verify import main, verify
from pvg.formal.writing import show_database
from tests.formal.conftest import SMALL

ROOT = Path(__file__).parent.parent.parent


def test_a_right_database_ends_with_0(capsys):
    assert main([str(SMALL)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert "16 symbols, 37 assertions, 24 proofs to verify" in first
    assert last.startswith("24 verified, 0 incomplete, 0 failed; 391 steps in ")


def test_what_fails_and_what_is_incomplete_is_named_and_ends_with_1(tmp_path, capsys):
    text = SMALL.read_text()
    wrong = tmp_path / "wrong.mm"
    line = 1 + text[: text.index("id $p")].count("\n")
    wrong.write_text(text.replace("AAABZAAACAECD", "AAABZAAACAEC"))
    assert main([str(wrong)]) == 1
    out = capsys.readouterr().out
    assert f"{wrong}:{line}: id: 5 statements left" in out and "23 verified, 0 incomplete, 1 failed" in out
    wrong.write_text(text.replace("AAABZAAACAECD", "?"))
    assert main([str(wrong)]) == 1
    out = capsys.readouterr().out
    assert (
        f"{wrong}:{line}: id: the proof is incomplete" in out and "23 verified, 1 incomplete, 0 failed" in out
    )
    assert main([str(wrong), "--until", "syl"]) == 0
    assert "4 verified, 0 incomplete, 0 failed" in capsys.readouterr().out
    assert main([str(wrong), "--until", "ax-7"]) == 0
    assert "0 verified" in capsys.readouterr().out
    wrong.write_text(text.replace("$c (", "$c $x ("))
    assert main([str(wrong)]) == 1
    assert f"{wrong}:3: " in capsys.readouterr().out


def test_a_wrong_command_ends_with_2(tmp_path, capsys):
    for arguments, said in (
        ([str(tmp_path / "none.mm")], "can't be read"),
        ([str(tmp_path)], "can't be read"),
        ([str(SMALL), "--until", "nothing"], "no statement of this label"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2 and said in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("pvg.formal.verify._OFTEN", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main([str(SMALL)]) == 0
    assert "12 of 24 (50%)" in capsys.readouterr().err


def test_the_command_needs_python_alone(tmp_path):
    """No torch, nor anything else that is installed."""
    command = [sys.executable, "-S", "-E", "-m", "pvg.formal.verify", str(SMALL)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "24 verified" in done.stdout and not done.stderr


# --- the cache ---


def same(one, other):
    assert show_database(one) == show_database(other) and one.files == other.files
    assert (one.symbols, one.codes, one.variables) == (other.symbols, other.codes, other.variables)
    assert [h.label for h in one.floating] == [h.label for h in other.floating]
    for left, right in zip(one.labels.values(), other.labels.values(), strict=True):
        for name in type(left).__slots__:
            mine, its = getattr(left, name), getattr(right, name)
            if name == "hypotheses":
                mine, its = [h.label for h in mine], [h.label for h in its]
            assert mine == its, (left.label, name)


@pytest.fixture
def readings(monkeypatch):
    """Names of the files that were read, not taken from the cache."""
    read = []
    file = cache.Reader.file
    monkeypatch.setattr(cache.Reader, "file", lambda self, path: (read.append(path.name), file(self, path)))
    return read


def test_a_kept_form_is_the_database(tmp_path, readings):
    for _ in range(2):
        database = load(SMALL, tmp_path / "kept")
        same(database, read(SMALL))
        assert verify(database).verified == 24
    assert readings == ["small.mm"] * 3  # once by the cache, twice by this test itself


def test_a_form_is_kept_for_the_content(tmp_path, readings):
    path, folder = tmp_path / "one.mm", tmp_path / "kept"
    path.write_text("$c a $. x $a a $.")
    load(path, folder)
    path.write_text("$c a $. y $a a $.")
    assert list(load(path, folder).labels) == ["y"]
    path.write_text("$c a $. x $a a $.")
    assert list(load(path.rename(tmp_path / "two.mm"), folder).labels) == ["x"]
    assert readings == ["one.mm", "one.mm"] and len(list(folder.iterdir())) == 2


def test_a_changed_include_is_read_again(tmp_path, readings):
    (tmp_path / "main.mm").write_text("$[ part.mm $] x $a a $.")
    (tmp_path / "part.mm").write_text("$c a $.")
    folder = tmp_path / "kept"
    same(load(tmp_path / "main.mm", folder), load(tmp_path / "main.mm", folder))
    assert readings == ["main.mm", "part.mm"]
    (tmp_path / "part.mm").write_text("$c a b $.")
    assert load(tmp_path / "main.mm", folder).symbols == ["a", "b"]
    (tmp_path / "part.mm").unlink()
    with pytest.raises(MetamathError, match=r"no file"):
        load(tmp_path / "main.mm", folder)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-20], lambda b: b.replace(b"ax-mp", b"ax-mq"), lambda b: b"", lambda b: b"{}\n{}"]
)
def test_a_damaged_form_is_not_taken(tmp_path, readings, damage):
    load(SMALL, tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    same(load(SMALL, tmp_path), read(SMALL))
    assert len(readings) == 3
    assert kept.read_bytes() == whole  # and is mended


def test_a_folder_that_can_t_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert len(load(SMALL, tmp_path / "file" / "kept").labels) == len(read(SMALL).labels)


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load(SMALL)
    assert len(list((tmp_path / "pvg/metamath").glob("*.json"))) == 1
    for ignored in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == Path.home() / ".cache/pvg/metamath"
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    assert cache_folder() == tmp_path / "pvg/metamath"


# --- the page and the benchmark ---


def test_the_code_of_the_page_runs(capsys):
    page = (ROOT / "docs/formal.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    exec(compile(code, "formal.md", "exec"), {})
    assert "weaken $p |- ( q -> p ) $=" in capsys.readouterr().out
    modules = {path.name for path in (ROOT / "pvg/formal").glob("[!_]*.*")} - {"errors.py", "verify.py"}
    assert set(re.findall(r"`(\w+\.\w+)`", "".join(re.findall(r"^\| `.*?\|", page, re.M)))) == modules


def test_the_benchmark_s_last_line_is_json(capsys):
    formal.main([str(SMALL), "--repeats", "1"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["proofs"] == 24 and found["steps"] == 391
    assert found["proofs_per_s"] > 100 and found["parse_s"] < 1
    gc.enable()
