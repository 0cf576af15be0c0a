"""A cache of the tests' own that shares what does not matter to them."""

from rnn_edge.cache import cache_folder
from rnn_edge.firmware.objects import FOLDER


def cache_with_objects(folder):
    """Return a new cache that holds the objects of the usual one and nothing else."""
    objects = cache_folder() / FOLDER
    objects.mkdir(parents=True, exist_ok=True)
    (folder / FOLDER).symlink_to(objects)
    return folder
