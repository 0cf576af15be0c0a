"""An MQTT broker: where rows come from, and where events go."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_edge.errors import DeviceError
from rnn_edge.extras import require
from rnn_edge.live.line_sources import is_gap
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.rows import BadRowError, RowFormat, RowReader
from rnn_edge.live.source import Piece, Source
from rnn_edge.live.told import Teller

USER, PASSWORD = "RNN_EDGE_MQTT_USER", "RNN_EDGE_MQTT_PASSWORD"
"""Variables that hold what a broker asks for; a command line would show it to everybody."""

MOST_WAITING = 1000
"""Messages that wait for a broker that does not answer."""

_ADDRESS = re.compile(r"mqtt://([^/@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/(.+)")
_PORT = 1883
_KEEP_ALIVE_S = 30
FLUSH_S, ABSENT_S = 10.0, 2.0
"""How long events that were not acknowledged are waited for at the end: a broker that is there may
be slow, and one that is away hardly comes back in time."""
_POLL_S = 0.1


@dataclass(frozen=True)
class BrokerAddress:
    """A topic of a broker.

    Attributes:
        host: Name or address.
        port: TCP port.
        topic: The topic.
    """

    host: str
    port: int
    topic: str

    @classmethod
    def of(cls, text: str) -> BrokerAddress:
        """Read ``mqtt://HOST[:PORT]/TOPIC``.

        Raises:
            DeviceError: If it is something else.
        """
        found = _ADDRESS.fullmatch(text)
        port = int(found[2] or _PORT) if found else 0
        if found is None or not 0 < port < 65_536:
            raise DeviceError(
                f"MQTT address {text!r}; expected mqtt://HOST[:PORT]/TOPIC.",
                f"user and password are taken from {USER} and {PASSWORD}",
            )
        return cls(found[1].strip("[]"), port, found[3])

    def __str__(self) -> str:
        return f"mqtt://{self.host}:{self.port}/{self.topic}"


class _Session:
    """A connection that is made again whenever it is lost.

    Args:
        address: Of the broker.
        tell: Told when it comes and goes.
    """

    def __init__(self, address: BrokerAddress, tell: Teller) -> None:
        paho = require("paho.mqtt.client", "run", "MQTT")
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.no_room = paho.MQTTErrorCode.MQTT_ERR_QUEUE_SIZE
        self.is_connected = threading.Event()
        self._address, self._tell = address, tell
        user = os.environ.get(USER)
        if user:
            self.client.username_pw_set(user, os.environ.get(PASSWORD))
        self.client.max_queued_messages_set(MOST_WAITING)
        self.client.reconnect_delay_set(1, 30)
        self.client.on_disconnect = self._gone

    def start(self, on_connect: Callable[[], None]) -> None:
        """Connect in the background, however long that takes."""

        def connected(client: Any, data: Any, flags: Any, reason: Any, more: Any) -> None:  # noqa: ANN401 - untyped
            del client, data, flags, more
            if reason.is_failure:
                self._tell("MQTT", f"{self._address} refuses the connection: {reason}.")
                return
            self.is_connected.set()
            on_connect()

        def failed(client: Any, data: Any) -> None:  # noqa: ANN401 - untyped
            del client, data
            self._tell("MQTT", f"{self._address} cannot be reached; trying again.")

        self.client.on_connect = connected
        self.client.on_connect_fail = failed
        self.client.connect_async(self._address.host, self._address.port, _KEEP_ALIVE_S)
        self.client.loop_start()

    def _gone(self, client: Any, data: Any, flags: Any, reason: Any, more: Any) -> None:  # noqa: ANN401 - untyped
        del client, data, flags, more
        self.is_connected.clear()
        if reason.is_failure:
            self._tell("MQTT", f"{self._address} has gone: {reason}; trying again.")

    def close(self) -> None:
        """End the connection."""
        self.client.disconnect()
        self.client.loop_stop()


class BrokerRows(Source):
    """Rows that are published on a topic: CSV, a JSON array, or a JSON object by channel.

    What is not taken in time is lost and counted, and so is, as a gap, what was published while
    the broker was away.

    Args:
        address: The topic.
        form: How rows are written.
        tell: Told of messages that are no rows, and of the connection.

    Raises:
        MissingDependencyError: If paho-mqtt is not installed.
    """

    def __init__(self, address: BrokerAddress, form: RowFormat, tell: Teller) -> None:
        self.name = str(address)
        self.reader = RowReader(form, self.name, is_whole=False)
        self._address, self._form, self._tell = address, form, tell
        self._session = _Session(address, tell)

    def deliver(self, queue: SampleQueue, stop: threading.Event) -> None:
        """Put the rows into the queue."""
        position, last_s = 0, None

        def take(client: Any, data: Any, message: Any) -> None:  # noqa: ANN401 - untyped
            nonlocal position, last_s
            del client, data
            now_s = time.monotonic()
            try:
                found = self.reader.rows(message.payload)
            except BadRowError as error:
                self._tell("bad lines", f"{self.name}: a message left out: {error}.")
                return
            for row, is_after_gap in found:
                is_late = last_s is not None and is_gap(now_s - last_s, self._form.rate_hz)
                last_s = now_s
                queue.offer(Piece(row[None], position, now_s, is_after_gap or is_late))
                position += 1

        client = self._session.client
        client.on_message = take
        self._session.start(lambda: client.subscribe(self._address.topic, qos=1))
        stop.wait()

    def close(self) -> None:
        """End the connection."""
        self._session.close()


class BrokerEvents:
    """Publishes events; a broker that is away never holds up the stream.

    Args:
        address: The topic.
        tell: Told of the connection.

    Raises:
        MissingDependencyError: If paho-mqtt is not installed.
        DeviceError: If the topic is a pattern.
    """

    def __init__(self, address: BrokerAddress, tell: Teller) -> None:
        if set(address.topic) & set("+#"):
            raise DeviceError(
                f"MQTT topic {address.topic!r} is a pattern; expected one topic to publish on."
            )
        self.published = 0
        """Events that the broker has acknowledged."""
        self.dropped = 0
        """Events for which there was no room, and those that were not acknowledged at the end."""
        self._accepted = 0
        self._address, self._tell = address, tell
        self._session = _Session(address, tell)
        self._refused = self._session.no_room
        self._session.client.on_publish = self._arrived
        self._session.start(lambda: None)

    @property
    def waiting(self) -> int:
        """Events that the broker has not acknowledged yet."""
        return self._accepted - self.published

    def send(self, event: Mapping[str, Any]) -> None:
        """Publish an event, at once or when the broker is there again."""
        told = self._session.client.publish(self._address.topic, json.dumps(event), qos=1)
        if told.rc == self._refused:
            self.dropped += 1
        else:
            self._accepted += 1

    def close(self) -> None:
        """Wait for what was not acknowledged yet, count what never is, and end the connection."""
        begin_s = time.monotonic()
        while self.waiting:
            limit_s = FLUSH_S if self._session.is_connected.is_set() else ABSENT_S
            if time.monotonic() - begin_s >= limit_s:
                break
            time.sleep(_POLL_S)
        self._session.close()
        lost = self.waiting
        if lost:
            self.dropped += lost
            self._accepted -= lost
            self._tell.once(
                f"{self._address}: {lost:,} event(s) not acknowledged at the end; they may be lost."
            )

    def _arrived(self, *arguments: Any) -> None:  # noqa: ANN401 - untyped
        del arguments
        self.published += 1
