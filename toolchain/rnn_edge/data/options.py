"""What can be set on each kind of source; a ``[data]`` table of a spec has these keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from rnn_edge.errors import SpecError
from rnn_edge.types.phrases import fault_of_phrases

SPEECH_COMMANDS_KEYWORDS = (
    "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go",
)  # fmt: skip
"""The ten commands of the usual twelve-class task (Warden 2018, arXiv:1804.03209)."""

UNKNOWN_LABEL = "unknown"
SILENCE_LABEL = "silence"


@dataclass(frozen=True)
class SpeechCommandsOptions:
    """How a folder or archive in the layout of Speech Commands becomes a data set.

    Attributes:
        keywords: Folders that are classes of their own, in the order of the model's outputs.
        unknown_share: Clips of the class "unknown" in validation and test, drawn from all other
            words, as a share of the keyword clips in that split; 0 leaves the class out.
        unknown_train_share: The same for training, where more of them teach better what is no
            keyword; training balances the classes itself.
        silence_share: Clips of the class "silence", likewise; 0 leaves the class out.
        split: "lists" reads validation_list.txt and testing_list.txt; "hash" assigns speakers by
            a hash of their name, as the authors of the set did, for recordings without lists;
            "test" makes every clip a test clip, for recordings that a finished model is tried on:
            nothing is drawn at random, classes may be missing, all other words are "unknown",
            and "silence" is what a folder of that name holds or is cut from background noise.
        validation_share: Share of speakers in validation where ``split`` is "hash".
        test_share: Share of speakers in test where ``split`` is "hash".
        allow_speaker_leak: Accept a speaker in two splits, with a note, instead of an error.
        on_bad_file: "error", or "skip" to leave out audio that cannot be decoded or is empty,
            with a note.
    """

    keywords: tuple[str, ...] = SPEECH_COMMANDS_KEYWORDS
    unknown_share: float = 0.1
    unknown_train_share: float = 1.0
    silence_share: float = 0.1
    split: Literal["lists", "hash", "test"] = "lists"
    validation_share: float = 0.1
    test_share: float = 0.1
    allow_speaker_leak: bool = False
    on_bad_file: Literal["error", "skip"] = "error"

    def __post_init__(self) -> None:
        _as_tuples(self)
        _check_choice("split", self.split, ("lists", "hash", "test"))
        _check_choice("on_bad_file", self.on_bad_file, ("error", "skip"))
        _check_words("keywords", self.keywords)
        for name in ("unknown_share", "unknown_train_share", "silence_share"):
            _check_range(name, getattr(self, name), 0.0, 10.0)
        for name in ("validation_share", "test_share"):
            _check_range(name, getattr(self, name), 0.0, 0.9)
        if self.validation_share + self.test_share > 0.9:
            raise SpecError(
                "Shares of validation and test: over 0.9; at least 0.1 is for training."
            )


@dataclass(frozen=True)
class SensorTableOptions:
    """How tables of sensor samples (CSV, NPZ, NPY) become a data set.

    File patterns are matched against the path below the folder or archive (below its one leading
    folder, if it has one); ``*`` matches any characters, "/" included.

    Attributes:
        files: Patterns of the files to read.
        delimiter: Between the cells of a CSV file; one character.
        channels: Columns to use, in order; empty for all numeric ones that are not named below.
        label_columns: Columns that mark anomalous rows; a row is anomalous if any of them does.
        anomalous_values: Label cells that mean "anomalous"; empty for any number but 0.
        ignore_columns: Columns that are neither channels nor labels.
        time_column: Column of the time of each row; empty if rows are evenly spaced.
        time_format: "iso" for dates like 2020-03-01 15:44:06, "number" for seconds.
        sample_rate_hz: Samples per second; 0 takes it from the time column.
        gaps: Rows missing in time: "error"; "interpolate" fills up to ``max_gap`` rows and cuts
            the recording at longer gaps; "split" cuts at every gap.
        missing_values: Empty or NaN cells: "error"; "interpolate" fills runs of up to ``max_gap``
            rows and cuts at longer ones; "drop" leaves the row out and cuts there.
        max_gap: Rows that may be filled in a row.
        constant_channels: A channel that never changes in training: "error" or "drop".
        split_by: "recording" puts whole files into one split; "time" cuts each file into
            training, validation and test, in this order.
        train_share: Share of the files or rows for training; what is left after training and
            validation is the test split.
        validation_share: Share for validation.
        head_rows: With ``split_by = "time"``: the shares apply to the first so many rows of each
            file, all later rows are test rows; 0 applies them to the whole file.
        train_files: With ``split_by = "recording"``: patterns of the training files. Where any
            of the three is given, it replaces the shares, and each file must match just one.
        validation_files: Patterns of the validation files.
        test_files: Patterns of the test files.
        normal_files: Patterns of files that hold normal operation only: they may lack the label
            columns, and give no test rows where ``split_by`` is "time".
        validation_normal_only: Cut anomalous rows out of validation too, not only of training.
        min_rows: Pieces shorter than this are left out, with a note.
    """

    files: tuple[str, ...] = ("*.csv", "*.npz", "*.npy")
    delimiter: str = ","
    channels: tuple[str, ...] = ()
    label_columns: tuple[str, ...] = ()
    anomalous_values: tuple[str, ...] = ()
    ignore_columns: tuple[str, ...] = ()
    time_column: str = ""
    time_format: Literal["iso", "number"] = "iso"
    sample_rate_hz: float = 0.0
    gaps: Literal["error", "interpolate", "split"] = "error"
    missing_values: Literal["error", "interpolate", "drop"] = "error"
    max_gap: int = 5
    constant_channels: Literal["error", "drop"] = "error"
    split_by: Literal["recording", "time"] = "recording"
    train_share: float = 0.7
    validation_share: float = 0.1
    head_rows: int = 0
    train_files: tuple[str, ...] = ()
    validation_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    normal_files: tuple[str, ...] = ()
    validation_normal_only: bool = True
    min_rows: int = 32

    def __post_init__(self) -> None:
        _as_tuples(self)
        _check_choice("time_format", self.time_format, ("iso", "number"))
        _check_choice("gaps", self.gaps, ("error", "interpolate", "split"))
        _check_choice("missing_values", self.missing_values, ("error", "interpolate", "drop"))
        _check_choice("constant_channels", self.constant_channels, ("error", "drop"))
        _check_choice("split_by", self.split_by, ("recording", "time"))
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise SpecError(f"Option delimiter: {self.delimiter!r}; expected one character.")
        if not self.files:
            raise SpecError("Option files: empty; expected at least one pattern.")
        _check_range("sample_rate_hz", self.sample_rate_hz, 0.0, 1e9)
        if not self.time_column and not self.sample_rate_hz:
            raise SpecError(
                "Option sample_rate_hz: 0 without a time column; one of the two is needed.",
                "set sample_rate_hz or time_column",
            )
        _check_range("max_gap", self.max_gap, 0, 1_000_000)
        _check_range("head_rows", self.head_rows, 0, 1_000_000_000)
        _check_range("min_rows", self.min_rows, 2, 1_000_000)
        _check_range("train_share", self.train_share, 0.01, 1.0)
        _check_range("validation_share", self.validation_share, 0.0, 0.99)
        if self.train_share + self.validation_share > 1.0 + 1e-9:
            raise SpecError("Options train_share and validation_share: their sum is over 1.")
        listed = (*self.train_files, *self.validation_files, *self.test_files)
        if self.split_by == "time" and listed:
            raise SpecError(
                "Options train_files, validation_files and test_files: given with "
                'split_by = "time"; they are for split_by = "recording".'
            )
        if self.split_by == "recording" and self.head_rows:
            raise SpecError(
                f'Option head_rows: {self.head_rows} with split_by = "recording"; '
                'it is for split_by = "time".'
            )


@dataclass(frozen=True)
class SyntheticKeywordsOptions:
    """Words spoken by a speech synthesizer, with noise and reverberation.

    Attributes:
        keywords: Words that are classes of their own, in the order of the model's outputs.
        unknown_words: Words of the class "unknown"; empty leaves the class out.
        silence: Whether there is a class "silence" of background noise alone.
        train_clips: Training clips per class.
        validation_clips: Validation clips per class.
        test_clips: Test clips per class.
        snr_min_db: Lowest ratio of speech to noise.
        snr_max_db: Highest ratio of speech to noise.
        reverberation: Share of clips with a room, 0..1.
    """

    keywords: tuple[str, ...] = ("yes", "no", "up", "down")
    unknown_words: tuple[str, ...] = (
        "left", "right", "on", "off", "stop", "go", "bed", "bird", "cat", "dog", "happy", "house",
        "tree", "wow", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
        "zero",
    )  # fmt: skip
    silence: bool = True
    train_clips: int = 240
    validation_clips: int = 60
    test_clips: int = 80
    snr_min_db: float = 5.0
    snr_max_db: float = 40.0
    reverberation: float = 0.5

    def __post_init__(self) -> None:
        _as_tuples(self)
        _check_words("keywords", self.keywords)
        both = sorted(set(self.keywords) & set(self.unknown_words))
        if both:
            raise SpecError(f"Option unknown_words: {both[0]!r} is a keyword too.")
        for name in ("train_clips", "validation_clips", "test_clips"):
            _check_range(name, getattr(self, name), 1, 100_000)
        for name in ("snr_min_db", "snr_max_db"):
            _check_range(name, getattr(self, name), -20.0, 100.0)
        if self.snr_min_db > self.snr_max_db:
            raise SpecError(f"Option snr_min_db: {self.snr_min_db} is over snr_max_db.")
        _check_range("reverberation", self.reverberation, 0.0, 1.0)


@dataclass(frozen=True)
class SyntheticPhrasesOptions:
    """Keywords of one's own, spoken by a speech synthesizer, and what is to be told from them.

    Attributes:
        keywords: Words or short phrases that are classes, in the order of the model's outputs.
        near_phrases: Phrases made up for each keyword that differ from it by a few phonemes.
        other_phrases: Further words for the class "unknown", beside some six hundred.
        unknown_share: Clips of the class "unknown" for each clip of one keyword.
        silence: Whether there is a class "silence" of background noise alone.
        train_clips: Training clips per keyword.
        validation_clips: Validation clips per keyword.
        test_clips: Test clips per keyword.
        snr_min_db: Lowest ratio of speech to noise.
        snr_max_db: Highest ratio of speech to noise.
        reverberation: Share of clips with a room, 0..1.
        recordings_clips: Where recordings are added: training clips of each keyword, and of other
            words, that are taken.
    """

    keywords: tuple[str, ...] = ("hey pico",)
    near_phrases: int = 60
    other_phrases: tuple[str, ...] = ()
    unknown_share: float = 3.0
    silence: bool = True
    train_clips: int = 800
    validation_clips: int = 150
    test_clips: int = 200
    snr_min_db: float = 3.0
    snr_max_db: float = 40.0
    reverberation: float = 0.6
    recordings_clips: int = 100_000

    def __post_init__(self) -> None:
        _as_tuples(self)
        _check_words("keywords", self.keywords)
        fault = fault_of_phrases(self.keywords)
        if fault:
            raise SpecError(f"Option keywords: {fault}.")
        both = sorted(set(self.keywords) & set(self.other_phrases))
        if both:
            raise SpecError(f"Option other_phrases: {both[0]!r} is a keyword too.")
        _check_range("near_phrases", self.near_phrases, 0, 1000)
        _check_range("unknown_share", self.unknown_share, 0.1, 20.0)
        for name in ("train_clips", "validation_clips", "test_clips"):
            _check_range(name, getattr(self, name), 1, 100_000)
        for name in ("snr_min_db", "snr_max_db"):
            _check_range(name, getattr(self, name), -20.0, 100.0)
        if self.snr_min_db > self.snr_max_db:
            raise SpecError(f"Option snr_min_db: {self.snr_min_db} is over snr_max_db.")
        _check_range("reverberation", self.reverberation, 0.0, 1.0)
        _check_range("recordings_clips", self.recordings_clips, 0, 100_000)


@dataclass(frozen=True)
class SyntheticMachineOptions:
    """A simulated motor with a pump, sampled slowly, with labelled faults in the test recordings.

    Attributes:
        sample_rate_hz: Samples per second.
        recording_s: Length of each recording in seconds.
        train_recordings: Recordings of normal operation for training.
        validation_recordings: Recordings of normal operation for validation.
        test_recordings: Recordings with one fault each; the kinds of faults take turns.
        noise: Sensor noise as a multiple of the documented one.
        severity: Strength of the faults as a multiple of the documented one.
    """

    sample_rate_hz: float = 10.0
    recording_s: float = 600.0
    train_recordings: int = 6
    validation_recordings: int = 2
    test_recordings: int = 8
    noise: float = 1.0
    severity: float = 1.0

    def __post_init__(self) -> None:
        _check_range("sample_rate_hz", self.sample_rate_hz, 0.5, 1000.0)
        _check_range("recording_s", self.recording_s, 60.0, 86_400.0)
        for name in ("train_recordings", "validation_recordings", "test_recordings"):
            _check_range(name, getattr(self, name), 1, 1000)
        _check_range("noise", self.noise, 0.0, 100.0)
        _check_range("severity", self.severity, 0.0, 100.0)


Options = (
    SpeechCommandsOptions
    | SensorTableOptions
    | SyntheticKeywordsOptions
    | SyntheticPhrasesOptions
    | SyntheticMachineOptions
)


def _as_tuples(options: Options) -> None:
    """Turn lists, as TOML and JSON have them, into tuples."""
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, list):
            object.__setattr__(options, field.name, tuple(value))


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"Option {name}: {value!r}; known are {', '.join(known)}.")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SpecError(f"Option {name}: {value}; expected {low} to {high}.")


def _check_words(name: str, words: Iterable[str]) -> None:
    listed = tuple(words)
    if not listed or len(set(listed)) != len(listed):
        raise SpecError(f"Option {name}: {list(listed)}; expected different words, at least one.")
    reserved = sorted({UNKNOWN_LABEL, SILENCE_LABEL} & set(listed))
    if reserved:
        raise SpecError(f"Option {name}: {reserved[0]!r} is the name of a class of its own.")
