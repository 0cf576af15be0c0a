"""Train, quantize, prove and deploy streaming int8 LSTM/GRU models on small devices."""

__version__ = "0.1.0"
