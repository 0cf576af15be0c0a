"""Logs of what a device or a host fed to a model, frame by frame; docs/logs.md has the format."""

from rnn_edge.logs.cleaning import Cleaner, Cleaning, read_key
from rnn_edge.logs.header import LogHeader
from rnn_edge.logs.reader import BadLine, LogFrame, LogReader, is_log
from rnn_edge.logs.steps import StepBook
from rnn_edge.logs.writer import LogWriter

__all__ = [
    "BadLine",
    "Cleaner",
    "Cleaning",
    "LogFrame",
    "LogHeader",
    "LogReader",
    "LogWriter",
    "StepBook",
    "is_log",
    "read_key",
]
