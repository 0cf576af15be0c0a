"""Whole jobs: build a spec into a bundle, evaluate a bundle."""

from rnn_edge.pipeline.build import ORDER, build_bundle
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.evaluate import evaluate_bundle

__all__ = ["ORDER", "Bundle", "build_bundle", "evaluate_bundle"]
