# One image for running and for developing pvg, on CPU or GPU.
#
#   docker build -t pvg .                                   torch as pip's usual index has it: on x86 Linux with CUDA
#                                                           inside, so this image runs on a CPU and with --gpus all
#   docker build -t pvg --build-arg TORCH_INDEX=URL .       a small image: URL is the CPU index that PyTorch's
#                                                           installation page names
#   docker build -t pvg --build-arg BASE=nvidia/cuda:13.0.1-runtime-ubuntu24.04 .
#                                                           with the CUDA libraries of the system too
#
#   docker run --rm pvg                                     train
#   docker run --rm -v "$PWD/runs:/pvg/runs" pvg python -m pvg.run env=primality seed=3
#   docker run --rm -it -v "$PWD:/pvg" pvg bash             develop: make test, git, your own files
#   docker run --rm --gpus all pvg                          on a GPU
#
# W&B's key comes when the container runs and is in no layer: --env-file FILE with a line WANDB_API_KEY=…, or
# -v "$PWD/wandb.key:/run/secrets/wandb_api_key:ro", or a secret of that name in Compose or Swarm.
# Your user id, if it isn't 1000, for mounted folders: --build-arg UID=$(id -u)

ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates g++ git libprimesieve-dev make \
    && if ! python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'; \
       then apt-get install -y --no-install-recommends python3 python3-dev python3-venv; fi \
    && rm -rf /var/lib/apt/lists/*

# Not below /pvg, where a mounted checkout would hide it. The user id may be taken (Ubuntu's images have a user 1000).
ARG UID=1000
ENV VENV=/opt/venv PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --create-home --non-unique --uid ${UID} pvg \
    && mkdir /pvg ${VENV} \
    && chown pvg /pvg ${VENV}
COPY docker/entrypoint.sh /usr/local/bin/pvg-entrypoint
USER pvg
WORKDIR /pvg

# The packages first: this layer is built again only when they change.
ARG TORCH_INDEX=
COPY --chown=pvg Makefile requirements.txt ./
RUN make packages PYTHON=python3 TORCH_INDEX=${TORCH_INDEX} && rm -rf ~/.cache

COPY --chown=pvg . .
RUN make setup && git config --global --add safe.directory /pvg && rm -rf ~/.cache

ENTRYPOINT ["pvg-entrypoint"]
CMD ["python", "-m", "pvg.run", "experiment=ppo"]
