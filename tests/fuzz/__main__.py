"""Fuzz one reader with atheris, or all of them, for a time.

    python -m tests.fuzz [NAME …] [--seconds 60] [--findings folder]

Needs atheris on the path (`make fuzz` brings it). Seeds and what was found interesting live in a folder that is thrown
away; a finding is written to `--findings` and named in the output.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path


def fuzz(name: str, seconds: int, findings: Path) -> None:
    """Run one harness in this process, which libFuzzer ends."""
    import atheris  # noqa: PLC0415  (not a part of the development environment)

    with atheris.instrument_imports(include=["certlib"]):
        from tests.fuzz.harnesses import HARNESSES  # noqa: PLC0415

    harness = HARNESSES[name]
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for seed in harness.seeds():
        harness.check(seed)
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words))
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={harness.max_length}",
        f"-dict={words}",
        f"-artifact_prefix={findings}/{name}-",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=1",
        str(corpus),
    ]
    atheris.Setup(arguments, _checked(harness.check))
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _checked(check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Atheris wants a function that returns nothing and takes bytes alone."""
    return lambda data: check(bytes(data))


def main() -> int:
    """One name: here. None or several: each in a process of its own, the first failure counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    options.findings.mkdir(exist_ok=True)
    if len(options.names) == 1:
        fuzz(options.names[0], options.seconds, options.findings)
        return 0
    from tests.fuzz.harnesses import HARNESSES  # noqa: PLC0415  (a harness's own process loads it instrumented)

    tail = ["--seconds", str(options.seconds), "--findings", str(options.findings)]
    commands = [[sys.executable, "-m", "tests.fuzz", name, *tail] for name in options.names or HARNESSES]
    return max(subprocess.run(command, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
