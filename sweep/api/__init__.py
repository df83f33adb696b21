"""What a library user calls, and what the commands call; ``sweep`` loads each name when it is asked for."""

import os

# numpy's small products wait for threads that the trainers keep busy: a proposal of the sampler gp_cost took
# fifty times as long. The variable is read when numpy is loaded; whoever sets it keeps it. A script that
# imports ``sweep`` only to report keeps its threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
