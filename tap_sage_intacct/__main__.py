"""The console command `tap-sage-intacct`; also `python -m tap_sage_intacct`."""

from __future__ import annotations

import gc

GC_THRESHOLD = 100_000
"""Objects made between two looks for cycles; Python's own choice is some hundreds."""


def main() -> None:
    """Run the tap; see `tap.main`."""
    # Before the tap is imported: modules and records form no cycles, and looking for
    # some is felt at the start and in every page.
    gc.set_threshold(GC_THRESHOLD)
    from tap_sage_intacct.tap import main as run_tap  # noqa: PLC0415

    run_tap()


if __name__ == "__main__":
    main()
