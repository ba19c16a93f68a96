"""Whether the tests notice when the mathematics is wrong: mutants of `gauss`, `process`, `sample` and `score`.

    cargo install cargo-mutants
    pip install -r scripts/mutants/requirements.txt
    python scripts/mutants/run.py [--sample COUNT] [--again]

cargo-mutants names the mutants; building the crate once for each of its thousands would take days. Here all are
compiled in at once, each behind a switch that the environment sets, so the crate is built once. Each test runs once to
see which mutants it reaches, and each mutant meets the tests that reach it, the unit tests first, then those of `tests/`
that run scripts, until one fails or takes five times as long as it should. What was found stays in
target/mutants/found.json; `--again` takes from there what was caught, and shows the rest only the tests that are new.
"""

import argparse
import concurrent.futures
import json
import pathlib
import random
import shutil
import subprocess
import time
from collections import Counter, defaultdict

import schemata
import trial

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("gauss", "process", "sample", "score")
# Tests outside the library that run scripts or its functions. Those of `tests/paper.rs` and `tests/options.rs` take
# minutes for each mutant that nothing else notices; the others look at the sources or at the command.
BINARIES = ("language", "errors", "figures", "reproducibility", "faults")
PROFILE = [
    "--release",
    "--config",
    "profile.release.package.tumble.opt-level=1",
    "--config",
    "profile.release.package.tumble.codegen-units=64",
]
ASKED = ("caught", "timeout", "missed", "unreached")
# Those that do not compile, those that a switch cannot express, and those that the compiler evaluates.
NOT_ASKED = ("unviable", "inexpressible", "constant")


def listed(options):
    """The mutants that cargo-mutants would make, or some drawn by chance, numbered from 1."""
    command = ["cargo", "mutants", "--list", "--json"]
    for module in options.modules.split(","):
        command += ["-f", f"src/{module}/**", "-f", f"src/{module}.rs"]
    text = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [
        schemata.Mutant(number, *(entry[key] for key in ("name", "file", "genre", "replacement", "span")))
        for number, entry in enumerate(drawn(json.loads(text), options), 1)
    ]


def drawn(entries, options):
    """`--sample` entries of each module, drawn by chance, or all."""
    if not options.sample:
        return entries
    chosen = []
    for name in MODULES:
        own = [entry for entry in entries if module(entry["file"]) == name]
        chosen += random.Random(options.seed).sample(own, min(options.sample, len(own)))
    return chosen


def laid_out(tree):
    """A copy of the sources, ready for the switch."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock", "README.md", "src", "stdlib", "tests", "examples", "scripts"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tree / name)
    root = tree / "src/lib.rs"
    text = root.read_text()
    allow = "#![allow(warnings, arithmetic_overflow, unconditional_panic, unconditional_recursion, clippy::all)]\n"
    root.write_text(allow + text + "\npub mod mutants;\n")
    # A case that once failed would come first for all later mutants, and small cases of failures help nobody here.
    property = tree / "src/property.rs"
    text = property.read_text()
    kept = "failure_persistence: Some(Box::new(beside)),"
    assert kept in text
    property.write_text(text.replace(kept, "failure_persistence: None,\n        max_shrink_iters: 0,"))


def written(tree, mutants):
    """Writes all mutants that are not absent into the files of the tree."""
    by_file = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    for file, group in by_file.items():
        source = schemata.Schemata((REPOSITORY / file).read_text())
        for mutant in group:
            if mutant.absent in ("", "unviable", "inexpressible"):
                was, mutant.absent = mutant.absent, ""
                source.add(mutant)
                mutant.absent = mutant.absent or was
        (tree / file).write_text(source.write())
    (tree / "src/mutants.rs").write_text(f"//! The switch.\n{schemata.SWITCH}{len(mutants) + 1};\n")


def messages(command, tree):
    """Whether a command of cargo succeeds, and what it says."""
    process = subprocess.run(
        ["cargo", *command, *PROFILE, "--message-format=json"],
        cwd=tree,
        env={**trial.os.environ, "CARGO_TARGET_DIR": str(tree.parent / "build")},
        capture_output=True,
        text=True,
    )
    found = [json.loads(line) for line in process.stdout.split("\n") if line.startswith("{")]
    if process.returncode and not found:
        raise SystemExit(process.stderr)
    return process.returncode == 0, found


# What the compiler says where the type of a value does not follow from the mutant alone.
UNKNOWN = ("E0282", "E0283")


def rejected(found, tree, mutants):
    """Marks the mutants that the compiler finds fault with; how many."""
    marked, by_place = 0, defaultdict(list)
    for mutant in mutants:
        by_place[mutant.place].append(mutant)
    layouts = {}
    for entry in found:
        message = entry.get("message") or {}
        if entry.get("reason") != "compiler-message" or message.get("level") != "error":
            continue
        code = (message.get("code") or {}).get("code", "")
        for mutant in blamed(tree, message, mutants, by_place, layouts):
            if not mutant.absent:
                is_opaque = mutant.genre == "FnValue" and mutant.returns_opaque
                mutant.absent = "inexpressible" if is_opaque or code in UNKNOWN else "unviable"
                marked += 1
    if not marked:
        for entry in found:
            message = entry.get("message") or {}
            if message.get("level") == "error":
                print(message["rendered"])
        raise SystemExit("the compiler finds fault with what no mutant changes")
    return marked


def blamed(tree, message, mutants, by_place, layouts):
    """The mutants in which an error lies; else all of the place where it lies; else what changes its function."""
    span = next(span for span in message["spans"] if span["is_primary"])
    while span["expansion"] and not (tree / span["file_name"]).is_file():
        span = span["expansion"]["span"]
    file = span["file_name"]
    text = (tree / file).read_bytes()
    if file not in layouts:
        layouts[file] = schemata.places_of(text)
    for start, end, number, place in layouts[file]:
        if start <= span["byte_start"] and span["byte_end"] <= end:
            return [mutants[number - 1]] if number else by_place[place]
    # Where a function returns something that only its body names, or a choice lost an arm that it needs.
    start, end = schemata.function_around(text, span["byte_start"])
    inside = {number for first, last, number, _ in layouts[file] if start <= first and last <= end}
    return [mutant for mutant in mutants if mutant.number in inside and mutant.genre in ("FnValue", "MatchArm")]


def built(tree, mutants, integration, told):
    """The test binaries by name, the library's and those of `tests/`, without the mutants that do not compile."""
    command = ["test", "--no-run", "--lib"]
    if integration:
        command += [word for name in BINARIES for word in ("--test", name)]
    while True:
        written(tree, mutants)
        good, found = messages(command, tree)
        if good:
            break
        told(f"{rejected(found, tree, mutants)} mutants do not compile")
    made = [entry for entry in found if entry.get("executable") and entry["profile"]["test"]]
    return {entry["target"]["name"]: entry["executable"] for entry in made}


def recorded(tree, binaries, count, options, scratch):
    """The tests that pass without a mutant, with what they reach."""
    tests = [trial.Test(path, name, str(tree)) for path in binaries.values() for name in trial.names(path, tree)]
    if options.own:
        tests = [test for test in tests if test.name.split("::")[0] in MODULES]

    def one(test):
        return test, trial.record(test, count, str(scratch / f"reached-{id(test)}"))

    good = []
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for test, passed in pool.map(one, tests):
            if passed:
                good.append(test)
            else:
                print(f"without a mutant this test fails, and is left out: {test.name}", flush=True)
    for file in scratch.glob("reached-*"):
        file.unlink()
    return good


def ordered(mutant, tests, library):
    """The tests that reach a mutant: the library's, those of its own file before others, quick before slow."""
    own = mutant.file.removeprefix("src/").removesuffix(".rs").removesuffix("/mod").replace("/", "::")
    reaching = [test for test in tests if mutant.place in test.reached]
    return sorted(reaching, key=lambda test: (test.binary != library, not test.name.startswith(own), test.seconds))


def module(file):
    return file.split("/")[1].removesuffix(".rs")


def table(found):
    """For each module: mutants that can be asked, what became of them, and how many cannot be asked."""
    lines = ["| module | mutants | caught | timed out | missed | reached by no test | score | not asked |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name in MODULES:
        outcomes = Counter(outcome for outcome, _, of in found.values() if of == name)
        caught, late, missed, bare = (outcomes[key] for key in ASKED)
        total = caught + late + missed + bare
        if total:
            score = f"{100 * (caught + late) / total:.1f} %"
            rest = ", ".join(f"{outcomes[key]} {key}" for key in NOT_ASKED if outcomes[key])
            lines.append(f"| {name} | {total} | {caught} | {late} | {missed} | {bare} | {score} | {rest} |")
    return "\n".join(lines)


def judged(todo, tests, library, options, told):
    """Yields (mutant, outcome, test that noticed) of (mutant, tests that it has not met) as they come."""

    def one(pair):
        mutant, fresh = pair
        if not any(mutant.place in test.reached for test in tests):
            return mutant, "unreached", ""
        return mutant, *trial.judge(mutant.number, ordered(mutant, fresh, library))

    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        waiting = [pool.submit(one, pair) for pair in todo]
        for count, done in enumerate(concurrent.futures.as_completed(waiting), 1):
            told(f"{count} of {len(todo)}: {done.result()[1]} {done.result()[0].name}")
            yield done.result()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", default=",".join(MODULES), help="some of them, with commas")
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of each module, by chance; 0 is all")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--workers", type=int, default=2, help="mutants at a time")
    parser.add_argument("--again", action="store_true", help="only what was missed, against tests that are new")
    parser.add_argument("--unit", action="store_true", help="only the library's own tests")
    parser.add_argument("--own", action="store_true", help="only the library's tests of these modules")
    return parser.parse_args()


def main():
    options, start = arguments(), time.monotonic()

    def told(what):
        print(f"[{time.monotonic() - start:6.0f} s] {what}", flush=True)

    scratch = REPOSITORY / "target/mutants"
    tree, file = scratch / "tree", scratch / "found.json"
    before = json.loads(file.read_text()) if options.again else {"found": {}, "tests": []}
    mutants = listed(options)
    for mutant in mutants:
        outcome = before["found"].get(mutant.name, [""])[0]
        mutant.absent = outcome if outcome in ("unviable", "inexpressible") else ""
    told(f"{len(mutants)} mutants")
    laid_out(tree)
    binaries = built(tree, mutants, not (options.unit or options.own), told)
    told("built")
    tests = recorded(tree, binaries, len(mutants) + 1, options, scratch)
    told(f"{len(tests)} tests pass without a mutant, in {sum(test.seconds for test in tests):.0f} s")

    known = set(before["tests"])
    fresh = [test for test in tests if test.name not in known]
    found, todo = {}, []
    for mutant in mutants:
        outcome = before["found"].get(mutant.name)
        if mutant.absent:
            found[mutant.name] = (mutant.absent, "", module(mutant.file))
        elif outcome and outcome[0] in ("caught", "timeout"):
            found[mutant.name] = tuple(outcome)
        else:
            todo.append((mutant, fresh if outcome else tests))
    random.Random(0).shuffle(todo)
    for mutant, outcome, name in judged(todo, tests, binaries["tumble"], options, told):
        found[mutant.name] = (outcome, name, module(mutant.file))
        file.write_text(json.dumps({"found": found, "tests": sorted(known | {test.name for test in tests})}, indent=1))
    for name, (outcome, _, _) in sorted(found.items()):
        if outcome in ("missed", "unreached"):
            print(f"{outcome:9} {name}")
    print(table(found))
    told("done")


if __name__ == "__main__":
    main()
