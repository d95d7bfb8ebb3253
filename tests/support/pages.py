"""Runs a page of the documentation, block by block, and compares what comes out with what the page shows.

What blocks mean, from top to bottom of a page, all in one folder and one namespace:

- `python`: is executed. A `text` block after it is what it prints.
- `console`: lines that begin with `$ ` are commands, the lines below a command its output; a command without any has to
  succeed. Without any `$ ` every line is a command. A command that ends in a backslash continues in the next line. A
  `text` block after it is the output of the last command, and so is a picture (`![...](name.svg)`). `^C` in an output
  interrupts the run after its first epoch.
- any language with `title="NAME"`: a file. It is written, or, if it is there already, compared.
- `toml` without a title: is TOML. Every other block fails.
- `<!-- given: NAME as PATH -->`: puts one of the things that tests share in the folder.
- `<!-- tested by: tests/... -->`: before a block, or before the title of a page: that test runs it, and names the page.

`…` stands for any text, and alone on a line for any lines. Times, and which epoch was best, are not compared, and
figures with a decimal point only roughly, as they differ a little from machine to machine. Of a picture, words are
compared alone.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$"
    r"(?:\s*!\[[^\]]*\]\((?P<picture>[^)]+\.svg)\))?",
    re.MULTILINE | re.DOTALL,
)
_GIVEN = re.compile(r"<!-- given: (?P<what>.+?) as (?P<path>\S+) -->")
_ELSEWHERE = re.compile(r"<!-- tested by: (?P<test>\S+) -->\s*\Z")
_TITLE = re.compile(r'title="([^"]+)"')
_COMMAND = re.compile(r"(?:(?P<before>.+?) \| )?polytag\b(?P<arguments>[^|]*?)(?: \| (?P<after>.+))?")
_JOINS_WORKERS = re.compile(r"polytag train\b.* --workers ")
"""TensorFlow joins others once in a process, before it does anything else, and the process stays in their cluster."""
_TIME = re.compile(r"(?<![\w.])[\d.,]+ (s|(?:sub)?words/s)\b")
_DECIMAL = re.compile(r"[-+]?\d+\.\d+")
_BY_CHANCE = re.compile(r"^epoch \d+  step .*\n|  best so far$|^Epoch \d+ of (?=\d+ was best)", re.MULTILINE)
_TOLERANCE = 0.15


class Command(NamedTuple):
    """A command of a page: its lines, the same on one line, and what the page shows below it."""

    shown: str
    line: str
    output: str


class Block(NamedTuple):
    """A block of code on a page.

    Attributes:
        page: The file it stands in.
        language: What follows the fence.
        title: The file it is, or empty.
        body: Its lines, without indentation.
        line: Number of its first line.
        picture: The picture that follows it, relative to the page, or None.
        start, end: Where its body is in the text of the page.
        test: The test that runs it, when it is not to be run with its page.
    """

    page: Path
    language: str
    title: str
    body: str
    line: int
    picture: str | None
    start: int
    end: int
    test: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[Command]:
        """The commands of a block of the language `console`."""
        prompt = r"\$ " if re.search(r"^\$ ", self.body, re.MULTILINE) else ""
        found = [*re.finditer(rf"^{prompt}(?:.*\\\n)*.+\n", self.body, re.MULTILINE)]
        ends = [match.start() for match in found[1:]] + [len(self.body)]
        return [
            Command(
                match[0],
                re.sub(r"\s*\\\n\s*", " ", match[0].removeprefix("$ ")).strip(),
                self.body[match.end() : end].strip("\n"),
            )
            for match, end in zip(found, ends, strict=True)
        ]


class Given(NamedTuple):
    """Something a page finds in its folder."""

    what: str
    path: str


def pages() -> list[Path]:
    """Every page that is written by hand."""
    return sorted(path for path in DOCS.rglob("*.md") if "example-plugin" not in path.parts)


def parts(page: Path) -> Iterator[Block | Given]:
    """The blocks of a page, and what it is given, in order."""
    text = page.read_text(encoding="utf-8")
    before_title = text.partition("\n# ")[0] if not text.startswith("# ") else ""
    whole = _ELSEWHERE.search(before_title)
    found = [*_GIVEN.finditer(text), *_BLOCK.finditer(text)]
    for match in sorted(found, key=re.Match.start):
        if match.re is _GIVEN:
            yield Given(match["what"], match["path"])
            continue
        indent = match["indent"]
        body = "".join(line.removeprefix(indent) for line in match["body"].splitlines(keepends=True))
        title = _TITLE.search(match["info"])
        elsewhere = whole or _ELSEWHERE.search(text[: match.start()])
        yield Block(
            page,
            match["language"],
            title[1] if title else "",
            body,
            text.count("\n", 0, match.start("body")) + 1,
            match["picture"],
            match.start("body"),
            match.end("body"),
            elsewhere["test"] if elsewhere else "",
        )


def agrees(shown: str, actual: str) -> bool:
    """Whether an output is the one that a page shows, as far as it is the same on every machine."""
    shown, actual = (_comparable(text) for text in (shown, actual))
    pattern = re.escape(shown).replace(re.escape("\n…\n"), r"\n(?:.*\n)*?").replace("…", "[^\n]*?")
    pattern = re.sub(r"(?:\\[-+])?\d+\\\.\d+", r"([-+]?\\d+\\.\\d+)", pattern)
    match = re.fullmatch(pattern, actual)
    if not match:
        return False
    figures = [float(figure) for figure in _DECIMAL.findall(shown)]
    return all(
        abs(figure - float(found)) <= _TOLERANCE * max(1, abs(figure))
        for figure, found in zip(figures, match.groups(), strict=True)
    )


def _comparable(text: str) -> str:
    text = _TIME.sub(r"# \1", _BY_CHANCE.sub("", text))
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "\n" + "\n".join(lines) + "\n"


@dataclass
class PageRunner:
    """Runs one page.

    Attributes:
        folder: The current folder, in which the page's commands work.
        command: Runs `polytag`, as the fixture of that name does.
        shared: The same, but it may give what a run with the same arguments has left before.
        capsys: Captures what Python prints.
        monkeypatch: Sets environment variables, and takes them back.
        given: Makes what pages are given: name -> function of the path to put it at.
        update: Whether to rewrite what the page shows instead of failing.
    """

    folder: Path
    command: Callable[..., Any]
    shared: Callable[..., Any]
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    given: Mapping[str, Callable[[Path], object]]
    update: bool = False

    def run(self, page: Path) -> None:
        """Run all blocks of a page, in order.

        Raises:
            AssertionError: A block fails, or shows something else than comes out.
        """
        names: dict[str, Any] = {"__name__": "__page__"}
        changes: list[tuple[int, int, str]] = []
        printed: str | None = None
        for part in parts(page):
            if isinstance(part, Given):
                assert part.what in self.given, f"{page}: nothing is known as {part.what!r}"
                self.given[part.what](self.folder / part.path)
                continue
            block, shown, actual = part, part.body, None
            if block.test:
                assert page.name in (ROOT / block.test).read_text(encoding="utf-8"), f"{block.place}: {block.test}"
            elif block.title:
                actual = self._file(block)
            elif block.language == "python":
                printed = self._python(block, names)
            elif block.language in ("console", "bash", "shell"):
                printed, shown, actual = self._console(block)
            elif block.language in ("text", "json") and printed is not None:
                actual = printed
            elif block.language == "toml":
                tomllib.loads(block.body)
            else:
                raise AssertionError(f"{block.place}: nothing runs a block of the language {block.language!r}")
            if actual is not None and not agrees(shown, actual):
                assert self.update, f"{block.place} shows\n{shown}\nand there is\n{actual}"
                changes.append((block.start, block.end, actual))
        if changes:
            text = page.read_text(encoding="utf-8")
            for start, end, actual in reversed(changes):
                lines = [line.rstrip() for line in actual.strip("\n").splitlines()]
                text = text[:start] + "\n".join(lines) + "\n" + text[end:]
            page.write_text(text, encoding="utf-8")

    def _file(self, block: Block) -> str | None:
        path = self.folder / block.title
        if path.exists():
            return path.read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")
        return None

    def _python(self, block: Block, names: dict[str, Any]) -> str:
        self.capsys.readouterr()
        # Empty lines before it, so that a traceback gives the line of the page.
        code = compile("\n" * (block.line - 1) + block.body, str(block.page), "exec")
        exec(code, names)
        return self.capsys.readouterr().out

    def _console(self, block: Block) -> tuple[str, str, str]:
        """Output of the last command; what the block shows; what it would show if made now."""
        commands = block.commands()
        shown, actual, output = "", "", ""
        for number, command in enumerate(commands, 1):
            pictured = block.picture is not None and number == len(commands)
            output = self._call(command.line, command.output, colour=pictured)
            if pictured:
                self._picture(block, output)
            shown += command.shown + (command.output + "\n" if command.output else "")
            actual += command.shown + (output.strip("\n") + "\n" if command.output else "")
        return output, shown, actual

    def _call(self, line: str, expected: str, colour: bool = False) -> str:
        line = line.partition("  #")[0].strip()
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.monkeypatch.setenv(name, value)
            return ""
        if line.startswith("pip install "):
            return self._install(shlex.split(line)[2:])
        match = _COMMAND.fullmatch(line)
        if not match or _JOINS_WORKERS.search(line):
            return _shell(line, "")
        interrupt = "^C" in expected
        stdin = _shell(match["before"], "") if match["before"] else ""
        arguments, _, target = match["arguments"].partition(" > ")
        with self.monkeypatch.context() as patch:
            patch.setenv("COLUMNS", "80" if colour else "100")
            if colour:
                patch.setenv("FORCE_COLOR", "1")
            if interrupt:
                _interrupt_after_first_epoch(patch)
            command = self.command if colour or interrupt else self.shared
            done = command(*shlex.split(arguments), stdin=stdin.encode())
        allowed = (130,) if interrupt else (0, 1, 2, 3) if expected else (0,)
        assert done.status in allowed, f"{line}\n{done.err}"
        if colour:
            return done.out
        # A terminal takes away the stages of the work.
        done = done._replace(err=re.sub(r"^.* …\n", "", done.err, flags=re.MULTILINE))
        if target:
            Path(target.strip()).write_text(done.out, encoding="utf-8")
            return done.err
        if match["after"]:
            return done.err + _shell(match["after"], done.out)
        # As on a terminal, which shows the key that was pressed.
        errors = done.err.replace("\nInterrupted: ", "\n^CInterrupted: ") if interrupt else done.err
        return errors + done.out

    def _install(self, wanted: list[str]) -> str:
        """Install a project of the page; what comes from elsewhere has to be polytag, with extras that it has."""
        from polytag.plugin import manager

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for requirement in wanted:
            if requirement == "-e":
                continue
            if (Path(requirement) / "pyproject.toml").is_file():
                options = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
                place = ("--target", str(self.folder / "installed"), requirement)
                subprocess.run([sys.executable, "-m", "pip", "install", *options, *place], check=True)
                self.monkeypatch.syspath_prepend(self.folder / "installed")
                self.monkeypatch.setattr(manager, "_isolated", [manager.PluginManager()])
                continue
            found = re.fullmatch(r"(\w+|\.)(?:\[([\w,]+)\])?", requirement)
            assert found, f"pip install {requirement}"
            assert found[1] in ("polytag", "."), f"pip install {requirement}"  # "." is a checkout of it
            assert set(filter(None, (found[2] or "").split(","))) <= set(project["optional-dependencies"])
        return ""

    def _picture(self, block: Block, output: str) -> None:
        path = block.page.parent / str(block.picture)
        assert output, f"{block.place}: there is nothing to make a picture of"
        picture = svg(output, path.stem)
        if path.is_file() and _words_alone(path.read_text(encoding="utf-8")) == _words_alone(picture):
            return
        assert self.update, f"{block.place}: {path.name} shows something else than\n{svg_text(picture)}"
        path.write_text(picture, encoding="utf-8")


def svg(output: str, name: str) -> str:
    """A picture of what a terminal shows, made by rich; with a font of the reader's machine: nothing is fetched."""
    import io

    from rich.console import Console
    from rich.text import Text

    text = Text.from_ansi(output.strip("\n"))
    width = max(len(line) for line in text.plain.splitlines())
    console = Console(
        record=True, width=max(width, 40), file=io.StringIO(), color_system="truecolor", force_terminal=True
    )
    console.print(text, highlight=False, soft_wrap=True)
    picture = console.export_svg(title="", unique_id=name)
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("font-family: Fira Code, monospace", "font-family: monospace") + "\n"


def svg_text(picture: str) -> str:
    """The text in a picture, line by line."""
    import xml.etree.ElementTree as ElementTree

    rows: dict[str, str] = {}
    for element in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text"):
        rows[element.get("y", "")] = (
            rows.get(element.get("y", ""), "") + " " + (element.text or "").replace("\xa0", " ")
        )
    return "\n".join(" ".join(row.split()) for row in rows.values())


def _words_alone(picture: str) -> str:
    return re.sub(r"[-+]?\d[\d.,]*", "#", svg_text(picture))


def _shell(line: str, stdin: str) -> str:
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", line],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        encoding="utf-8",
        env=environment,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def _interrupt_after_first_epoch(patch: pytest.MonkeyPatch) -> None:
    import signal

    from polytag.training.progress import ConsoleReporter

    tell = ConsoleReporter.epoch

    def told(self: ConsoleReporter, epoch: Any) -> None:
        tell(self, epoch)
        signal.raise_signal(signal.SIGINT)

    patch.setattr(ConsoleReporter, "epoch", told)
