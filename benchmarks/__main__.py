"""How fast the tap loads, against the road that the SDK's documentation teaches.

    python -m benchmarks [--rows N] [--runs N] [--parts speed,latency] [--full] [--write]

Prints Markdown; `--write` puts it into docs/performance.md, with a plot beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.calls import count_calls
from benchmarks.chart import svg
from benchmarks.page_server import DEFAULT_POOL
from benchmarks.report import Results, markdown, put
from benchmarks.servers import ROOT, page_server
from benchmarks.suite import Bench
from benchmarks.taps import contestants

DOCUMENT = ROOT / "docs" / "performance.md"
PARTS = ("speed", "discovery", "latency", "scale", "calls")
ROW_COUNTS = (10_000, 100_000)
MANY_ROWS = 1_000_000


def main() -> None:
    """Measure, print, and write where that is asked for."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        results = measure(options, folder)
    text = markdown(results)
    print(text)
    if options.write:
        DOCUMENT.write_text(put(text, DOCUMENT.read_text("utf-8")), "utf-8")
        plot = svg(results.speed, results.latency)
        DOCUMENT.with_suffix(".svg").write_text(plot, "utf-8")


def measure(options: argparse.Namespace, folder: Path) -> Results:
    """The parts that are asked for."""
    results = Results(options.runs)
    with page_server(min(DEFAULT_POOL, max(options.rows, 1))) as pages:
        bench = Bench(folder, pages, contestants(folder, pages.url), options.runs)
        if "speed" in options.parts:
            _say("Speed")
            results.speed = bench.speed(options.rows)
        if "discovery" in options.parts:
            _say("Discovery")
            results.discovery_seconds = bench.discovery()
        if "latency" in options.parts:
            _say("Slow answers")
            results.latency = bench.latency(options.rows)
            if options.full:
                results.long_latency = bench.long_latency(MANY_ROWS)
        if "scale" in options.parts:
            _say("More rows")
            more = (MANY_ROWS,) if options.full else ()
            results.scale = bench.scale((*ROW_COUNTS, *more))
    if "calls" in options.parts:
        _say("Calls")
        results.calls = count_calls(folder, options.journal_lines)
    return results


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=100_000, help="of the one stream")
    parser.add_argument("--runs", type=int, default=5, help="whose medians are told")
    parser.add_argument(
        "--parts",
        type=_parts,
        default=PARTS,
        help=f"some of {','.join(PARTS)}; default: all",
    )
    parser.add_argument("--full", action="store_true", help="also a million rows")
    parser.add_argument(
        "--journal-lines", type=int, default=20_000, help="of the sandboxed company"
    )
    parser.add_argument(
        "--write", action="store_true", help="docs/performance.md and its plot"
    )
    parser.add_argument("--keep", type=Path, help="folder for what the taps write")
    options = parser.parse_args()
    if options.write and set(options.parts) != set(PARTS):
        parser.error("--write needs all parts, or it would drop the other tables")
    return options


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return parts


def _say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
