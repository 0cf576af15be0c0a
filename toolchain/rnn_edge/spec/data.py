"""Section [data]: where the sequences come from, one table of keys per kind of source."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rnn_edge.spec.section import Section, Share
from rnn_edge.types.phrases import fault_of_phrases

Words = tuple[Annotated[str, Field(min_length=1)], ...]
Extra = Annotated[float, Field(ge=0.0, le=10.0)]
SplitShare = Annotated[float, Field(ge=0.0, le=0.9)]
Decibels = Annotated[float, Field(ge=-20.0, le=100.0)]
Clips = Annotated[int, Field(ge=1, le=100_000)]
Recordings = Annotated[int, Field(ge=1, le=1000)]
Multiple = Annotated[float, Field(ge=0.0, le=100.0)]

SPEECH_COMMANDS_KEYWORDS = (
    "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go",
)  # fmt: skip

SYNTHETIC_UNKNOWN_WORDS = (
    "left", "right", "on", "off", "stop", "go", "bed", "bird", "cat", "dog", "happy", "house",
    "tree", "wow", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "zero",
)  # fmt: skip


Statement = Annotated[str, Field(min_length=1, max_length=1000)]

STATEMENTS = ("licence", "source", "description")
"""Keys that say what data is and change nothing of it."""

PLACES = ("path", "recordings", "noise_recordings")
"""Keys that say where files lie, which is not part of a model."""


class _Source(Section):
    """Keys and answers of every kind of source."""

    licence: Statement | None = None
    """Licence of the recordings, for the model card; left out: not stated."""

    source: Statement | None = None
    """Where they come from: name, authors, address; likewise."""

    description: Statement | None = None
    """What they are of, in a sentence or two; likewise."""

    def options(self) -> dict[str, Any]:
        """Return the keys that describe the source, without its kind and place."""
        return self.as_inputs()

    def as_inputs(self, *, is_short: bool = False) -> dict[str, Any]:
        """Return the keys that results depend on: not where the source lies, but what it is."""
        left_out = {"kind", *PLACES, *STATEMENTS}
        return self.model_dump(exclude=left_out, exclude_defaults=is_short)

    @property
    def place(self) -> str | None:
        """Where files lie that are read; None where there are none, or nobody says."""
        return None


class _Recorded(_Source):
    """A source that lies on disk."""

    path: Annotated[str, Field(min_length=1)] | None = None
    """Folder or archive, relative to the spec; `--data` replaces it."""

    @property
    def place(self) -> str | None:
        """The path."""
        return self.path


class SpeechCommandsData(_Recorded):
    """Recordings in the layout of Speech Commands."""

    kind: Literal["speech-commands"]
    """Folder or archive with one folder per word, WAV or FLAC."""

    noise_recordings: Annotated[str, Field(min_length=1)] | None = None
    """Folder or archive of noise, relative to the spec: of half of the altered copies with noise,
    the others take `_background_noise_`. Its last folder is left for tests."""

    keywords: Annotated[Words, Field(min_length=1)] = SPEECH_COMMANDS_KEYWORDS
    """Words that are classes of their own, in the order of the model's outputs."""

    unknown_share: Extra = 0.1
    """Clips of the class "unknown" in validation and test as a share of the keyword clips."""

    unknown_train_share: Extra = 1.0
    """The same for training; with unknown_share = 0 there is no such class at all."""

    silence_share: Extra = 0.1
    """Clips of the class "silence" in every split, likewise; 0 leaves the class out."""

    split: Literal["lists", "hash", "test"] = "lists"
    """By validation_list.txt and testing_list.txt; speakers by a hash; or all of it is test."""

    validation_share: SplitShare = 0.1
    """Share of speakers in validation where split is "hash"."""

    test_share: SplitShare = 0.1
    """Share of speakers in test where split is "hash"."""

    allow_speaker_leak: bool = False
    """Accept a speaker in two splits, with a note, instead of an error."""

    on_bad_file: Literal["error", "skip"] = "error"
    """What to do with audio that cannot be decoded or is empty."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        _different("keywords", self.keywords)
        _two_classes(self.keywords, bool(self.unknown_share), bool(self.silence_share))
        if self.validation_share + self.test_share > 0.9:
            raise ValueError(
                f"validation_share + test_share = {self.validation_share + self.test_share:.3g}; "
                "expected at most 0.9, so that something is left for training"
            )
        return self


class SensorTableData(_Recorded):
    """Tables of sensor samples, CSV, NPZ or NPY."""

    kind: Literal["sensor-table"]
    """Folder or archive of tables, a row per time step."""

    files: Annotated[Words, Field(min_length=1)] = ("*.csv", "*.npz", "*.npy")
    """Patterns of the files to read; `*` matches any characters, "/" included."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """Between the cells of a CSV file."""

    channels: Words = ()
    """Columns to use, in order; empty for all numeric ones that are not named below."""

    label_columns: Words = ()
    """Columns that mark anomalous rows; a row is anomalous if any of them does."""

    anomalous_values: tuple[str, ...] = ()
    """Label cells that mean "anomalous"; empty for any number but 0."""

    ignore_columns: Words = ()
    """Columns that are neither channels nor labels."""

    time_column: str = ""
    """Column of the time of each row; empty if rows are evenly spaced."""

    time_format: Literal["iso", "number"] = "iso"
    """Dates like 2020-03-01 15:44:06, or seconds."""

    sample_rate_hz: Annotated[float, Field(ge=0.0, le=1e9)] = 0.0
    """Samples per second; 0 takes it from the time column."""

    gaps: Literal["error", "interpolate", "split"] = "error"
    """Rows missing in time: refuse, fill up to max_gap rows, or cut the recording there."""

    missing_values: Literal["error", "interpolate", "drop"] = "error"
    """Empty or NaN cells: refuse, fill up to max_gap rows, or leave the row out and cut there."""

    max_gap: Annotated[int, Field(ge=0, le=1_000_000)] = 5
    """Rows that may be filled in a row."""

    constant_channels: Literal["error", "drop"] = "error"
    """A channel that never changes in training."""

    split_by: Literal["recording", "time"] = "recording"
    """Whole files into one split, or every file cut into training, validation and test."""

    train_share: Annotated[float, Field(ge=0.01, le=1.0)] = 0.7
    """Share of files or rows for training; what is left over is the test split."""

    validation_share: Annotated[float, Field(ge=0.0, le=0.99)] = 0.1
    """Share of files or rows for validation."""

    head_rows: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """With split_by = "time": the shares apply to that many first rows; later rows are test."""

    train_files: Words = ()
    """With split_by = "recording": patterns of the training files; replaces the shares."""

    validation_files: Words = ()
    """Patterns of the validation files."""

    test_files: Words = ()
    """Patterns of the test files."""

    normal_files: Words = ()
    """Patterns of files with normal operation only: they may lack the label columns."""

    validation_normal_only: bool = True
    """Cut anomalous rows out of validation too, not only out of training."""

    min_rows: Annotated[int, Field(ge=2, le=1_000_000)] = 32
    """Pieces shorter than this are left out, with a note."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.time_column and not self.sample_rate_hz:
            raise ValueError("sample_rate_hz = 0 without a time_column; one of the two is needed")
        for k, name in enumerate(self.channels):
            if name in self.channels[:k]:
                raise ValueError(f'channels has "{name}" twice; expected different columns')
            if name in (*self.label_columns, self.time_column):
                raise ValueError(
                    f'channels has "{name}", which is a label or time column; '
                    "a model must not see it"
                )
        if self.train_share + self.validation_share > 1.0 + 1e-9:
            raise ValueError(
                f"train_share + validation_share = {self.train_share + self.validation_share:.3g}; "
                "expected at most 1"
            )
        if self.split_by == "time" and (
            self.train_files or self.validation_files or self.test_files
        ):
            raise ValueError(
                "train_files, validation_files and test_files need "
                'split_by = "recording"; it is "time"'
            )
        if self.split_by == "recording" and self.head_rows:
            raise ValueError(
                f'head_rows = {self.head_rows} needs split_by = "time"; it is "recording"'
            )
        return self


class SyntheticKeywordsData(_Source):
    """Words spoken by a speech synthesizer."""

    kind: Literal["synthetic-keywords"]
    """Spoken by espeak-ng in many voices, with noise and reverberation."""

    keywords: Annotated[Words, Field(min_length=1)] = ("yes", "no", "up", "down")
    """Words that are classes of their own, in the order of the model's outputs."""

    unknown_words: Words = SYNTHETIC_UNKNOWN_WORDS
    """Words of the class "unknown"; empty leaves the class out."""

    silence: bool = True
    """Whether there is a class "silence" of background noise alone."""

    train_clips: Clips = 240
    """Training clips per class."""

    validation_clips: Clips = 60
    """Validation clips per class."""

    test_clips: Clips = 80
    """Test clips per class."""

    snr_min_db: Decibels = 5.0
    """Lowest ratio of speech to noise."""

    snr_max_db: Decibels = 40.0
    """Highest ratio of speech to noise."""

    reverberation: Share = 0.5
    """Share of clips with a room."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        _different("keywords", self.keywords)
        _two_classes(self.keywords, bool(self.unknown_words), self.silence)
        both = sorted(set(self.keywords) & set(self.unknown_words))
        if both:
            raise ValueError(f'unknown_words has "{both[0]}", which is a keyword too')
        if self.snr_min_db > self.snr_max_db:
            raise ValueError(f"snr_min_db = {self.snr_min_db} is over snr_max_db")
        return self


class SyntheticPhrasesData(_Source):
    """Keywords of one's own, spoken by a speech synthesizer."""

    kind: Literal["synthetic-phrases"]
    """Spoken by espeak-ng beside what sounds like them; for keywords that nobody has recorded."""

    keywords: Annotated[tuple[str, ...], Field(min_length=1)] = ("hey pico",)
    """Words or short phrases, in the order of the model's outputs."""

    near_phrases: Annotated[int, Field(ge=0, le=1000)] = 60
    """Phrases made up for each keyword that differ from it by a few phonemes."""

    other_phrases: Words = ()
    """Further words for the class "unknown", beside some six hundred."""

    unknown_share: Annotated[float, Field(ge=0.1, le=20.0)] = 3.0
    """Clips of the class "unknown" for each clip of one keyword."""

    silence: bool = True
    """Whether there is a class "silence" of background noise alone."""

    train_clips: Clips = 800
    """Training clips per keyword."""

    validation_clips: Clips = 150
    """Validation clips per keyword."""

    test_clips: Clips = 200
    """Test clips per keyword."""

    snr_min_db: Decibels = 3.0
    """Lowest ratio of speech to noise."""

    snr_max_db: Decibels = 40.0
    """Highest ratio of speech to noise."""

    reverberation: Share = 0.6
    """Share of clips with a room."""

    recordings: Annotated[str, Field(min_length=1)] | None = None
    """Folder or archive of recordings to add, a folder per phrase; `--data` replaces it."""

    recordings_clips: Annotated[int, Field(ge=0, le=100_000)] = 100_000
    """Of these, training clips of each keyword and of other words that are taken."""

    @property
    def place(self) -> str | None:
        """The recordings."""
        return self.recordings

    @model_validator(mode="after")
    def _check(self) -> Self:
        fault = fault_of_phrases(self.keywords)
        if fault:
            raise ValueError(f"keywords: {fault}")
        _different("keywords", self.keywords)
        both = sorted(set(self.keywords) & set(self.other_phrases))
        if both:
            raise ValueError(f'other_phrases has "{both[0]}", which is a keyword too')
        if self.snr_min_db > self.snr_max_db:
            raise ValueError(f"snr_min_db = {self.snr_min_db} is over snr_max_db")
        return self


class SyntheticMachineData(_Source):
    """A simulated machine."""

    kind: Literal["synthetic-machine"]
    """A simulated motor with a pump; the test recordings have labelled faults."""

    sample_rate_hz: Annotated[float, Field(ge=0.5, le=1000.0)] = 10.0
    """Samples per second."""

    recording_s: Annotated[float, Field(ge=60.0, le=86_400.0)] = 600.0
    """Length of each recording in seconds."""

    train_recordings: Recordings = 6
    """Recordings of normal operation for training."""

    validation_recordings: Recordings = 2
    """Recordings of normal operation for validation."""

    test_recordings: Recordings = 8
    """Recordings with one fault each; the kinds of faults take turns."""

    noise: Multiple = 1.0
    """Sensor noise as a multiple of the documented one."""

    severity: Multiple = 1.0
    """Strength of the faults as a multiple of the documented one."""


DataSection = Annotated[
    SpeechCommandsData
    | SensorTableData
    | SyntheticKeywordsData
    | SyntheticPhrasesData
    | SyntheticMachineData,
    Field(discriminator="kind"),
]

DATA_KINDS = {
    "speech-commands": SpeechCommandsData,
    "sensor-table": SensorTableData,
    "synthetic-keywords": SyntheticKeywordsData,
    "synthetic-phrases": SyntheticPhrasesData,
    "synthetic-machine": SyntheticMachineData,
}
"""Every kind of source and its keys."""

KINDS_OF_TASK = {
    "kws": ("speech-commands", "synthetic-keywords", "synthetic-phrases"),
    "anomaly": ("sensor-table", "synthetic-machine"),
}
"""The kinds of source that a task can learn from."""


def _two_classes(words: tuple[str, ...], has_unknown: bool, has_silence: bool) -> None:
    """Refuse a model that could only be right: with one class there is nothing to tell apart."""
    if len(words) + has_unknown + has_silence < 2:
        raise ValueError(
            f'"{words[0]}" is the only class; expected another keyword, unknown words or silence'
        )


def _different(key: str, words: Words) -> None:
    if len(set(words)) != len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise ValueError(f'{key} has "{twice}" twice; expected different words')
    reserved = sorted({"unknown", "silence"} & set(words))
    if reserved:
        raise ValueError(f'{key} has "{reserved[0]}", which is the name of a class of its own')
