"""A program that speaks words with espeak-ng: JSON on stdin, samples or phonemes on stdout.

The library keeps the state of its oscillators and random numbers from one utterance to the next
and cannot be brought back to its first state. A process of its own makes the samples a function
of the request alone. It is run as a file, so it imports nothing of this package.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from typing import Any

# Names and values from espeak-ng's public header speak_lib.h, API revision 12.
_OUTPUT_SYNCHRONOUS = 2
_OPTION_DO_NOT_EXIT = 0x8000
_PARAMETER_RATE = 1
_PARAMETER_PITCH = 3
_PARAMETER_RANGE = 4
_POSITION_CHARACTER = 1
_TEXT_UTF8 = 1
_TEXT_HAS_PHONEMES = 0x100
_PHONEMES_SEPARATED = ord("_") << 8
_EE_OK = 0
_RANDOM_SEED = 1


def start(request: dict[str, Any]) -> tuple[ctypes.CDLL, int]:
    """Return the library, ready, and its sample rate in Hz."""
    library = ctypes.CDLL(request["library"])
    library.espeak_Initialize.argtypes = [
        ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
    ]  # fmt: skip
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    rate_hz = library.espeak_Initialize(
        _OUTPUT_SYNCHRONOUS, 0, request["voices"].encode(), _OPTION_DO_NOT_EXIT
    )
    if rate_hz <= 0:
        raise RuntimeError(f"espeak-ng does not start with the voices in {request['voices']}")
    return library, rate_hz


def pronounce(request: dict[str, Any]) -> list[str]:
    """Return the phonemes of each text, clauses and words apart by spaces."""
    library, _ = start(request)
    library.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    found = []
    for each in request["pronounce"]:
        if library.espeak_SetVoiceByName(each["voice"].encode()) != _EE_OK:
            raise RuntimeError(f"espeak-ng has no voice {each['voice']!r}")
        rest = ctypes.c_char_p(each["text"].encode())
        clauses = []
        # Each call takes a clause; the pointer is null behind the last one.
        while rest.value is not None:
            clause = library.espeak_TextToPhonemes(
                ctypes.byref(rest), _TEXT_UTF8, _PHONEMES_SEPARATED
            )
            clauses.append((clause or b"").decode(errors="replace"))
        found.append(" ".join(clauses))
    return found


def speak(request: dict[str, Any]) -> tuple[int, list[bytes]]:
    """Return the sample rate in Hz and the int16 samples, in host order, of each utterance."""
    library, rate_hz = start(request)
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    library.espeak_SetSynthCallback.argtypes = [callback_type]
    library.espeak_SetSynthCallback.restype = None
    library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
        ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]

    chunks: list[bytes] = []

    def collect(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    # The library keeps the pointer, so the object has to live as long as it does.
    callback = callback_type(collect)
    library.espeak_SetSynthCallback(callback)
    library.espeak_ng_SetRandSeed(_RANDOM_SEED)
    spoken = []
    for utterance in request["utterances"]:
        text = utterance["text"].encode()
        if library.espeak_SetVoiceByName(utterance["voice"].encode()) != _EE_OK:
            raise RuntimeError(f"espeak-ng has no voice {utterance['voice']!r}")
        library.espeak_SetParameter(_PARAMETER_RATE, utterance["rate_wpm"], 0)
        library.espeak_SetParameter(_PARAMETER_PITCH, utterance["pitch"], 0)
        library.espeak_SetParameter(_PARAMETER_RANGE, utterance["pitch_range"], 0)
        chunks.clear()
        flags = _TEXT_UTF8 | (_TEXT_HAS_PHONEMES if text.startswith(b"[[") else 0)
        status = library.espeak_Synth(
            text, len(text) + 1, 0, _POSITION_CHARACTER, 0, flags, None, None
        )
        if status != _EE_OK:
            raise RuntimeError(f"espeak-ng cannot speak {utterance['text']!r}: error {status}")
        spoken.append(b"".join(chunks))
    return rate_hz, spoken


def main() -> int:
    """Answer one request: a header with rate and lengths, then all samples; or JSON."""
    try:
        request = json.load(sys.stdin)
        if "pronounce" in request:
            sys.stdout.write(json.dumps(pronounce(request)))
            return 0
        rate_hz, spoken = speak(request)
    except (OSError, RuntimeError, AttributeError) as error:
        sys.stderr.write(str(error))
        return 1
    lengths = [len(samples) // 2 for samples in spoken]
    sys.stdout.buffer.write(struct.pack(f"={2 + len(lengths)}I", rate_hz, len(lengths), *lengths))
    sys.stdout.buffer.write(b"".join(spoken))
    return 0


if __name__ == "__main__":
    sys.exit(main())
