import numpy as np
import pytest

from rnn_edge.data.audio_file import decode_audio
from rnn_edge.data.audio_stream import AudioStream
from rnn_edge.data.resample import resample
from rnn_edge.errors import DataError


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_16_khz_mono_16_bit_comes_back_exactly(wav, kind):
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)
    audio = decode_audio(wav(samples, kind=kind), "a")
    assert np.array_equal(audio.pcm, samples)


def test_other_rate_keeps_tone_and_length(wav):
    from scipy.signal import resample_poly

    samples = np.rint(9000 * np.sin(2 * np.pi * 700 * np.arange(22_050) / 22_050)).astype(np.int16)
    audio = decode_audio(wav(samples, 22_050), "a")
    assert (audio.source_rate_hz, len(audio.pcm)) == (22_050, 16_000)
    wanted = resample_poly(samples.astype(float), 320, 441)
    assert np.abs(audio.pcm - wanted)[400:-400].max() < 20


def test_resampling_removes_what_the_new_rate_cannot_hold():
    high = np.sin(2 * np.pi * 11_000 * np.arange(44_100) / 44_100)
    assert np.abs(resample(high, 44_100, 16_000))[200:-200].max() < 1e-3


def test_stereo_is_averaged(wav):
    both = np.column_stack([np.full(100, 1000), np.full(100, 3000)]).astype(np.int16)
    audio = decode_audio(wav(both), "a")
    assert (audio.pcm == 2000).all()
    assert audio.source_channels == 2


def test_float_wav_is_rounded_and_limited(wav):
    samples = np.array([0.0, 0.5, -1.0, 1.5, -2.0])
    audio = decode_audio(wav(samples, subtype="FLOAT"), "a")
    assert audio.pcm.tolist() == [0, 16384, -32768, 32767, -32768]
    assert audio.is_saturated
    assert not decode_audio(wav(samples / 4, subtype="FLOAT"), "a").is_saturated


def test_nan_in_float_wav_is_refused(wav):
    samples = np.array([0.0, np.nan, 0.1])
    with pytest.raises(DataError, match=r"word/a\.wav holds 1 samples that are not numbers"):
        decode_audio(wav(samples, subtype="FLOAT"), "word/a.wav")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no audio at all" * 30])
def test_garbage_is_refused(content):
    with pytest.raises(DataError, match=r"word/a\.wav"):
        decode_audio(content, "word/a.wav")


def test_zero_samples_are_refused(wav):
    with pytest.raises(DataError, match="has no samples"):
        decode_audio(wav(np.zeros(0, np.int16)), "a.wav")


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_audio_cut_short_is_refused(wav, kind, share):
    noise = np.random.Generator(np.random.PCG64(1)).integers(-9000, 9000, 16_000)
    content = wav(noise.astype(np.int16), kind=kind)
    with pytest.raises(DataError, match=r"a\.x (is cut short|cannot be decoded)"):
        decode_audio(content[: int(len(content) * share)], "a.x")


def test_an_empty_file_is_called_empty():
    with pytest.raises(
        DataError, match=r"^Audio file a\.wav is empty: 0 bytes; expected WAV or FL"
    ):
        decode_audio(b"", "a.wav")


def test_what_cannot_be_decoded_is_told_in_the_same_words_twice():
    told = []
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            decode_audio(b"no sound at all" * 9, "a.wav")
        told.append(caught.value.message)
    assert told[0] == told[1]
    assert "cannot be decoded: " in told[0]
    assert "0x" not in told[0]


@pytest.mark.parametrize("rate_hz", [1, 3_999, 900_000])
def test_a_rate_of_no_microphone_is_refused(wav, tmp_path, rate_hz):
    content = wav(np.zeros(50, np.int16), rate_hz)
    with pytest.raises(DataError, match=rf"a\.wav is at {rate_hz:,} Hz; expected 4,000 to 768,000"):
        decode_audio(content, "a.wav")
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.wav is at {rate_hz:,} Hz"):
        AudioStream(tmp_path / "a.wav", 16_000)


def test_a_telephone_is_understood(wav):
    assert len(decode_audio(wav(np.zeros(800, np.int16), 8_000), "a.wav").pcm) == 1600
