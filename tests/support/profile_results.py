"""Prepared content of profile.json."""


def estimate(value):
    return {"value": value, "low": 0.9 * value, "high": 1.1 * value}


def times(value):
    return {
        "p50": estimate(value),
        "p95": estimate(2 * value),
        "p99": estimate(3 * value),
        "maximum": 50 * value,
        "mean": estimate(1.2 * value),
        "jitter": estimate(2 * value),
    }


def measured(engine, title, step_us, rss_bytes):
    return {
        "engine": engine,
        "title": title,
        "version": "" if engine == "c" else "2.3",
        "bits": "equal",
        "clock": {"resolution_ns": 1, "smallest_ns": 20, "reading_ns": 25},
        "step_us": times(step_us),
        "per_second_ms": times(50e-3 * step_us),
        "steps_per_second": estimate(1e6 / step_us),
        "models_per_core": int(1e6 / step_us / 50),
        "core_share": estimate(50e-6 * step_us),
        "histogram": {"edges_us": [step_us, 2 * step_us, 4 * step_us], "counts": [990, 10]},
        "by_round": [{"p50_us": step_us, "p99_us": 3 * step_us} for _ in range(3)],
        "paced": {
            "steps": 150,
            "period_ms": 20.0,
            "missed": 2,
            "step_us": times(2 * step_us),
            "answered_us": times(30 * step_us),
            "core_share": estimate(100e-6 * step_us),
        },
        "cold_start_ms": times(0.1 * step_us),
        "energy": None,
        "memory": {"rss_bytes": rss_bytes, "peak_bytes": rss_bytes, "stack_bytes": None},
    }


def condition(**changes):
    names = ("governor", "frequency_mhz", "temperature_c", "throttled", "was_throttled", "load")
    return dict.fromkeys(names) | changes


def profile():
    return {
        "format": "rnn-edge profile 1",
        "rnn_edge": "1.0",
        "bundle": "words",
        "task": "kws",
        "model_digest": "ab" * 32,
        "layers": ["GRU(64)"],
        "frame_rate_hz": 50.0,
        "frames": 1000,
        "source": "recordings",
        "place": {
            "name": "pi@garden <b>",
            "is_remote": True,
            "is_emulated": False,
            "machine": "aarch64",
            "system": "Linux 6.6",
            "cores": "4",
            "libc": "",
            "model": "Raspberry Pi 4",
            "processor": "",
            "python": "3.13.1",
            "packages": ["numpy"],
        },
        "settings": {
            "rounds": 3,
            "steps": 1000,
            "warm_up": 100,
            "paced_s": 3.0,
            "starts": 5,
            "front_end_hops": 5,
        },
        "program": {
            "file_bytes": 90000,
            "constant_bytes": 80000,
            "variable_bytes": 20000,
            "state_bytes": 128,
            "stack_bytes": 352,
        },
        "subjects": [
            measured("c", "exported C, int8", 8.0, 1 << 20),
            measured("litert", "LiteRT, int8", 60.0, 40 << 20),
            measured("front-end", "audio front end (numpy)", 200.0, 37 << 20),
        ],
        "not_measured": [
            {"engine": "onnx", "title": "onnxruntime, float", "reason": "it is <not>"}
        ],
        "timeline": [
            {"at_s": k, "round": k, "temperature_c": 50.0 + k, "frequency_mhz": 1800.0}
            for k in range(4)
        ],
        "conditions": {
            "before": condition(governor="ondemand", temperature_c=50.0, throttled=[]),
            "after": condition(governor="ondemand", throttled=["frequency capped"]),
        },
        "link": {"steps": 1000, "tensors": ["y", "h0"]},
        "instructions": None,
    }


def emulated():
    result = profile()
    result["place"]["is_emulated"] = True
    result |= {"subjects": [], "not_measured": [], "timeline": [], "conditions": None}
    result["instructions"] = [{"processor": "cortex-a72", "per_step": 49728}]
    return result
