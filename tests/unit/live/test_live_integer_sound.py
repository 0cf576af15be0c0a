"""A stream of sound in integers: its front end is the exported C where the engine is."""

from dataclasses import replace

import numpy as np
import pytest
from live_bundles import WORDS, make_bundle

from rnn_edge.engines.c_frontend import CFrontEnd
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.errors import EngineError, MissingExportError
from rnn_edge.exporters.front_library import SOUND_LIBRARY
from rnn_edge.features.fixed_point import IntegerLogMel
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMel
from rnn_edge.features.windows import WindowConfig, Windows
from rnn_edge.live.counts import Counts
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.saved import read_state
from rnn_edge.live.stream import Stream, StreamOptions
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END

KIND = 'kind = "log-mel"'
INTEGER = f'{KIND}\narithmetic = "integer"'
BOTH = f"{INTEGER}\nnoise_suppression = true\ngain_normalisation = true"


@pytest.fixture(scope="module", params=[INTEGER, BOTH], ids=["plain", "both"])
def bundle(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("integer") / "word"
    return make_bundle(folder, WORDS.replace(KIND, request.param))


def sound(count, seed=0):
    generator = np.random.default_rng(seed)
    loud = np.repeat(generator.choice([3.0, 300.0, 20000.0], count // 999 + 1), 999)[:count]
    return (generator.normal(0, 1, count) * loud).clip(-32768, 32767).astype(np.int16)


def test_the_engine_in_c_has_its_front_end_in_c(bundle, tmp_path):
    pcm = sound(20_000)
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    expected = front_end.quantize_input(front_end.raw_frames(pcm))
    for engine, kind in (("c", CFrontEnd), ("int8", IntegerLogMel)):
        with open_lane(bundle, engine, tmp_path) as lane:
            assert type(lane.parts.samples) is kind
            for chunk in (77, 320, 9000):
                parts = [
                    lane.parts.samples.push(pcm[at : at + chunk])
                    for at in range(0, len(pcm), chunk)
                ]
                if chunk == 77:
                    found = lane.frames(np.concatenate(parts))
                    np.testing.assert_array_equal(found, expected)


def test_a_gap_and_float_samples_are_alike_in_both(bundle, tmp_path):
    front_end, pcm = FrontEnd.load(bundle.file(FRONT_END)), sound(6000, 4)
    library = build_front_end(SOUND_LIBRARY, bundle.model(), bundle.exports, tmp_path)
    streams = [front_end.stream(), CFrontEnd(front_end.config, bundle.model().name, library)]
    found = []
    for stream in streams:
        parts = [stream.push(pcm[:1000])]
        stream.reset()
        parts += [stream.push(pcm[1000:] / np.float32(32768)), stream.push(pcm[:0])]
        found.append(np.concatenate(parts))
    assert found[0].tobytes() == found[1].tobytes()
    assert found[0].shape == (2 + 15, 40)
    assert found[1].dtype == np.float32


def test_levels_of_noise_go_on_where_they_were(bundle, tmp_path):
    front_end, pcm = FrontEnd.load(bundle.file(FRONT_END)), sound(9000, 5)
    library = build_front_end(SOUND_LIBRARY, bundle.model(), bundle.exports, tmp_path)
    whole = front_end.stream().push(pcm)
    at = 10 * 320
    makers = [front_end.stream, lambda: CFrontEnd(front_end.config, "word", library)]
    for before in makers:
        for after in makers:
            first, second = before(), after()
            second.recall(first.memory())
            first.push(pcm[: at + 480 - 320])
            second.recall(first.memory())
            np.testing.assert_array_equal(second.push(pcm[at:]), whole[10:])
    follows = front_end.config.tracks_noise
    assert bool(first.memory()) is follows
    levels = {"levels": np.zeros(40 + follows, np.int32)}
    for stream in (front_end.stream(), makers[1](), LogMel(), Windows(WindowConfig(), 2)):
        with pytest.raises(ValueError, match="levels of noise"):
            stream.recall(levels)
        stream.recall({})
    assert LogMel().memory() == Windows(WindowConfig(), 2).memory() == {}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["c", "int8"])
def test_a_stream_that_is_cut_decides_as_one_that_is_not(bundle, tmp_path, engine):
    soundfile = pytest.importorskip("soundfile", reason="writing audio files needs soundfile")
    soundfile.write(tmp_path / "a.wav", sound(60_000, 6), 16_000)
    blobs = []
    for cuts in ((None,), (70, 31, None)):
        state = tmp_path / f"{len(cuts)}.state"
        for steps in cuts:
            lane, tell = open_lane(bundle, engine, tmp_path), Teller(lambda line: None)
            request = SourceRequest((str(tmp_path / "a.wav"),), is_fast=True)
            source = open_source(bundle, lane.parts.front_end, request, tell)
            options = StreamOptions(state=state, steps=steps)
            stream = Stream(lane, source, [], None, options, Counts(), tell)
            stream.begin(read_state(state))
            stream.run()
        blobs.append(read_state(state))
    whole, cut = blobs
    assert whole.step == cut.step == 187
    assert whole.blob == cut.blob
    assert {n: v.tolist() for n, v in whole.front.items()} == {
        n: v.tolist() for n, v in cut.front.items()
    }


def test_a_library_of_another_model_and_an_export_without_one_are_told(bundle, tmp_path):
    model, front_end = bundle.model(), FrontEnd.load(bundle.file(FRONT_END))
    library = build_front_end(SOUND_LIBRARY, model, bundle.exports, tmp_path)
    with pytest.raises(EngineError, match="does not load"):
        CFrontEnd(front_end.config, "other", library)
    other = replace(front_end.config, bands=39)
    with pytest.raises(EngineError, match=r"40 bands.*expected 39"):
        CFrontEnd(other, model.name, library)
    with pytest.raises(MissingExportError):
        build_front_end(SOUND_LIBRARY, model, tmp_path, tmp_path)


def test_a_bundle_of_float_sound_has_no_front_end_in_c(tmp_path):
    made = make_bundle(tmp_path / "float", WORDS)
    assert isinstance(made, Bundle)
    with open_lane(made, "c", tmp_path) as lane:
        assert not isinstance(lane.parts.samples, CFrontEnd)
