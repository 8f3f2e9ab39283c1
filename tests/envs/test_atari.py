"""Atari games as a TorchRL environment, with the real emulator."""

import subprocess
import sys

import pytest
import torch
from torchrl.envs.utils import check_env_specs

from pvg.envs.atari import Atari
from pvg.errors import UserError


@pytest.mark.parametrize("how", [{}, {"frames": False, "tiles": True}, {"frameskip": 3, "workers": 2}])
def test_specs(how):
    env = Atari("Pong", games=3, **how)
    check_env_specs(env)
    env.close()


def test_games_that_end_begin_anew_alone():
    env = Atari("Breakout", games=2, frameskip=15, frames=False)
    state = env.reset()
    begun = state["ram"].clone()
    for _ in range(200):
        state["action"] = torch.tensor([1, 0])  # who never fires never plays
        step, state = env.step_and_maybe_reset(state)
        if step["next", "done"].any():
            break
    assert step["next", "done"].flatten().tolist() == [True, False]
    assert torch.equal(state["ram"][0], begun[0]) and not torch.equal(state["ram"][1], begun[1])
    assert state["lives"].tolist() == [5, 5] and step["next", "lives"].tolist() == [0, 5]


def test_rewards_are_the_score_as_it_is():
    """Ms. Pacman eats dots of ten points each, which are not clipped to one."""
    env = Atari("ms_pacman", frames=False)
    torch.manual_seed(0)
    rewards = env.rollout(40)["next", "reward"]
    assert rewards.max() >= 10 and (rewards % 10 == 0).all()


def test_names_of_games():
    assert Atari("MsPacman", frames=False).moves == Atari("ms_pacman", frames=False).moves
    with pytest.raises(UserError, match=r"Did you mean Breakout\? There are Adventure, .*Pong, .*Zaxxon"):
        Atari("breakuot")
    with pytest.raises(UserError) as told:
        Atari("Combat")  # for two players: the emulator would end the program
    assert "Combat," not in str(told.value)


@pytest.mark.parametrize("key", ["games", "frameskip", "emulators"])
def test_numbers_that_are_too_small(key):
    with pytest.raises(UserError, match=f"env.{key}=0"):
        Atari("Pong", **{key: 0})


def test_without_ale_py_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ale_py", None)
    with pytest.raises(UserError, match=r"pip install -e '.\[atari\]'"):
        Atari("Pong")


def test_worker_processes_do_without_torch():
    told = "import sys, pvg.envs.atari_workers; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True).stdout == "False\n"
