"""pvg: prover-verifier games as TorchRL environments."""

__version__ = "0.1.0"
