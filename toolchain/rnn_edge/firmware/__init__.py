"""Programs made of an exported model: images for devices and binaries for other Linux machines.

To add a device: one file in ``devices/``, see `rnn_edge.spec.device`. What an image is made of
stands in ``firmware_templates/``.
"""
