"""Tables of a small machine with a fault, for whole runs of commands."""

import numpy as np


def write_pump_tables(folder, count=2, rows=480):
    """Write CSV files of two channels with a fault in the last quarter."""
    folder.mkdir(parents=True)
    for k in range(count):
        generator = np.random.default_rng(k)
        time = np.arange(rows)
        pressure = np.sin(time / 9.0) + 0.05 * generator.standard_normal(rows)
        current = np.cos(time / 9.0) + 0.05 * generator.standard_normal(rows)
        anomalous = (time > 0.8 * rows) & (time < 0.9 * rows)
        pressure[anomalous] += 2.0
        lines = ["time,pressure,current,anomaly"]
        lines += [
            f"{t},{p:.4f},{c:.4f},{int(a)}"
            for t, p, c, a in zip(time, pressure, current, anomalous, strict=True)
        ]
        (folder / f"run{k}.csv").write_text("\n".join(lines) + "\n")
