import numpy as np

from rnn_edge.train.augment import (
    AugmentConfig,
    Speech,
    add_noise,
    altered_pool,
    change_speed,
    hide_stretches,
    pool_indices,
)


def test_every_class_has_equally_many_entries() -> None:
    labels = np.array([0] * 10 + [1] * 50 + [2] * 12)
    chosen = pool_indices(labels, AugmentConfig(copies=3), [1], np.random.default_rng(0))
    assert np.bincount(labels[chosen]).tolist() == [36, 36, 36]
    assert set(chosen[labels[chosen] == 0]) == set(range(10))


def test_what_is_no_keyword_has_so_many_times_the_entries() -> None:
    labels = np.array([0] * 10 + [1] * 50 + [2] * 12)
    config = AugmentConfig(copies=3, others=2.5)
    chosen = pool_indices(labels, config, [1, 2], np.random.default_rng(0))
    assert np.bincount(labels[chosen]).tolist() == [36, 90, 90]
    assert set(chosen[labels[chosen] == 1]) == set(range(10, 60))


def test_speed_one_changes_nothing_and_speed_two_halves_a_period() -> None:
    pcm = np.sin(np.arange(400) / 20.0).astype(np.float32)
    assert np.array_equal(change_speed(pcm, 1.0, 0.0), pcm)
    np.testing.assert_allclose(change_speed(pcm, 2.0, 0.0)[:200], pcm[::2], atol=1e-6)


def test_noise_has_the_asked_ratio() -> None:
    generator = np.random.default_rng(0)
    clip, noise = generator.normal(size=(2, 20000)).astype(np.float32)
    added = add_noise(clip, 7.0 * noise, 20.0) - clip
    np.testing.assert_allclose(added.std() / clip.std(), 0.1, rtol=1e-3)


def test_a_pool_repeats_with_its_seed_and_stays_in_range() -> None:
    clips = [np.random.default_rng(k).normal(size=800).astype(np.float32) for k in range(4)]
    labels = np.array([0, 0, 1, 1])
    config = AugmentConfig(copies=2)

    def pool(seed: int) -> list[tuple[int, bytes]]:
        drawn = altered_pool(clips, labels, [clips[0]], config, 16000, seed)
        return [(index, copy.tobytes()) for index, copy in drawn]

    assert pool(1) == pool(1)
    assert pool(1) != pool(2)
    for _, copy in altered_pool(clips, labels, [], config, 16000, 0):
        assert copy.dtype == np.float32
        assert np.abs(copy).max() <= 1.0


def test_hidden_stretches_are_no_longer_than_asked() -> None:
    x = np.ones((200, 30, 20), np.float32)
    hidden = hide_stretches(x, 5, 4, np.random.default_rng(0))
    assert (hidden == 0).any()
    assert (hidden.max(axis=2) == 0).sum(axis=1).max() == 5
    assert (hidden.max(axis=1) == 0).sum(axis=1).max() == 4
    assert x.all()


def test_other_words_are_heard_under_the_asked_share_of_noisy_copies_of_words() -> None:
    clips = [np.zeros(400, np.float32)] * 2
    labels = np.array([0] * 1 + [1] * 1)
    noise, words = np.full(400, 0.25, np.float32), np.full(900, -0.25, np.float32)
    config = AugmentConfig(copies=600, noise_probability=0.5, speech_as_noise=0.3, snr_low_db=-60)

    def signs(speech: Speech | None) -> dict[int, list[float]]:
        found: dict[int, list[float]] = {0: [], 1: []}
        for index, copy in altered_pool(clips, labels, [noise], config, 16000, 0, [1], speech):
            found[int(labels[index])].append(float(np.sign(copy[200])))
        return found

    spoken, mute = signs(Speech(words, 1)).values()
    assert abs(np.mean(np.array(spoken) == -1.0) - 0.15) < 0.04
    assert abs(np.mean(np.array(spoken) == 1.0) - 0.35) < 0.05
    assert -1.0 not in mute
    assert abs(np.mean(np.array(mute) == 1.0) - 0.5) < 0.05
    assert all(-1.0 not in each for each in signs(None).values())


def test_other_words_are_heard_where_no_noise_is_recorded() -> None:
    clips, labels = [np.zeros(400, np.float32)], np.zeros(1, np.int64)
    config = AugmentConfig(copies=400, noise_probability=1.0, speech_as_noise=0.5, snr_low_db=-60)
    words = Speech(np.full(900, -0.25, np.float32), None)
    pool = altered_pool(clips, labels, [], config, 16000, 0, [], words)
    assert abs(np.mean([copy[200] < 0.0 for _, copy in pool]) - 0.5) < 0.08
