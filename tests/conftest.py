"""Every test runs on one core, so that its numbers are the same on every machine."""

import os

os.environ.setdefault("RL_LOGGING_LEVEL", "ERROR")

import torch

torch.set_num_threads(1)
