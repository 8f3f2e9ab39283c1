#!/usr/bin/env bash
#SBATCH --job-name=pvg
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
# Starts Ray on every node of the allocation, runs pvg.run on the first, and ends Ray with it:
#
#     sbatch --nodes=4 tools/slurm_ray.sh experiment=adversarial engine=ray exp_id=long trainer.num_prover_actors=16
#
# With exp_id a job that Slurm requeues goes on from its last checkpoint. DRY_RUN=1 prints what would be run. The
# folder that it is submitted from must be the repository, on a file system that all nodes share; PYTHON names another
# interpreter than `python`.
set -euo pipefail

python=${PYTHON:-python}
job=${SLURM_JOB_ID:?run this inside a Slurm allocation: sbatch tools/slurm_ray.sh ...}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$head:$((20000 + job % 20000)) # so that two jobs on a node don't meet
cpus=${SLURM_CPUS_PER_TASK:-1}
export RAY_USAGE_STATS_ENABLED=0 OMP_NUM_THREADS=1

run() {
    if [ -n "${DRY_RUN:-}" ]; then echo "$*"; else "$@"; fi
}

background() {
    if [ -n "${DRY_RUN:-}" ]; then echo "$* &"; else "$@" & fi
}

on() { # NODE: a task there, beside those that are running
    echo srun --nodes=1 --ntasks=1 --overlap --nodelist="$1"
}

stop() {
    for node in "${nodes[@]}"; do
        run $(on "$node") "$python" -m ray.scripts.scripts stop || true
    done
}
trap stop EXIT

ray="$python -m ray.scripts.scripts start --block --num-cpus=$cpus"
background $(on "$head") $ray --head --node-ip-address="$head" --port="${address#*:}"
run sleep "${RAY_HEAD_SECONDS:-20}"
for node in "${nodes[@]:1}"; do
    background $(on "$node") $ray --address="$address"
done
run sleep "${RAY_NODE_SECONDS:-10}"

if [ -n "${DRY_RUN:-}" ]; then
    echo "$(on "$head") $python -m pvg.run engine.address=$address $*"
else # in the background, so that a signal reaches it while this shell waits
    $(on "$head") "$python" -m pvg.run "engine.address=$address" "$@" &
    program=$!
    trap 'kill -TERM $program' TERM INT
    wait $program || { code=$?; wait $program || exit $code; }
fi
