"""How far quantization lets the state of a stream drift, why, and what to do about it."""
