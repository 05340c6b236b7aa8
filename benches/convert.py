"""Processor time of `touchline convert` beside that of hftbacktest's converter, by turns.

Theirs is timed within its process, behind a call that compiles it; ours is a whole process, its
start included. Both write their own file. Run by `benches/convert`.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from hftbacktest.data.utils import binancefutures

ROUNDS = 9
# Rows that their converter makes room for: enough for ten such files.
ROWS = 5_000_000


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ours(touchline, source, folder):
    out = os.path.join(folder, "ours.tle")
    if os.path.exists(out):
        os.remove(out)
    before = children()
    subprocess.run([touchline, "convert", source, out], check=True, capture_output=True)
    return children() - before


def theirs(source, folder):
    before = time.process_time()
    binancefutures.convert(
        source, output_filename=os.path.join(folder, "theirs.npz"), buffer_size=ROWS
    )
    return time.process_time() - before


def main():
    touchline, source = sys.argv[1:]
    silence = open(os.devnull, "w")
    said, sys.stdout = sys.stdout, silence
    with tempfile.TemporaryDirectory() as folder:
        theirs(source, folder)
        ours(touchline, source, folder)
        rounds = [(ours(touchline, source, folder), theirs(source, folder)) for _ in range(ROUNDS)]
    sys.stdout = said
    mine, other = (statistics.median(times) for times in zip(*rounds))
    ratios = sorted(b / a for a, b in rounds)
    ratio = statistics.median(ratios)
    print(
        f"convert: {mine * 1e3:.0f} ms of processor time, hftbacktest {other * 1e3:.0f} ms: "
        f"{ratio:.1f} times as fast ({ratios[0]:.1f} to {ratios[-1]:.1f}), target 4: "
        f"{'met' if ratio >= 4 else 'NOT MET'}"
    )
    sys.exit(0 if ratio >= 4 else 1)


if __name__ == "__main__":
    main()
