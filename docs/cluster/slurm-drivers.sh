#!/bin/bash
# Many drivers of one study on PostgreSQL, one a node. From the folder with studies/:
#     sbatch --array=1-16 slurm-drivers.sh
# A node that is lost, or an array that is cut short, costs nothing that is stored: submit it again.
#SBATCH --job-name=sweep
#SBATCH --array=1-4
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=1G
#SBATCH --time=04:00:00
#SBATCH --output=%x-%A-%a.log
# SIGTERM a minute before the end lets a driver leave its trials to the others at once. With B: it goes to
# the batch process, which exec makes the driver; without B: it would go to srun's steps only.
#SBATCH --signal=B:TERM@60

# No password here: PostgreSQL reads it from ~/.pgpass (mode 600), on every node.
export SWEEP_STORAGE=${SWEEP_STORAGE:-postgresql://sweep@db.example.org/sweep}
export SWEEP_FILES=${SWEEP_FILES:-/scratch/shared/sweep} # a folder that all nodes reach

exec sweep run "${STUDY:-studies/names.toml}" --workers "${SLURM_CPUS_PER_TASK:-1}"
