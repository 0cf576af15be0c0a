"""Training: teacher, student and quantization-aware fine-tuning. The home of TensorFlow.

Arrays go in, a `rnn_edge.types.FloatModel` and curves come out; nothing here reads or writes files.
This module itself imports no TensorFlow, so that sizes and defaults can be read without it.
"""
