"""Sign with two keys of a token from sixteen threads for some seconds; print how many signatures verified."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from certlib.crypto.keys import open_key
from certlib.crypto.suites import SUITES


def main(*words: str) -> int:
    """Arguments: two key URIs, seconds."""
    keys = [open_key(uri) for uri in words[:2]]
    until = time.monotonic() + float(words[2])

    def work(number: int) -> int:
        key, count = keys[number % 2], 0
        while time.monotonic() < until:
            message = b"%d/%d" % (number, count)
            SUITES[key.suite].verify(key.public_key, key.sign(message), message)
            count += 1
        return count

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(work, range(16)))


if __name__ == "__main__":
    sys.stdout.write(str(main(*sys.argv[1:])))
