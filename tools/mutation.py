"""Mutation testing: change the decision in small wrong ways, and see whether the tests notice.

A sample of the mutants of the files that decide (see ``mutants.py`` for the kinds of change), the
same for the same seed, an equal share of each file. Each runs in a process of its own against a
copy of the project, the likeliest killers first; the changed module exists in that process's
memory alone. Work is bounded by processor time, so that a busy machine changes no outcome.

A survivor is either a missing test or argued in ``docs/mutation.md``; one that isn't argued makes
this exit with 1. Why a tool of our own: mutmut 3 leaves decorated functions and all that is outside
functions as it is (here: every cached function, and every table), cosmic-ray needs a process and
a tree for each mutant.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis
import hypothesis.strategies
import pytest
from mutants import Importer, Mutant, mutants, mutated

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
ARGUED = ROOT / "docs" / "mutation.md"
REPORT = ROOT / "build" / "mutation.txt"
FILES = (
    "auditor/globs.py", "auditor/automata.py", "auditor/languages.py", "auditor/hosts.py",
    "auditor/domains/[!_]*.py", "auditor/engine/*.py", "auditor/policy/*.py",
    "auditor/closed.py", "auditor/rules/classify.py",
)  # fmt: skip
KILLS, LANGUAGES, POLICY = ("tests/mutation_kills",), ("tests/languages",), ("tests/policy",)
TABLES = ("tests/corpus_runner", "tests/engine/test_tables.py", "tests/engine/test_mended.py")
WHOLE = (
    "tests/test_audit.py", "tests/test_scope.py", "tests/organizations/test_cases.py",
    "tests/docs/test_rules.py", "tests/engine/test_laws.py", "tests/engine/test_memory.py",
)  # fmt: skip
STAGES = {
    "auditor/closed.py": (("tests/test_closed.py",),),
    "auditor/rules/": (("tests/test_classified.py", *TABLES), WHOLE),
    "auditor/policy/": ((*KILLS, *POLICY), TABLES, LANGUAGES, WHOLE),
    "auditor/engine/": ((*KILLS, *TABLES), WHOLE, (*POLICY, *LANGUAGES)),
    "auditor/": ((*KILLS, *LANGUAGES, *POLICY), TABLES, WHOLE),
}
"""Which tests, in which order, for a file whose path begins so: some seconds' worth of them."""
THOROUGH = (
    "tests/engine", "tests/judge", "tests/organizations", "tests/explain",
)  # fmt: skip
"""The rest of the tests about the decision: slower, and with ``--thorough``."""
EXAMPLES = 15
"""Examples that one property test tries: a mutant is killed by one, or by another test."""
CPU_SECONDS = 120
"""Processor seconds of one mutant, twice what even the thorough tests take: over it, it hangs."""
MEMORY = 4 << 30
"""Bytes that one mutant may take."""
SETTINGS = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps a test's settings: it has no public way to change them from outside."""
HOLDS, NOTICED, NEVER_RAN = 0, 1, 9
"""How the process of one mutant exits."""


class Bounded:
    """A pytest plugin: property tests try few examples, always the same, and don't shrink.

    Tests in ``broken`` (they fail on the unchanged code, so they can't notice anything) are left
    out; ``failed`` are those that failed.
    """

    def __init__(self, broken: frozenset[str] = frozenset()) -> None:
        self.broken = broken
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the broken tests out; set the property tests' settings anew."""
        items[:] = [item for item in items if item.nodeid not in self.broken]
        for item in items:
            test: Any = getattr(item, "obj", None)
            used = getattr(test, SETTINGS, None)
            if used is not None:
                fewer = hypothesis.settings(
                    used,
                    max_examples=min(used.max_examples, EXAMPLES),
                    derandomize=True,
                    database=None,
                    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
                )
                setattr(test, SETTINGS, fewer)


class Result(NamedTuple):
    """What became of a mutant: killed, hung (killed by its limits), survived or never ran."""

    mutant: Mutant
    outcome: str
    seconds: float


def sample(size: int, seed: int, only: list[str]) -> list[Mutant]:
    """Return mutants, an equal share of each file.

    Drawn by what they change, not by where they stand: a change of one function leaves the draw
    of the others as it was.
    """

    def drawn(one: Mutant) -> str:
        return sha256(f"{seed}:{one.function}:{one.before}:{one.after}".encode()).hexdigest()

    paths = sorted(path for glob in FILES for path in ROOT.glob(glob))
    files = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    queues = [sorted(mutants(file, text), key=drawn) for file, text in files.items()]
    chosen: list[Mutant] = []
    while len(chosen) < size and any(queues):
        chosen += [queue.pop() for queue in queues if queue]
    wanted = [one for one in chosen[:size] if not only or any(part in str(one) for part in only)]
    return sorted(wanted)


def copy_tree(target: Path) -> None:
    """Copy what the tests need."""
    leave = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in ("auditor", "chalicelib", "bench", "docs", "tests", "tools", ".chalice"):
        shutil.copytree(ROOT / name, target / name, ignore=leave)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, target)
    peer = ROOT / "build" / "peer"
    if peer.exists():
        (target / "build").mkdir()
        (target / "build" / "peer").symlink_to(peer)


def stages_of(file: str, *, thorough: bool) -> list[tuple[str, ...]]:
    """Return the tests that look at a file, the likeliest killers first."""
    stages = next(stages for start, stages in STAGES.items() if file.startswith(start))
    return [*stages, THOROUGH] if thorough else list(stages)


def tested(paths: tuple[str, ...], plugin: Bounded, *options: str) -> int:
    """Run tests in this process, from this folder; return pytest's status."""
    # the parent has imported hypothesis before pytest could look at it: no matter
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    there = [path for path in paths if Path(path).exists()]
    fixed = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *quiet]
    return int(pytest.main([*fixed, *options, *there], plugins=[plugin]))


def run_unchanged(told: Path, *, thorough: bool) -> int:
    """Run the tests on the unchanged code; write down which fail."""
    plugin = Bounded()
    for stage in stages_of("auditor/", thorough=thorough):
        if tested(stage, plugin) not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return NOTICED
    told.write_text("\n".join(plugin.failed))
    return HOLDS


def run(mutant: Mutant, broken: frozenset[str], *, thorough: bool) -> int:
    """Run the tests on a mutant, in this process, until one notices; return how to exit."""
    path = Path(mutant.file).resolve()
    name = mutant.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    importer = Importer(name, path, mutated(path.read_text(), mutant))
    importer.install()
    for stage in stages_of(mutant.file, thorough=thorough):
        if tested(stage, Bounded(broken), "-x") != pytest.ExitCode.OK:
            return NOTICED
    return HOLDS if importer.used else NEVER_RAN


def start(tree: Path, log: Path, work: Callable[[], int]) -> int:
    """Start a process in the copy of the project, bounded and silent; return its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = NOTICED
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        status = work()
        sys.stdout.flush()
    finally:
        os._exit(status)


def outcome(status: int) -> str:
    """Say what became of a process by its exit status as ``os.wait`` gives it."""
    if os.WIFSIGNALED(status):
        return "hung" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    names = {HOLDS: "survived", NOTICED: "killed", NEVER_RAN: "never ran"}
    return names.get(os.WEXITSTATUS(status), "killed")


def change_of(mutant: Mutant) -> tuple[str, ...]:
    """Return what an argument tells of a change: no line number, for lines move."""
    return mutant.file, mutant.function, mutant.before, mutant.after, mutant.around


def argued() -> Counter[tuple[str, ...]]:
    """Return the changes that ``docs/mutation.md`` argues, as ``change_of`` tells them apart."""
    text = ARGUED.read_text() if ARGUED.exists() else ""
    line = r"^- `([^`:]+)` ([\w.]+): `([^`]*)` -> `([^`]*)`(?: in `([^`]*)`)?(?: \((\d+) times\))?"
    found: Counter[tuple[str, ...]] = Counter()
    for *change, times in re.findall(line, text, re.MULTILINE):
        found[tuple(change)] += int(times or 1)
    return found


def main() -> int:
    """Run the sample; print survivors and the score; exit 1 where a survivor isn't argued."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=300, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--only", action="append", default=[], help="leave out what lacks this text"
    )
    parser.add_argument("--thorough", action="store_true", help="the slower tests too")
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = sample(options.sample, options.seed, options.only)
    if options.list:
        print(*chosen, sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        copy_tree(tree)
        return tell(chosen, race(tree, chosen, options.workers, thorough=options.thorough))


def race(tree: Path, chosen: list[Mutant], workers: int, *, thorough: bool) -> list[Result]:
    """Run the unchanged code, then every mutant, so many at a time."""
    log, told = tree.parent, tree.parent / "broken.txt"
    whole = start(tree, log / "log", partial(run_unchanged, told, thorough=thorough))
    if os.waitpid(whole, 0)[1] != 0:
        print((log / "log").read_text()[-3_000:])
        raise SystemExit("mutation: the tests don't run on the unchanged code")
    broken = frozenset(told.read_text().splitlines())
    for test in sorted(broken):
        print(f"left out, it fails on the unchanged code: {test}")
    waiting = list(reversed(chosen))
    running: dict[int, tuple[Mutant, float]] = {}
    results: list[Result] = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                mutant = waiting.pop()
                work = partial(run, mutant, broken, thorough=thorough)
                child = start(tree, log / f"{len(waiting)}.log", work)
                running[child] = mutant, time.monotonic()
            child, status = os.wait()
            mutant, since = running.pop(child)
            result = Result(mutant, outcome(status), time.monotonic() - since)
            results.append(result)
            print(f"[{len(results)}/{len(chosen)}] {result.outcome} {mutant}", flush=True)
    finally:
        for child in running:  # interrupted: leave nothing behind
            os.kill(child, signal.SIGKILL)
    return results


def tell(chosen: list[Mutant], results: list[Result]) -> int:
    """Print the survivors and the score."""
    known = argued()
    survivors = sorted(result.mutant for result in results if result.outcome == "survived")
    never = [result for result in results if result.outcome == "never ran"]
    open_ = []
    for mutant in survivors:
        key = change_of(mutant)
        is_argued = known[key] > 0
        known[key] -= 1
        if not is_argued:
            open_.append(mutant)
        print(f"survived{' (argued)' if is_argued else ''}: {mutant}")
    for result in never:
        print(f"never imported: {result.mutant}")
    killed = len(chosen) - len(survivors) - len(never)
    score = f"{killed} killed, {len(survivors)} survived (argued: {len(survivors) - len(open_)})"
    print(score)
    REPORT.parent.mkdir(exist_ok=True)
    lines = [f"{one.outcome} {one.seconds:.1f} {one.mutant}" for one in results]
    REPORT.write_text("\n".join([*sorted(lines), score, ""]))
    return 1 if open_ or never else 0


if __name__ == "__main__":
    sys.exit(main())
