"""What a model may be called."""

import pytest

from rnn_edge.errors import ModelError
from rnn_edge.types.names import MAX_LENGTH, require_model_name


@pytest.mark.parametrize("name", ["kws", "Kws_2", "a" * MAX_LENGTH, "int"])
def test_a_free_name_passes(name):
    require_model_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is not a C identifier"),
        ("2kws", "is not a C identifier"),
        ("kws\n", "is not a C identifier"),
        ("wörter", "is not a C identifier"),
        ("../../evil", "is not a C identifier"),
        ("a" * (MAX_LENGTH + 1), "at most 40 characters"),
        ("_kws", "is reserved"),
        ("rnn_edge_kws", "is reserved"),
        ("STDINT", r"is taken: stdint\.h"),
        (5, "is a int; expected a text"),
    ],
)
def test_any_other_is_refused(name, message):
    with pytest.raises(ModelError, match=message):
        require_model_name(name)
