"""Makes the lab's sound: what called parties say, and the message that stands in for a site's legal text.

Nothing here is speech. Called parties are filtered noise with the rhythm of words, enough for answering-machine
detection, which listens for words and pauses only. SIPp wants raw A-law at 8 kHz, Asterisk a WAV of 16 bits.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000  # samples/s
Samples = NDArray[np.int16]


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds), dtype=np.int16)


def tone(seconds: float, hertz: float) -> Samples:
    """A quiet sine with soft ends."""
    t = np.arange(int(RATE * seconds)) / RATE
    edge = np.minimum(1.0, np.minimum(t, seconds - t) / 0.02)
    return np.asarray(6000 * edge * np.sin(2 * np.pi * hertz * t), dtype=np.int16)


def words(count: int, rng: np.random.Generator, *, word_s: float = 0.35, pause_s: float = 0.1) -> Samples:
    """Noise bursts on a hum of 140 Hz, each as long as a word, with the pauses of running speech between them."""
    t = np.arange(int(RATE * word_s)) / RATE
    hum = np.sin(2 * np.pi * 140 * t) + 0.5 * np.sin(2 * np.pi * 560 * t)
    parts: list[Samples] = []
    for _ in range(count):
        burst = hum + np.convolve(rng.normal(size=t.size), np.ones(6) / 6, mode="same")
        parts += [np.asarray(5000 * np.hanning(t.size) ** 0.3 * burst / 2.5, dtype=np.int16), silence(pause_s)]
    return np.concatenate(parts)


def a_law(samples: Samples) -> bytes:
    """Encode 16-bit samples as A-law (ITU-T G.711), one byte each."""
    magnitude = np.minimum(np.where(samples < 0, -(samples.astype(np.int32)) - 1, samples), 32767) >> 4
    # Below 32 the curve is straight; above, each doubling is one segment of 16 steps.
    segment = np.zeros(magnitude.shape, dtype=np.int32)
    for bound in (32, 64, 128, 256, 512, 1024):
        segment += magnitude >= bound
    code = np.where(magnitude < 32, magnitude, ((segment + 1) << 4) | ((magnitude >> segment) & 0x0F))
    return bytes(np.asarray(np.where(samples >= 0, code | 0x80, code) ^ 0x55, dtype=np.uint8))


def write_sound(folder: Path) -> None:
    """Write `human.al`, `machine.al` and `no-agent-free.wav` into `folder`. The same bytes each time."""
    rng = np.random.default_rng(8)
    folder.mkdir(parents=True, exist_ok=True)
    quiet = silence(30)
    human = np.concatenate([silence(0.5), words(1, rng, word_s=0.5), quiet])
    machine = np.concatenate([silence(0.5), words(24, rng), tone(0.8, 1000), quiet])
    (folder / "human.al").write_bytes(a_law(human))
    (folder / "machine.al").write_bytes(a_law(machine))
    with wave.open(str(folder / "no-agent-free.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate([tone(0.3, 620), silence(0.2), tone(0.3, 480), words(4, rng)]).tobytes())
