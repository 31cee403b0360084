"""What trees of processes use, read from /proc: without privileges of its own and without touching them."""

import os
import threading

TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """One line of /proc/PID/stat (proc(5))."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name may hold blanks and parentheses.
            fields = file.read().rpartition(b")")[2].split()
        self.pid, self.parent = int(pid), int(fields[1])
        # Its own time, and that of the children that it has waited for.
        self.seconds = sum(int(field) for field in fields[11:15]) / TICK


def tree(*roots):
    """The processes with these numbers and all below them; those that end meanwhile are left out."""
    children, known = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                process = Process(name)
            except (FileNotFoundError, ProcessLookupError):
                continue
            known[process.pid] = process
            children.setdefault(process.parent, []).append(process)
    found, waiting = [], [known[root] for root in roots if root in known]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process.pid, [])
    return found


def cpu(*roots):
    """Seconds of processor time of a tree since its beginning, those of its dead included: whoever waited for them has inherited them."""
    return sum(process.seconds for process in tree(*roots))


def memory(*roots):
    """Proportional set size of a tree in KiB: pages that several share count once."""
    return sum(field(process.pid, "smaps_rollup", "Pss") for process in tree(*roots))


def field(pid, file, name):
    """A number of /proc/PID/FILE; 0 where the process has ended."""
    try:
        with open(f"/proc/{pid}/{file}") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Peaks:
    """The largest memory of several trees, and of all of them at the same moment, looked at now and then while the block runs."""

    def __init__(self, interval=1.0, **roots):
        self.interval, self.roots = interval, roots
        self.kibibytes = dict.fromkeys([*roots, "all"], 0)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.over.wait(self.interval):
            sizes = {name: memory(root) for name, root in self.roots.items()}
            sizes["all"] = sum(sizes.values())
            for name, size in sizes.items():
                self.kibibytes[name] = max(self.kibibytes[name], size)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
