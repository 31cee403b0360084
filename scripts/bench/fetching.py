"""What wrk and fetching.sh left in a directory, for the reports about fetches."""

import pathlib
import re

from document import median


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


class Run:
    """What wrk printed for one side, one number of connections and one round."""

    def __init__(self, text):
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        self.p50 = milliseconds(re.search(r"\s50%\s+(\S+)", text).group(1))
        self.p99 = milliseconds(re.search(r"\s99%\s+(\S+)", text).group(1))
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        socket_errors = re.search(r"Socket errors: (.*)", text)
        self.refused = int(refused.group(1)) if refused else 0
        self.errors = sum(int(n) for n in re.findall(r"\d+", socket_errors.group(1))) if socket_errors else 0


class Results:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def texts(self, pattern):
        return [(path.name, path.read_text()) for path in sorted(self.directory.glob(pattern))]

    def text(self, name, default=""):
        path = self.directory / name
        return path.read_text().strip() if path.exists() else default

    def runs(self, side, connections, rounds="[0-9]*"):
        return [Run(text) for _, text in self.texts(f"wrk.{side}.{connections}.{rounds}.txt")]

    def parameters(self):
        return {name: int(value) for name, value in (line.split() for line in self.text("parameters.txt").splitlines())}

    def numbers(self, pattern, field=0):
        return [float(text.split()[field]) for _, text in self.texts(pattern) if text.split()]


def thousands(number):
    return f"{number / 1000:.1f}k"


def latency(runs):
    return f"{median([run.p50 for run in runs]):.2f} / {median([run.p99 for run in runs]):.2f} ms" if runs else "–"


def troubles(runs):
    """Refused, errors."""
    return f"{sum(run.refused for run in runs)}, {sum(run.errors for run in runs)}"


def mebibytes(numbers):
    return [number / 1024 for number in numbers]
