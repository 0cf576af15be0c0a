"""Recordings of words in the layout of Speech Commands: a folder per word.

The layout is that of Warden 2018, "Speech Commands: A Dataset for Limited-Vocabulary Speech
Recognition", arXiv:1804.03209, section 5.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rnn_edge.data.audio_file import SAMPLE_RATE_HZ, DecodedAudio, decode_audio
from rnn_edge.data.base import DataSource
from rnn_edge.data.noise import generator
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL, SpeechCommandsOptions
from rnn_edge.data.silence import silence_clips
from rnn_edge.data.tree import AUDIO_SUFFIXES, FileTree, open_tree
from rnn_edge.errors import DataError, SplitError
from rnn_edge.registry import known
from rnn_edge.types import SPLITS, Array, AudioClip, AudioDataset, Split

BACKGROUND_FOLDER = "_background_noise_"
LISTS: dict[Split, str] = {"validation": "validation_list.txt", "test": "testing_list.txt"}
SPEAKER_MARK = "_nohash_"
LEAKED = "speaker(s) are in more than one split"
SKIPPED = "bad file(s) skipped"
"""What notes say of a set that was read although something is wrong with it."""
WRONG_WORDS = "set keywords to words of the data set"
"""Hint where a keyword has no recordings."""
BACKGROUND_TRAIN_SHARE = 0.8
BACKGROUND_VALIDATION_SHARE = 0.1
SHORT_BACKGROUND_S = 10.0
"""Noise shorter than this is not cut into three parts; it is all for training."""
_HASH_RANGE = 2**27 - 1
"""Largest value of the hash that assigns speakers (Warden 2018, section 5.10)."""


def load_speech_commands(path: Path, options: SpeechCommandsOptions, seed: int = 0) -> AudioDataset:
    """Read a folder or tar archive with a folder of WAV or FLAC files per word.

    Args:
        path: Folder or archive, read without unpacking.
        options: What to take from it.
        seed: Chooses the clips of "unknown" and the crops of "silence".

    Raises:
        DataError: If something is missing, damaged, or a speaker is in two splits.
        MissingDependencyError: If the audio decoder is not installed.
    """
    tree = open_tree(path)
    words = _words(tree)
    is_trial = options.split == "test"
    if not is_trial:
        _check_words(words, options, path)
    splits, notes = _splits(tree, words, options)
    if is_trial:
        chosen = _label_all(words, options, notes)
    else:
        notes += _check_speakers(splits, tree.path, options)
        chosen = _choose(words, splits, options, seed, notes)
    background_names = [n for n in tree.names if _is_audio(n) and n.startswith(BACKGROUND_FOLDER)]

    decoded = _Decoded(options.on_bad_file == "skip", tree.path)
    clips = []
    background: list[AudioClip] = []
    for name, content in tree.read([*chosen, *background_names]):
        audio = decoded.decode(name, content)
        if audio is None:
            continue
        if name in chosen:
            stem = _stem(name)
            clips.append(
                AudioClip(stem, audio.pcm, chosen[name], speaker_of(name) or "", splits[name])
            )
        else:
            background += _cut_background(_stem(name), audio.pcm, notes, is_trial=is_trial)
    if chosen and not clips:
        raise decoded.no_clip_left()
    background.sort(key=lambda clip: clip.clip_id)
    notes += decoded.notes()

    classes = (*options.keywords, *([UNKNOWN_LABEL] if options.unknown_share else []))
    in_order = (*classes, SILENCE_LABEL)
    clips.sort(key=lambda clip: (in_order.index(clip.label), clip.clip_id))
    if options.silence_share:
        make = _silence_for_trial if is_trial else _silence
        clips += make(clips, tuple(background), options, seed, notes)
        classes = (*classes, SILENCE_LABEL)
    if is_trial:
        notes += _missing_classes(classes, clips, tree.path)
    else:
        notes += _check_classes(classes, clips, tree.path, options)
    return AudioDataset(
        source=f"Speech Commands layout: {path.name}",
        is_synthetic=False,
        sample_rate_hz=SAMPLE_RATE_HZ,
        classes=classes,
        clips=tuple(clips),
        background=tuple(background),
        notes=tuple(notes),
    )


def hash_split(speaker: str, validation_share: float, test_share: float) -> Split:
    """Assign a speaker to a split for good, whoever else is in the set.

    Args:
        speaker: Part of the file name before ``_nohash_``.
        validation_share: 0..1.
        test_share: 0..1.

    Source: Warden 2018, section 5.10: SHA-1 of the name, reduced to 27 bits, as a percentage.
    """
    value = int(hashlib.sha1(speaker.encode(), usedforsecurity=False).hexdigest(), 16)
    position = (value % (_HASH_RANGE + 1)) / _HASH_RANGE
    if position < validation_share:
        return "validation"
    return "test" if position < validation_share + test_share else "train"


@dataclass
class _Decoded:
    """Decodes files and remembers what had to be said about them."""

    skips_bad: bool
    root: Path
    rates: Counter[int] = field(default_factory=Counter)
    mixed_down: int = 0
    saturated: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def decode(self, name: str, content: bytes) -> DecodedAudio | None:
        try:
            audio = decode_audio(content, f"{self.root.name}/{name}")
        except DataError as error:
            if not self.skips_bad:
                raise
            self.skipped.append((name, error.message))
            return None
        self.rates[audio.source_rate_hz] += 1
        self.mixed_down += audio.source_channels > 1
        self.saturated += audio.is_saturated
        return audio

    def notes(self) -> list[str]:
        lines = [
            f"{count:,} file(s) resampled from {rate:,} Hz to {SAMPLE_RATE_HZ:,} Hz."
            for rate, count in sorted(self.rates.items())
            if rate != SAMPLE_RATE_HZ
        ]
        if self.mixed_down:
            lines.append(f"{self.mixed_down:,} file(s) with several channels averaged to one.")
        if self.saturated:
            lines.append(f"{self.saturated:,} file(s) beyond full scale were limited.")
        if self.skipped:
            name, message = min(self.skipped)
            lines.append(f"{len(self.skipped):,} {SKIPPED}, the first {name}: {message}")
        return lines

    def no_clip_left(self) -> DataError:
        """Return the error about a set whose clips were all skipped, naming one."""
        return DataError(
            f"Data {self.root} has no clip left: {len(self.skipped):,} {SKIPPED}, the first: "
            f"{min(self.skipped)[1]}",
            "give recordings that can be decoded",
        )


def _is_audio(name: str) -> bool:
    path = PurePosixPath(name)
    return len(path.parts) == 2 and path.suffix.lower() in AUDIO_SUFFIXES


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def speaker_of(name: str) -> str | None:
    """Return who speaks in a file, by its name; None where it does not say."""
    speaker, mark, _ = PurePosixPath(name).name.partition(SPEAKER_MARK)
    return speaker if mark else None


def _words(tree: FileTree) -> dict[str, list[str]]:
    """Return the audio files by word."""
    words: dict[str, list[str]] = defaultdict(list)
    by_stem: dict[str, str] = {}
    for name in tree.names:
        if not _is_audio(name) or name.startswith(BACKGROUND_FOLDER):
            continue
        twin = by_stem.setdefault(_stem(name), name)
        if twin != name:
            raise DataError(f"Data {tree.path} has both {twin} and {name}; expected one of them.")
        words[name.split("/")[0]].append(name)
    if not words:
        raise DataError(
            f"Data {tree.path} has no folder of audio files; expected <word>/<speaker>_nohash_0.wav"
            " or .flac.",
        )
    return dict(sorted(words.items()))


def _check_words(words: dict[str, list[str]], options: SpeechCommandsOptions, path: Path) -> None:
    """Refuse a folder that lacks a class that is to be learned."""
    for keyword in options.keywords:
        if keyword not in words:
            raise SplitError(
                f"Class {keyword!r} has no recordings in {path}; "
                f"words there are {known(sorted(words))}.",
                WRONG_WORDS,
            )
    if options.unknown_share and not set(words) - set(options.keywords):
        raise SplitError(
            f"Class {UNKNOWN_LABEL!r} has no recordings in {path}: every word is a keyword.",
            "set unknown_share = 0 to leave the class out",
        )


def _splits(
    tree: FileTree, words: dict[str, list[str]], options: SpeechCommandsOptions
) -> tuple[dict[str, Split], list[str]]:
    """Return the split of every file, with notes."""
    files = [name for names in words.values() for name in names]
    if options.split == "test":
        return dict.fromkeys(files, "test"), ["Every clip is a test clip."]
    if options.split == "hash":
        shares = (options.validation_share, options.test_share)
        return {n: hash_split(speaker_of(n) or _stem(n), *shares) for n in files}, [
            "Splits assigned by a hash of the speaker's name."
        ]
    missing = [name for name in LISTS.values() if name not in tree.names]
    if missing:
        raise SplitError(
            f"Data {tree.path} has no {missing[0]}; expected the lists of the splits beside the "
            "folders of words.",
            'set split = "hash" to assign speakers by a hash of their names',
        )
    contents = dict(tree.read(LISTS.values()))
    by_stem = {_stem(name): name for name in files}
    splits: dict[str, Split] = dict.fromkeys(files, "train")
    notes = []
    for split, list_name in LISTS.items():
        entries = _entries(contents[list_name], f"{tree.path.name}/{list_name}")
        found = [by_stem[entry] for entry in entries if entry in by_stem]
        if not found:
            raise SplitError(
                f"List {list_name} in {tree.path}: none of its {len(entries):,} entries is a file "
                "there; expected lines like yes/0a7c2a8d_nohash_0.wav."
            )
        if len(found) < len(entries):
            unmatched = len(entries) - len(found)
            notes.append(f"{list_name}: {unmatched:,} of {len(entries):,} entries match no file.")
        for name in found:
            if splits[name] not in ("train", split):
                raise SplitError(f"File {name} in {tree.path} is in both lists; expected one.")
            splits[name] = split
    return splits, notes


def _entries(content: bytes, name: str) -> list[str]:
    try:
        lines = content.decode("utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise SplitError(f"List {name} is not text: {error}; expected UTF-8.") from error
    return sorted({_stem(line.removeprefix("./")) for line in lines})


def _check_speakers(
    splits: dict[str, Split], path: Path, options: SpeechCommandsOptions
) -> list[str]:
    """Refuse a speaker in two splits, or say so where that is allowed."""
    homes: dict[str, set[Split]] = defaultdict(set)
    nameless = 0
    for name, split in splits.items():
        speaker = speaker_of(name)
        if speaker is None:
            nameless += 1
        else:
            homes[speaker].add(split)
    notes = []
    if nameless:
        notes.append(
            f"{nameless:,} file(s) without {SPEAKER_MARK} in the name: their speakers are not "
            "known, so the splits may share speakers."
        )
    leaks = sorted(speaker for speaker, found in homes.items() if len(found) > 1)
    if leaks and not options.allow_speaker_leak:
        raise SplitError(
            f"Speaker {leaks[0]} in {path} is in {' and '.join(sorted(homes[leaks[0]]))}, and so "
            f"are {len(leaks) - 1:,} others; expected speakers in one split each.",
            "correct the lists, or set allow_speaker_leak = true",
        )
    if leaks:
        notes.append(f"{len(leaks):,} {LEAKED}, e.g. {leaks[0]}.")
    return notes


def _choose(
    words: dict[str, list[str]],
    splits: dict[str, Split],
    options: SpeechCommandsOptions,
    seed: int,
    notes: list[str],
) -> dict[str, str]:
    """Return the label of every file to decode."""
    chosen = {name: word for word in options.keywords for name in words[word]}
    per_split = Counter(splits[name] for name in chosen)
    others = [word for word in words if word not in options.keywords]
    if not options.unknown_share:
        return chosen
    for split in SPLITS:
        available = [n for word in others for n in words[word] if splits[n] == split]
        is_training = split == "train"
        share = options.unknown_train_share if is_training else options.unknown_share
        wanted = _share(share, per_split[split])
        order = generator(seed, SPLITS.index(split), 0x07).permutation(len(available))
        drawn = [available[k] for k in order[:wanted]]
        chosen.update(dict.fromkeys(drawn, UNKNOWN_LABEL))
        if wanted:
            spoken = len({word for word in others for n in words[word] if splits[n] == split})
            notes.append(
                f"Class {UNKNOWN_LABEL}, {split}: {len(drawn):,} of {len(available):,} clips, "
                f"drawn at random from {spoken:,} other words"
                + (f"; {wanted:,} were wanted." if len(drawn) < wanted else ".")
            )
    return chosen


def _label_all(
    words: dict[str, list[str]], options: SpeechCommandsOptions, notes: list[str]
) -> dict[str, str]:
    """Return the label of every file that a finished model is tried on; nothing is drawn."""
    chosen: dict[str, str] = {}
    others: list[str] = []
    homeless: list[str] = []
    for word, names in words.items():
        if word in options.keywords:
            label = word
        elif word == SILENCE_LABEL and options.silence_share:
            label = SILENCE_LABEL
        elif word != SILENCE_LABEL and options.unknown_share:
            label = UNKNOWN_LABEL
            others.append(word)
        else:
            homeless.append(word)
            continue
        chosen.update(dict.fromkeys(names, label))
    if others:
        count = sum(len(words[word]) for word in others)
        notes.append(f"Class {UNKNOWN_LABEL}: all {count:,} clip(s) of {known(others)}.")
    if homeless:
        count = sum(len(words[word]) for word in homeless)
        notes.append(
            f"{count:,} clip(s) left out: there is no class for what {known(homeless)} holds."
        )
    return chosen


def _share(share: float, count: int) -> int:
    """Return the share of a count, at least 1 of anything."""
    return max(1, round(share * count)) if share and count else 0


def _cut_background(stem: str, pcm: Array, notes: list[str], *, is_trial: bool) -> list[AudioClip]:
    """Cut a noise recording into one time range per split, so that no split hears another's."""
    if is_trial:
        return [AudioClip(f"{stem}#test", pcm, BACKGROUND_FOLDER, "", "test")]
    if len(pcm) < SHORT_BACKGROUND_S * SAMPLE_RATE_HZ:
        notes.append(
            f"Background {stem} is shorter than {SHORT_BACKGROUND_S:g} s: all for training."
        )
        return [AudioClip(f"{stem}#train", pcm, BACKGROUND_FOLDER, "", "train")]
    first = round(len(pcm) * BACKGROUND_TRAIN_SHARE)
    second = round(len(pcm) * (BACKGROUND_TRAIN_SHARE + BACKGROUND_VALIDATION_SHARE))
    ranges: dict[Split, Array] = {
        "train": pcm[:first],
        "validation": pcm[first:second],
        "test": pcm[second:],
    }
    return [
        AudioClip(f"{stem}#{split}", part, BACKGROUND_FOLDER, "", split)
        for split, part in ranges.items()
    ]


def _silence(
    clips: list[AudioClip],
    background: tuple[AudioClip, ...],
    options: SpeechCommandsOptions,
    seed: int,
    notes: list[str],
) -> list[AudioClip]:
    made: list[AudioClip] = []
    for split in SPLITS:
        spoken = sum(1 for c in clips if c.split == split and c.label in options.keywords)
        count = _share(options.silence_share, spoken)
        made += silence_clips(background, split, count, SAMPLE_RATE_HZ, seed)
        if count and not any(b.split == split and len(b.pcm) >= SAMPLE_RATE_HZ for b in background):
            notes.append(
                f"Class {SILENCE_LABEL}, {split}: no background recording of 1 s or more; "
                "all its clips are generated low noise."
            )
    return made


def _silence_for_trial(
    clips: list[AudioClip],
    background: tuple[AudioClip, ...],
    options: SpeechCommandsOptions,
    seed: int,
    notes: list[str],
) -> list[AudioClip]:
    """Cut silence out of the background where there is some and no silence was recorded."""
    if any(clip.label == SILENCE_LABEL for clip in clips):
        return []
    if not any(len(noise.pcm) >= SAMPLE_RATE_HZ for noise in background):
        return []
    spoken = sum(clip.label in options.keywords for clip in clips) or len(clips)
    count = _share(options.silence_share, spoken)
    if count:
        notes.append(
            f"Class {SILENCE_LABEL}: {count:,} clip(s) generated from {BACKGROUND_FOLDER}; "
            "none of them is a recording of its own."
        )
    return silence_clips(background, "test", count, SAMPLE_RATE_HZ, seed)


def _missing_classes(classes: tuple[str, ...], clips: list[AudioClip], path: Path) -> list[str]:
    """Say which classes a finished model cannot be judged on."""
    counts = Counter(clip.label for clip in clips)
    if not counts:
        raise DataError(
            f"Data {path} has no clip of any class; expected a folder named like one of "
            f"{known(classes)}."
        )
    missing = [label for label in classes if not counts[label]]
    return [f"No clips of {known(missing)}: not judged."] if missing else []


def _check_classes(
    classes: tuple[str, ...], clips: list[AudioClip], path: Path, options: SpeechCommandsOptions
) -> list[str]:
    """Refuse a class without clips in training, or in another split that has clips."""
    remedy = (
        "check the lists"
        if options.split == "lists"
        else f'split = "{options.split}" divides by the names of files: give lists, or other names'
    )
    counts = Counter((clip.split, clip.label) for clip in clips)
    notes = []
    for split in SPLITS:
        empty = [label for label in classes if not counts[split, label]]
        if empty and (split == "train" or len(empty) < len(classes)):
            raise SplitError(
                f"Class {empty[0]!r} has no {split} clips in {path}; expected some of every class.",
                f"{remedy}, or leave the class out",
            )
        if empty:
            notes.append(f"There are no {split} clips.")
    return notes


def _load(path: Path | None, options: SpeechCommandsOptions, seed: int) -> AudioDataset:
    assert path is not None, "the source needs a path"
    return load_speech_commands(path, options, seed)


SOURCE = DataSource(
    name="speech-commands",
    summary="Words recorded by people: a folder per word, as in Speech Commands.",
    extra="audio",
    needs_path=True,
    options=SpeechCommandsOptions,
    load=_load,
)
