import numpy as np

from rnn_edge.train.streams import Lanes


def test_every_clip_is_dealt_once_per_epoch() -> None:
    lanes = Lanes(20, 4, 0.0, None, np.random.default_rng(0))
    dealt = np.concatenate([lanes.next().indices for _ in range(5)])
    assert sorted(dealt) == list(range(20))


def test_first_batch_starts_fresh_and_later_ones_carry() -> None:
    lanes = Lanes(20, 4, 0.0, None, np.random.default_rng(0))
    assert not lanes.next().carry.any()
    assert lanes.next().carry.all()


def test_share_of_resets_is_the_asked_one() -> None:
    lanes = Lanes(50, 100, 0.25, None, np.random.default_rng(0))
    lanes.next()
    share = np.mean([1.0 - lanes.next().carry.mean() for _ in range(200)])
    assert abs(share - 0.25) < 0.02


def test_a_recording_is_followed_to_its_end_and_a_jump_starts_fresh() -> None:
    successor = np.array([1, 2, -1, 4, -1])
    lanes = Lanes(5, 2, 0.0, successor, np.random.default_rng(3))
    before = lanes.next()
    for _ in range(30):
        after = lanes.next()
        for lane in range(2):
            wanted = successor[before.indices[lane]]
            if wanted < 0:
                assert after.carry[lane, 0] == 0.0
            else:
                assert after.indices[lane] == wanted
                assert after.carry[lane, 0] == 1.0
        before = after
