#!/bin/sh
# Runs its arguments as a command, with the W&B key from a secret file when one is mounted.
set -eu
key_file="${WANDB_API_KEY_FILE:-/run/secrets/wandb_api_key}"
if [ -z "${WANDB_API_KEY:-}" ] && [ -r "$key_file" ]; then
    WANDB_API_KEY="$(cat "$key_file")"
    export WANDB_API_KEY
fi
exec "$@"
