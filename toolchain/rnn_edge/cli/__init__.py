"""The command `rnn-edge`: a thin layer of options, messages and exit codes over the library."""
