"""What the reports of `make bench` and `make crash` share: the block of a document that each part rewrites, and figures as text."""

import os
import pathlib
import platform
import re
import statistics
import subprocess
import time


def first_line(command):
    """What a program says first, on either output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not found"
    return (done.stdout + done.stderr).strip().splitlines()[0] if done.stdout + done.stderr else ""


def median(numbers):
    return statistics.median(numbers) if numbers else float("nan")


def spread(numbers, form):
    """Median [smallest–largest]."""
    return f"{form(median(numbers))} [{form(min(numbers))}–{form(max(numbers))}]" if numbers else "–"


def ratios(ours, theirs):
    """Round by round, since both sides of a round had the same machine around them."""
    return [a / b for a, b in zip(ours, theirs) if b]


def fixed(number):
    return f"{number:.2f}"


def machine():
    """When, of which commit, and on what."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal"))) // (1024 * 1024)
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release") if line.startswith("PRETTY_NAME")), "?")
    commit = first_line(["git", "rev-parse", "--short", "HEAD"])
    commit = commit if re.fullmatch(r"[0-9a-f]+", commit) else "unknown"
    return (f"- {time.strftime('%Y-%m-%d', time.gmtime())}, commit {commit}; {os.cpu_count()} processors ({cpu}), {memory} GiB; {system}, "
            f"kernel {platform.release()}")


def compiler():
    swift = re.search(r"Swift version (\S+)", first_line([os.environ.get("SWIFT", "swift"), "--version"]))
    return f"Swift {swift.group(1) if swift else '?'}, release build"


def write(file, part, lines, author="make bench"):
    """Replaces what stands in the file between the two markers of a part; prints it too, and only that where the file is "-"."""
    begin, end = f"<!-- begin: {part}, written by {author} -->", f"<!-- end: {part}, written by {author} -->"
    block = "\n".join([begin, "", *lines, end])
    print(block)
    if str(file) == "-":
        return
    path = pathlib.Path(file)
    text = path.read_text() if path.exists() else "# Benchmarks\n"
    if begin not in text:
        text = text.rstrip("\n") + f"\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    path.write_text(before + block + rest.partition(end)[2])
