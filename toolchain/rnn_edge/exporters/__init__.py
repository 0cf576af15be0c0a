"""Translations of a model into other formats.

To add an exporter: one module here that defines ``EXPORTER = Exporter(name, ...)``. It is found
by itself, appears in ``rnn-edge export`` and is run by the conformance tests. An optional package
is imported inside ``export``, through `rnn_edge.extras.require`.
"""
