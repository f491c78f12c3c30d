"""Damage made for a kind of file: JSON, tables of text, arrays, weights, run states, formulas. Each yields (name,
damaged file) pairs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import mutations
import numpy as np
import torch


def json_file(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage of a JSON file: its values, its nesting, its encoding."""
    value = json.loads(data)
    for name, changed in mutations.of_json(value):
        yield name, json.dumps(changed).encode("utf-8", "surrogatepass")
    yield "nested too deeply", b"[" * 100_000 + b"]" * 100_000
    yield "a number of a million digits", b"1" * 1_000_000
    yield "with a mark of byte order", b"\xef\xbb\xbf" + data
    yield "utf-16", data.decode().encode("utf-16")
    yield "twice", data + data
    yield "a key twice", data.rstrip()[:-1] + b"," + data.strip()[1:]


def text_lines(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage of a table of text: lines, columns, ends, encodings, names that are paths."""
    lines = data.splitlines()
    for number in range(len(lines)):
        for name, words in {
            "no words": b"",
            "one word": b"x",
            "many words": b"x " * 100,
            "many commas": b"x," * 10_000,
            "absolute": lines[number].replace(b"0", b"/etc/passwd"),
            "upwards": lines[number].replace(b"1", b"../1"),
            "nul": lines[number] + b"\0",
            "quote": b'"' + lines[number],
            "large": b"9" * 5000,
            "not utf-8": b"\xff\xfe" + lines[number],
            "escape": b"\x1b[2J" + lines[number],
            "minus": lines[number].replace(b"1", b"-1"),
            "nan": lines[number].replace(b"1", b"nan"),
            "long field": b"a" * 200_000,
            "unicode digits": lines[number].replace(b"1", "²".encode()),
        }.items():
            yield f"line {number + 1}: {name}", b"\n".join([*lines[:number], words, *lines[number + 1 :]]) + b"\n"
        yield f"without line {number + 1}", b"\n".join([*lines[:number], *lines[number + 1 :]]) + b"\n"
        yield f"line {number + 1} twice", b"\n".join([*lines[: number + 1], *lines[number:]]) + b"\n"
    yield "ends of Windows", data.replace(b"\n", b"\r\n")
    yield "ends of old Macs", data.replace(b"\n", b"\r")
    yield "with a mark of byte order", b"\xef\xbb\xbf" + data
    yield "utf-16", data.decode().encode("utf-16")


def npy_file(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage of a .npy file."""
    return mutations.of_npy(np.load(io.BytesIO(data)))


def npz_file(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage of a .npz file."""
    with np.load(io.BytesIO(data)) as stored:
        return mutations.of_npz(dict(stored))


def safetensors_file(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage of a safetensors file's header."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    names = [name for name in header if name != "__metadata__"]
    # Every tensor's entry has the same form: one of them stands for all.
    some = {name: header[name] for name in header if name in (*names[:1], "__metadata__")}
    rest = {name: header[name] for name in names[1:]}
    for name, changed in mutations.of_json(some):
        text = json.dumps({**changed, **rest} if isinstance(changed, dict) else changed).encode(
            "utf-8", "surrogatepass"
        )
        yield name, len(text).to_bytes(8, "little") + text + body
    for kind in ("F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "U16", "U64", "F4", "C64", "x"):
        text = json.dumps({**header, names[0]: {**header[names[0]], "dtype": kind}}).encode()
        yield f"kind {kind}", len(text).to_bytes(8, "little") + text + body
    for value in (np.nan, np.inf, -np.inf):
        yield f"holds {value}", data[:-4] + np.float32(value).tobytes()
    yield "long header", (2**63).to_bytes(8, "little") + data[8:]


def _torch_file(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def state_file(data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Run states with one part replaced or left out, and files that torch wrote of something else."""
    state = torch.load(io.BytesIO(data), weights_only=True)

    def written(value: Any) -> Callable[[], bytes]:
        return partial(_torch_file, value)

    odd: tuple[Any, ...] = (
        None,
        -1,
        10**30,
        "text",
        [],
        {},
        float("nan"),
        torch.zeros(3),
        torch.full((2, 2), torch.nan),
        {"a": torch.zeros(1)},
    )
    for key in state:
        yield f"without {key}", written({k: v for k, v in state.items() if k != key})
        for value in odd:
            yield f"{key} = {value!r:.20}", written({**state, key: value})
        if isinstance(state[key], dict):
            for inner in list(state[key])[:4]:
                yield (
                    f"without {key}/{inner}",
                    written({**state, key: {k: v for k, v in state[key].items() if k != inner}}),
                )
                for value in odd:
                    yield f"{key}/{inner} = {value!r:.20}", written({**state, key: {**state[key], inner: value}})
    for value in odd:
        yield f"the whole = {value!r:.20}", written(value)
    yield "another key", written({**state, "another": 1})


def formulas(_: bytes) -> Iterator[tuple[str, bytes]]:
    """Formulas that cannot be computed, or that only look like some."""
    for text in (
        "a*1e400 + b",
        "a*1e308*1e308",
        "a*(1e308*1e308)",
        "a/1e-320/1e-320",
        "a*0/0",
        "9**9**9*a",
        "a**2",
        "a//2",
        "a%2",
        "a*-1e400",
        "(" * 5000 + "a",
        "(" * 90 + "a" + ")" * 90,
        "-" * 5000 + "a",
        "a+" * 20_000 + "a",
        "a if b else c",
        "a.b",
        "a()",
        "[a]",
        "lambda: a",
        "1 is 1",
        "'a'",
        "a\n+b",
        "a;b",
        "a\0",
        "1_0*a",
        "0x10*a",
        "1j*a",
        "True*a",
        "a*nan",
        "a*inf",
        "1" * 5000 + "*a",
        "a*1" + "0" * 400,
        "é",
        "ａ",
        "a ",
        "",
        " ",
        "#",
        "a#b",
        "\ud800",
        "a if 1is 1else b",
        "1or a",
        "0or a",
        "1_a",
        "a*1e-400",
        "a:=b",
        "*a",
        "a,b",
        "f'{a}'",
        "...",
        "a!b",
        "\x1b[2Ja",
        "a*1e39",
        "a*1e38*1e38",
    ):
        yield repr(text[:30]), text.encode("utf-8", "surrogatepass")
