"""Damage files and folders in every way that can be thought of, and judge how a command takes it.

A mutation is a function that damages a copy of a sound folder. All of them follow from a seed, so that one that fails
can be looked at alone.
"""

from __future__ import annotations

import copy
import json
import os
import random
import resource
import shutil
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.command import Done

LIMIT = 60
"""Seconds that a command may take."""

LONGEST_PARAGRAPH = 1_000
MOST_MEMORY = 512
"""MiB that all commands together may take more than one on a sound folder."""

HEADER = "the header of "

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 7, 0.5, -0.0, 1e-300, 1e308, 2**31, 2**63, 10**30, -(10**30)),
    *(float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "O",
        "B-PER",
        "ner",
        "x" * 100_000,
        "\ud800",
        "a\nb\x1b[31m",
        "../../etc/passwd",
        "\0",
        "[bold]",
        "%s{}",
    ),
    *([], {}, [[]], [None], {"": None}, [1, "a"], ["O", "O"], {"a": {"b": [1, {"c": "d"}]}}),
)
"""What a value of JSON is replaced by."""

ODD_CONTENTS: tuple[bytes, ...] = (
    *(b"", b"\0", b"{", b"[]", b'"x"', b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5_000),
    *(b"1" * 10_000, b"\x80\x04\x95", b"PK\x03\x04", bytes(8), struct.pack("<Q", 2**63), struct.pack("<Q", 8) + b"{}"),
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 22\n",
)
"""What a file is replaced by."""


@dataclass(frozen=True)
class Mutation:
    """One way to damage a folder.

    Attributes:
        name: What it does, with the number that it follows from.
        apply: Damages the folder.
        allowed: Whether its result can be sound, but say something else.
    """

    name: str
    apply: Callable[[Path], None]
    allowed: bool = False


def mutations(folder: Path, files: Sequence[str], count: int, seed: int | str) -> Iterator[Mutation]:
    """Ways to damage the files of a folder, each of them about equally often.

    Args:
        folder: The sound folder.
        files: Paths in it.
        count: Number of mutations.
        seed: What they follow from.
    """
    for number in range(count):
        choose = random.Random(f"{seed} {number}")
        file = files[number % len(files)]
        is_json = file.endswith(".json")
        kinds = [_of_values] * 3 + [_of_bytes] if is_json else [_of_bytes]
        if file.endswith(".safetensors"):
            kinds = [_of_bytes, _of_header, _of_numbers]
        make = choose.choice([*kinds, *kinds, _of_file])
        what, apply = make(folder / file, choose)
        yield Mutation(f"{number}: {what} {file}", _within(apply, file), allowed=is_json and make is not _of_file)


def _within(apply: Callable[[Path], None], file: str) -> Callable[[Path], None]:
    return lambda folder: apply(folder / file)


Change = tuple[str, Callable[[Path], None]]


def _of_values(path: Path, choose: random.Random) -> Change:
    """Replace, remove, repeat or rename a value of JSON."""
    values = json.loads(path.read_text(encoding="utf-8"))
    place, key = choose.choice(list(_places(values)))
    odd = copy.deepcopy(choose.choice(ODD_VALUES))
    kind = choose.choice(["set", "set", "set", "remove", "rename", "nest", "swap"])
    if kind == "set":
        place[key] = odd
    elif kind == "remove":
        del place[key]
    elif kind == "rename" and isinstance(place, dict):
        place[odd if isinstance(odd, str) else f"{key}x"] = place.pop(key)
    elif kind == "nest":
        place[key] = [place[key]]
    else:
        other, there = choose.choice(list(_places(values)))
        place[key], other[there] = copy.deepcopy(other[there]), copy.deepcopy(place[key])
    text = json.dumps(values)
    return f"{kind} {key!r} ({odd!r:.30}) in", lambda file: _write(file, text.encode())


def _places(values: Any) -> Iterator[tuple[Any, Any]]:
    """All lists and objects in a value, each with each of its keys."""
    for key, value in list(values.items() if isinstance(values, dict) else enumerate(values)):
        yield values, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _of_bytes(path: Path, choose: random.Random) -> Change:
    """Cut, lengthen or change the bytes of a file, or replace it by another one."""
    size = path.stat().st_size
    kind = choose.choice(["cut", "flip", "flip", "insert", "append", "zero", "replace", "replace"])
    at, bit, more = choose.randrange(size), 1 << choose.randrange(8), choose.randbytes(choose.randint(1, 64))
    odd = choose.choice(ODD_CONTENTS)

    def apply(file: Path) -> None:
        content = bytearray(file.read_bytes())
        if kind == "cut":
            del content[at:]
        elif kind == "flip":
            content[at] ^= bit
        elif kind == "insert":
            content[at:at] = more
        elif kind == "append":
            content += more
        elif kind == "zero":
            content[at : at + 64] = bytes(len(content[at : at + 64]))
        _write(file, odd if kind == "replace" else bytes(content))

    return f"{kind} {at} {odd[:12]!r} in" if kind == "replace" else f"{kind} {at} in", apply


def _of_file(_: Path, choose: random.Random) -> Change:
    """Put something else in the place of a file."""
    kind = choose.choice(["no", "folder", "pipe", "loop", "dangling link", "device"])

    def apply(file: Path) -> None:
        file.unlink()
        if kind == "folder":
            file.mkdir()
        elif kind == "pipe":
            os.mkfifo(file)
        elif kind == "loop":
            file.symlink_to(file.name)
        elif kind == "dangling link":
            file.symlink_to("nowhere")
        elif kind == "device":
            file.symlink_to("/dev/zero")

    return f"{kind} for", apply


def read_header(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header of a file of safetensors, and what follows."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def write_header(path: Path, header: Any, data: bytes) -> None:
    """Write a file of safetensors with any header."""
    text = json.dumps(header).encode()
    _write(path, struct.pack("<Q", len(text)) + text + data)


def _of_header(path: Path, choose: random.Random) -> Change:
    """Change a name, a type, a shape or the place of a tensor."""
    header, _ = read_header(path)
    name = choose.choice([name for name in header if name != "__metadata__"])
    kind = choose.choice(["dtype", "shape", "data_offsets", "name", "value"])
    odd = copy.deepcopy(choose.choice(ODD_VALUES))

    def apply(file: Path) -> None:
        header, data = read_header(file)
        tensor = header[name]
        if kind == "dtype":
            tensor["dtype"] = choose.choice(["F16", "I32", "U8", "BF16", "F8_E4M3", "F128", ""])
        elif kind == "shape":
            tensor["shape"] = choose.choice([[], [2**62, 2], [0], tensor["shape"][::-1], [*tensor["shape"], 1]])
        elif kind == "data_offsets":
            tensor["data_offsets"] = choose.choice([[0, 2**62], [-4, 0], tensor["data_offsets"][::-1], [0, 0]])
        elif kind == "name":
            header[f"{name}x"] = header.pop(name)
        else:
            header[name] = odd
        write_header(file, header, data)

    return f"{kind} of {name!r} in {HEADER}", apply


def _of_numbers(path: Path, choose: random.Random) -> Change:
    """Write a value that is not finite, or absurdly large, into a tensor."""
    header, _ = read_header(path)
    floats = [name for name in header if name != "__metadata__" and header[name]["dtype"] == "F32"]
    begin, end = header[choose.choice(floats)]["data_offsets"]
    at = choose.randrange(begin, end, 4)
    odd = choose.choice([float("nan"), float("inf"), float("-inf"), 3e38, -3e38])

    def apply(file: Path) -> None:
        header, data = read_header(file)
        write_header(file, header, data[:at] + struct.pack("<f", odd) + data[at + 4 :])

    return f"{odd} at {at} in", apply


def added(name: str, content: bytes, file: str) -> Mutation:
    """A file that a folder did not have."""
    return Mutation(f"{name} in {file}", lambda folder: _write(folder / file, content))


def _write(path: Path, content: bytes) -> None:
    """Write a file anew: the old one may be linked into other folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def forget_checksum(folder: Path) -> None:
    """Make a tagger as one of an earlier version, which records no checksum of its weights."""
    values = json.loads((folder / "polytag.json").read_text(encoding="utf-8"))
    del values["weights"]
    (folder / "polytag.json").write_text(json.dumps(values), encoding="utf-8")


def linked_copy(source: Path, target: Path) -> Path:
    """A copy of a folder that shares the content of its files, which mutations never write to."""
    return shutil.copytree(source, target, copy_function=os.link)


@contextmanager
def limited(seconds: float = LIMIT) -> Iterator[None]:
    """Fail if the block takes longer."""

    def stop(*_: object) -> None:
        raise AssertionError(f"hangs: more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def verdict(run: Callable[[], Done], sound: Callable[[Done], bool], allowed: bool = False) -> str:
    """What is wrong with the end of a command; empty if nothing is.

    Args:
        run: Runs the command.
        sound: Whether its result is that of the undamaged folder.
        allowed: Whether another result is right, too.
    """
    try:
        with limited():
            done = run()
    except BaseException as error:  # a defect of any kind is a finding
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {str(error)[:300]}"
    if "Traceback" in done.err:
        return f"a traceback: {done.err[-300:]}"
    if done.status == 2:
        return _wrong_paragraph(done.err)
    if done.status != 0:
        return f"status {done.status}: {done.err[-300:]}"
    if "NaN" in done.out or "Infinity" in done.out:
        return f"prints a number that JSON does not have: {done.out[:200]}"
    return "" if allowed or sound(done) else f"another result: {done.out[:300]}"


def _wrong_paragraph(err: str) -> str:
    lines = err.splitlines()
    paragraph = lines[-1] if lines else ""
    if not paragraph.startswith("polytag: "):
        return f"no paragraph of polytag's: {err[-300:]!r}"
    if sum(line.startswith("polytag: ") for line in lines) > 2:  # a hint may come before
        return f"several paragraphs: {err[-500:]!r}"
    if len(paragraph) > LONGEST_PARAGRAPH:
        return f"{len(paragraph)} characters: {paragraph[:300]}"
    return ""


def peak_memory() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
