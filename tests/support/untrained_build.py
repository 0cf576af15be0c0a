"""`rnn-edge` with stand-ins for training.

python untrained_build.py SECONDS_PER_STAGE LARGEST_FILE ARGUMENT...
"""

import resource
import sys

from untrained import replace_training

from rnn_edge.cli.main import run

if __name__ == "__main__":
    pause, limit, *arguments = sys.argv[1:]
    replace_training(setattr, float(pause))
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    sys.exit(run(arguments))
