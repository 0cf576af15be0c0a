"""Whole jobs: build a spec into a bundle, evaluate a bundle."""

from rnn_edge.pipeline.build import ORDER, build_bundle
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.check import StateCheck, check_states
from rnn_edge.pipeline.evaluate import evaluate_bundle
from rnn_edge.pipeline.formats import refuse_unfit
from rnn_edge.pipeline.proof import refuse_differences
from rnn_edge.pipeline.replay import Matrix, ReplayRequest, replay_bundle

__all__ = [
    "ORDER",
    "Bundle",
    "Matrix",
    "ReplayRequest",
    "StateCheck",
    "build_bundle",
    "check_states",
    "evaluate_bundle",
    "refuse_differences",
    "refuse_unfit",
    "replay_bundle",
]
