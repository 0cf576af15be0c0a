"""Whole jobs: build a spec into a bundle, evaluate a bundle."""

from rnn_edge.pipeline.build import ORDER, build_bundle
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.check import StateCheck, check_states
from rnn_edge.pipeline.evaluate import evaluate_bundle
from rnn_edge.pipeline.formats import refuse_unfit
from rnn_edge.pipeline.gate import GateCheck, GateRequest, check_bundle
from rnn_edge.pipeline.input_reference import input_reference
from rnn_edge.pipeline.log_replay import LogReplay, replay_log
from rnn_edge.pipeline.log_run import LogRequest
from rnn_edge.pipeline.proof import refuse_differences
from rnn_edge.pipeline.replay import Matrix, ReplayRequest, replay_bundle

__all__ = [
    "ORDER",
    "Bundle",
    "GateCheck",
    "GateRequest",
    "LogReplay",
    "LogRequest",
    "Matrix",
    "ReplayRequest",
    "StateCheck",
    "build_bundle",
    "check_bundle",
    "check_states",
    "evaluate_bundle",
    "input_reference",
    "refuse_differences",
    "refuse_unfit",
    "replay_bundle",
    "replay_log",
]
