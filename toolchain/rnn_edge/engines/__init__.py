"""Everything that can step a model.

To add an engine: one module here that defines ``ENGINE = EngineKind(name, ...)``. It is found by
itself, can be named in ``--engines`` and is run by the conformance tests. An optional package is
imported inside ``open``, through `rnn_edge.extras.require`. A module of several engines, which
differ in data only, defines a function ``engine_kinds()`` that returns them.
"""
