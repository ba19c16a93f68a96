"""Runs tests: alone to record what they reach, and together against one mutant."""

import os
import resource
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field

# No mutant may take the machine's memory.
MEMORY = 6 << 30


@dataclass(eq=False)
class Test:
    binary: str
    name: str
    folder: str
    seconds: float = 0.0
    reached: set = field(default_factory=set)


def limited():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(tests, environment, limit):
    """(outcome, name of the first test that failed) of tests of one binary: passed, failed or late."""
    command = [tests[0].binary, "--exact", "--test-threads=1", *(test.name for test in tests)]
    process = subprocess.Popen(
        command,
        cwd=tests[0].folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=limited,
    )
    try:
        return follow(process, time.monotonic() + limit)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def follow(process, end):
    """Reads what a test binary prints until it ends, a test fails, or the time is over."""
    watch = selectors.DefaultSelector()
    watch.register(process.stdout, selectors.EVENT_READ)
    printed = b""
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return "late", last_begun(printed)
        if not watch.select(left):
            continue
        piece = os.read(process.stdout.fileno(), 1 << 16)
        printed += piece
        if b" ... FAILED" in printed:
            before = printed[: printed.index(b" ... FAILED")]
            return "failed", before[before.rindex(b"test ") + 5 :].decode()
        if not piece:
            passed = process.wait() == 0
            return ("passed", "") if passed else ("failed", last_begun(printed))


def last_begun(printed):
    lines = [line for line in printed.decode(errors="replace").split("\n") if line.startswith("test ")]
    return lines[-1][5:].split(" ... ")[0] if lines else ""


def names(binary, folder):
    """The tests of a binary that are not ignored."""

    def listed(*more):
        command = [binary, "--list", "--format", "terse", *more]
        printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        return [line.removesuffix(": test") for line in printed.split("\n") if line.endswith(": test")]

    ignored = set(listed("--ignored"))
    return [name for name in listed() if name not in ignored]


def record(test, count, file):
    """Runs one test without a mutant and notes its time and what it reaches; whether it passes."""
    with open(file, "wb") as out:
        out.write(bytes(count))
    start = time.monotonic()
    outcome, _ = run([test], {"MUTANTS_REACHED": file}, 600)
    test.seconds = time.monotonic() - start
    with open(file, "rb") as back:
        test.reached = {place for place, mark in enumerate(back.read()) if mark}
    return outcome == "passed"


# Tests run in groups, so that the start of a process is paid seldom, and few run in vain: seconds of each group.
GROUPS = (0.3, 1, 4, 15, 60)


def grouped(tests):
    """The tests in their order, split by binary and by time."""
    group, spent, index = [], 0.0, 0
    for test in tests:
        full = group and spent + test.seconds > GROUPS[min(index, len(GROUPS) - 1)]
        if full or (group and group[0].binary != test.binary):
            yield group
            group, spent, index = [], 0.0, index + 1
        group.append(test)
        spent += test.seconds
    if group:
        yield group


def judge(number, tests):
    """(outcome, test that noticed) of a mutant against the tests that reach it, in their order."""
    for group in grouped(tests):
        limit = 10 + 5 * sum(test.seconds for test in group)
        outcome, name = run(group, {"MUTANT": str(number)}, limit)
        if outcome != "passed":
            return {"failed": "caught", "late": "timeout"}[outcome], name
    return "missed", ""
