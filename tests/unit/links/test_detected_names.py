"""What a detection of a device is called."""

from rnn_edge.links.application import Rule
from rnn_edge.links.device_log import detected_name
from rnn_edge.types.offsets import output_labels

CHANNELS = ("flow", "heat t+1")


def test_keywords_are_called_by_their_labels():
    assert detected_name(Rule.KEYWORDS, ("yes", "no"), 2) == "no"
    assert detected_name(Rule.KEYWORDS, ("yes", "no"), 3) == "output 2"


def test_a_fault_is_called_by_the_channel_of_its_sensor():
    assert detected_name(Rule.ALARM, CHANNELS, 1) == "alarm"
    for offsets in ((1, 2), (0, -1, -2)):
        labels = output_labels(CHANNELS, offsets)
        assert detected_name(Rule.ALARM, labels, 2) == "sensor fault: flow"
        assert detected_name(Rule.ALARM, labels, 3) == "sensor fault: heat t+1"
    assert detected_name(Rule.ALARM, CHANNELS, 4) == "sensor fault: channel 2"
