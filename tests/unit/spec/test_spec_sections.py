"""The sections of a spec have the keys and defaults of what they configure."""

import dataclasses

import pytest

from rnn_edge.data.options import (
    SensorTableOptions,
    SpeechCommandsOptions,
    SyntheticKeywordsOptions,
    SyntheticMachineOptions,
    SyntheticPhrasesOptions,
)
from rnn_edge.errors import SpecError
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.spec import load_spec
from rnn_edge.spec.data import DATA_KINDS, PLACES, STATEMENTS
from rnn_edge.spec.detector import DetectorSection
from rnn_edge.spec.features import INTEGER_ONLY, ChannelFeatures
from rnn_edge.spec.training import AugmentSection, QatSection, StudentSection, TeacherSection
from rnn_edge.train.augment import AugmentConfig

OPTIONS = {
    "speech-commands": SpeechCommandsOptions,
    "sensor-table": SensorTableOptions,
    "synthetic-keywords": SyntheticKeywordsOptions,
    "synthetic-phrases": SyntheticPhrasesOptions,
    "synthetic-machine": SyntheticMachineOptions,
}


def defaults_of(config):
    return {
        f.name: f.default
        for f in dataclasses.fields(config)
        if f.default is not dataclasses.MISSING
    }


def keys_of(section, without=()):
    return {
        name: field.default for name, field in section.model_fields.items() if name not in without
    }


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_data_keys_are_those_of_the_source(kind):
    without = ("kind", *PLACES, *STATEMENTS)
    assert keys_of(DATA_KINDS[kind], without) == defaults_of(OPTIONS[kind])


def test_every_kind_of_source_has_a_section():
    from rnn_edge.data.base import all_sources

    assert set(DATA_KINDS) == set(all_sources())
    for name, source in all_sources().items():
        assert ("path" in DATA_KINDS[name].model_fields) == source.needs_path


@pytest.mark.parametrize(
    ("section", "config"), [(AugmentSection, AugmentConfig), (DetectorSection, DetectorConfig)]
)
def test_keys_are_those_of_the_config(section, config):
    assert keys_of(section) == defaults_of(config)


def test_training_keys_are_those_of_the_configs():
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    from rnn_edge.train.qat import QatConfig
    from rnn_edge.train.student import StudentConfig
    from rnn_edge.train.teacher import TeacherConfig

    assert keys_of(TeacherSection) == defaults_of(TeacherConfig)
    assert keys_of(QatSection) == defaults_of(QatConfig)
    student = defaults_of(StudentConfig)
    for key in ("kinds", "hidden", "local"):  # in [model]
        del student[key]
    assert keys_of(StudentSection) == student


def test_channel_windows_are_those_of_the_features():
    from rnn_edge.features.fixed_point import IntegerWindowConfig
    from rnn_edge.features.windows import WindowConfig

    others = ("kind", "sequence_frames", "arithmetic", "commission_samples", *INTEGER_ONLY)
    assert keys_of(ChannelFeatures, others) == defaults_of(WindowConfig)
    # Further ones are those of integers, but for what is made of the training part.
    defaults = defaults_of(IntegerWindowConfig)
    for key in ("hold_samples", "fault_samples"):
        assert ChannelFeatures.model_fields[key].default == defaults[key]
    assert ChannelFeatures.model_fields["exponents"].default == defaults["exponents"] == ()


def test_policies_of_integers_are_refused_with_floats():
    for key, value in (("hold_samples", 9), ("exponents", (-3,)), ("stuck_samples", 0)):
        with pytest.raises(ValueError, match=f'{key}.*arithmetic = "float".*integer'):
            ChannelFeatures(kind="channels", **{key: value})
        ChannelFeatures(kind="channels", arithmetic="integer", **{key: value})


@pytest.mark.parametrize("name", ["kws_gru", "anomaly_gru", "demo", "demo_anomaly"])
def test_a_section_makes_the_options_of_its_source(name):
    data = load_spec(name).data
    OPTIONS[data.kind](**data.options())


def test_a_range_of_noise_that_is_upside_down_is_refused():
    with pytest.raises(SpecError, match="snr_low_db = 40 is over snr_high_db = 30"):
        load_spec("demo", ["augment.snr_low_db=40", "augment.snr_high_db=30"])
    load_spec("demo", ["augment.snr_low_db=30", "augment.snr_high_db=30"])
