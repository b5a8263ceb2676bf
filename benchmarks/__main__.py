"""`make bench`: every ratio. A number of rows as argument makes it shorter; 12 million is what the targets speak of."""

import sys
import time

from benchmarks import gate, linkage, night, read_delimited


def code_location_seconds() -> float:
    """Seconds to load the code location with a ready manifest, in a fresh process."""
    import subprocess

    command = [sys.executable, "-c", "import hims_pipeline.definitions"]
    subprocess.run(command, check=True, capture_output=True)  # renders and parses once
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 12_000_000
    read_delimited.main(rows)
    gate.main(rows)
    linkage.main(0.01)
    night.main()
    print(f"code location, manifest ready: {code_location_seconds():.1f} s (wanted: under 5)")


if __name__ == "__main__":
    main()
