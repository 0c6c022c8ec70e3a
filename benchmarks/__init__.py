"""Speed and accuracy, measured: `python -m benchmarks [name ...]`."""
