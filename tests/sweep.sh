#!/usr/bin/env bash
# sweep.sh [HOURS]
# Sweeps seed after seed in release until the hours (1) are over or a seed fails; begins where
# EIDWAY_FIRST says (0). A failing seed prints itself, its violation and its smallest plan;
# EIDWAY_SEED=N cargo test --test sweep seeds replays it. With EIDWAY_SEEDS=N: that many, once.

set -eu
cd "$(dirname "$0")/.."

hours=${1:-1}
seeds=${EIDWAY_SEEDS:-1000}
first=${EIDWAY_FIRST:-0}
sweep() {
    EIDWAY_FIRST=$first EIDWAY_SEEDS=$seeds \
        cargo test --quiet --release --test sweep seeds -- --nocapture
}

if [ -n "${EIDWAY_SEEDS:-}" ]; then
    sweep
    exit
fi
until [ "$SECONDS" -ge $((hours * 3600)) ]; do
    echo "== seeds $first to $((first + seeds - 1))"
    sweep
    first=$((first + seeds))
done
