"""The framed link between a host and a device, over any stream of bytes (docs/link.md).

To reach devices over another kind of stream: one class with the methods of
`rnn_edge.links.base.ByteStream`.
"""
