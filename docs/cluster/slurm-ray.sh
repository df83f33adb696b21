#!/bin/bash
# A Ray cluster of one job's nodes, and one driver that trains on all of them. From the folder with studies/:
#     sbatch --nodes=8 slurm-ray.sh
# The cluster ends with the job; submit again to go on with the study. With --no-kill a node that is lost costs
# the segments in training there, unless it is the first.
#SBATCH --job-name=sweep-ray
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=1G
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
#SBATCH --no-kill
# SIGTERM a minute before the end: to the batch process, which exec makes the driver.
#SBATCH --signal=B:TERM@60
set -euo pipefail

# No password here: PostgreSQL reads it from ~/.pgpass (mode 600).
export SWEEP_STORAGE=${SWEEP_STORAGE:-postgresql://sweep@db.example.org/sweep}
export SWEEP_FILES=${SWEEP_FILES:-/scratch/shared/sweep}

# Whoever can speak to a Ray cluster can run code on it: a token of this job's own keeps other users out.
RAY_AUTH_TOKEN=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token

# The batch process is on the first node, and so are Ray's head and the driver.
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
cores=$SLURM_CPUS_PER_TASK
head=$(hostname --all-ip-addresses | cut -d' ' -f1) # where nodes have several networks: the one they share
port=$((20000 + SLURM_JOB_ID % 10000))              # two jobs on one node take two
export RAY_ADDRESS=$head:$port

on() { # a node, and what runs there
    srun --nodelist="$1" --nodes=1 --ntasks=1 --cpus-per-task="$cores" --no-kill \
        --output="$SLURM_JOB_NAME-$SLURM_JOB_ID-nodes.log" --open-mode=append bash -c "$2" &
}

start="ray start --disable-usage-stats --block"
on "${nodes[0]}" "$start --head --node-ip-address=$head --port=$port --include-dashboard=false \
    --num-cpus=$((cores - 1))" # a core is left to the driver
for _ in {1..60}; do ray status >/dev/null 2>&1 && break || sleep 2; done
for node in "${nodes[@]:1}"; do # a node where Ray does not start, or stops, tries again
    on "$node" "until $start --address=$RAY_ADDRESS --num-cpus=$cores; do sleep 5; done"
done

# When this ends, so does the job, and with it the cluster. Nodes that join later are used at once.
exec sweep run "${STUDY:-studies/names.toml}" --pool ray
