"""One module for each command, called like it and holding it as ``COMMAND``.

A module imports what it needs inside the function that runs, so that `rnn-edge --help` starts at
once and a small machine never loads what it does not use.
"""
