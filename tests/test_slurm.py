"""The Slurm script: what it runs where, with Slurm's own commands played by small ones."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools/slurm_ray.sh"
START = "python -m ray.scripts.scripts start --block --num-cpus=8"
STOP = "python -m ray.scripts.scripts stop"
PLAN = f"""\
srun --nodes=1 --ntasks=1 --overlap --nodelist=a1 {START} --head --node-ip-address=a1 --port=20007 &
sleep 20
srun --nodes=1 --ntasks=1 --overlap --nodelist=a2 {START} --address=a1:20007 &
srun --nodes=1 --ntasks=1 --overlap --nodelist=b7 {START} --address=a1:20007 &
sleep 10
srun --nodes=1 --ntasks=1 --overlap --nodelist=a1 python -m pvg.run engine.address=a1:20007 engine=ray exp_id=x
srun --nodes=1 --ntasks=1 --overlap --nodelist=a1 {STOP}
srun --nodes=1 --ntasks=1 --overlap --nodelist=a2 {STOP}
srun --nodes=1 --ntasks=1 --overlap --nodelist=b7 {STOP}
"""


@pytest.fixture
def slurm(tmp_path):
    """Runs the script in an allocation of three nodes; every ``srun`` is written down."""
    (tmp_path / "scontrol").write_text("#!/bin/sh\nprintf 'a1\\na2\\nb7\\n'\n")
    (tmp_path / "srun").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/log\ncase "$*" in *pvg.run*) exit ${{CODE:-0}};; esac\n'
    )
    for name in ("scontrol", "srun"):
        (tmp_path / name).chmod(0o755)

    def run(*arguments, **environment):
        there = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "a[1-2],b7"}
        there |= {"SLURM_CPUS_PER_TASK": "8", "RAY_HEAD_SECONDS": "0", "RAY_NODE_SECONDS": "0"} | environment
        done = subprocess.run([SCRIPT, *arguments], env=there, capture_output=True, text=True, timeout=60)
        log = tmp_path / "log"
        return done, log.read_text().splitlines() if log.exists() else []

    return run


def test_what_it_would_do(slurm):
    done, log = slurm(
        "engine=ray",
        "exp_id=x",
        SLURM_JOB_ID="20007",
        DRY_RUN="1",
        RAY_HEAD_SECONDS="20",
        RAY_NODE_SECONDS="10",
    )
    assert done.returncode == 0 and not log
    assert done.stdout == PLAN.replace("20007", str(20000 + 20007 % 20000))


def test_ray_is_everywhere_before_the_program_and_ended_behind_it(slurm):
    done, log = slurm("engine=ray", SLURM_JOB_ID="7")
    assert done.returncode == 0, done.stderr
    place = next(k for k, line in enumerate(log) if "pvg.run engine.address=a1:20007 engine=ray" in line)
    assert sum(" start " in line for line in log) == 3 and sum(" stop" in line for line in log) == 3
    assert all(k > place for k, line in enumerate(log) if line.endswith(" stop"))


def test_the_programs_code_is_the_jobs(slurm):
    done, log = slurm("engine=ray", SLURM_JOB_ID="7", CODE="3")
    assert done.returncode == 3 and sum(line.endswith(" stop") for line in log) == 3


def test_the_signal_before_the_end_reaches_the_shell_that_traps_it():
    """Without ``B:`` Slurm signals the steps, which are Ray and the program, and not the script itself."""
    options = [line.split()[1] for line in SCRIPT.read_text().splitlines() if line.startswith("#SBATCH")]
    assert [o for o in options if o.startswith("--signal")] == ["--signal=B:TERM@120"]


def test_outside_slurm_it_says_so(slurm):
    done, _ = slurm("engine=ray")
    assert done.returncode != 0 and "sbatch tools/slurm_ray.sh" in done.stderr
