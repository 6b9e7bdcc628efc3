"""What the checks have in common: the command, promtool, a Prometheus of their own, and series as dictionaries."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SAMPLE = re.compile(r"^(\w+)(?:\{(.*?)\})? (\S+)(?: ([\d.]+))?(?: # \{(.*?)\} (\S+) (\S+))?$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Tools:
    def __init__(self, traceql, bin_dir, otlp, alert_rules, folder):
        self.traceql_path, self.bin, self.otlp = traceql, pathlib.Path(bin_dir), otlp
        self.alert_rules, self.folder = pathlib.Path(alert_rules).resolve(), pathlib.Path(folder)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def traceql(self, *args, code=0):
        """Standard output of the command, which has to end with this code."""
        done = subprocess.run([self.traceql_path, *map(str, args)], capture_output=True, check=False)
        assert done.returncode == code, f"{args}: exit {done.returncode}: {done.stderr.decode()}"
        return done.stdout

    def traceql_started(self, *args):
        return subprocess.Popen([self.traceql_path, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def traceql_measured(self, *args):
        """Started from a process that has little memory itself: a new one begins with the peak of its parent. Its peak,
        in KB, is the last word on standard error."""
        script = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:])\n"
        script += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)"
        command = [sys.executable, "-c", script, self.traceql_path, *map(str, args)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def promtool(self, *args):
        subprocess.run([self.bin / "promtool", *map(str, args)], check=True, capture_output=True)

    @contextlib.contextmanager
    def prometheus(self, config, *flags, data="data", port=None):
        """A Prometheus that answers; ended with the block."""
        port = port or free_port()
        path = self.file("prometheus.json", json.dumps(config))  # JSON is YAML
        command = [
            self.bin / "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={self.folder / data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            *flags,
        ]
        with open(self.folder / "prometheus.log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            prometheus = Prometheus(port)
            wait_for("Prometheus to be ready", lambda: prometheus.is_ready() or process.poll() is not None)
            assert process.poll() is None, (self.folder / "prometheus.log").read_text()
            yield prometheus
        finally:
            process.terminate()
            process.wait()


class Prometheus:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.receiver = f"{self.url}/api/v1/write"

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def api(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error

    def query(self, query, time=None):
        """The series of an instant query, by their labels."""
        at = {} if time is None else {"time": time}
        result = self.api("query", query=query, **at)["result"]
        return {key(series["metric"]): series for series in result}

    def values(self, query, time=None):
        return {labels: float(series["value"][1]) for labels, series in self.query(query, time).items()}

    def samples(self, query, start, end, step):
        """All samples of the series that a query finds: (labels, time) to value."""
        result = self.api("query_range", query=query, start=start, end=end, step=step)["result"]
        return {(key(series["metric"]), at): float(value) for series in result for at, value in series["values"]}


def key(labels, without=("instance", "job")):
    return tuple(sorted((name, value) for name, value in labels.items() if name not in without))


def parsed(text):
    """The samples of a text exposition: name with labels, value, time, and the exemplar's trace id."""
    for line in text.decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels, value, at, exemplar, _, _ = SAMPLE.match(line).groups()
        labels = {name: unescaped(value) for name, value in LABEL.findall(labels or "")}
        if "le" in labels:
            labels["le"] = bound(labels["le"])
        exemplar = dict(LABEL.findall(exemplar)).get("traceID") if exemplar else None
        yield key({"__name__": name, **labels}), float(value), at and float(at), exemplar


def unescaped(value):
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


def bound(text):
    """A bucket's bound, however it is written: `2`, `2.0`."""
    return text if text == "+Inf" else repr(float(text))


def with_bounds(series):
    """Series whose bounds are written as `parsed` does it."""
    rebound = lambda labels: key({name: bound(value) if name == "le" else value for name, value in labels})
    return {rebound(labels): value for labels, value in series.items()}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.2)
    return found


def same(what, found, expected, tolerance=0.0):
    """Asserts that two dictionaries have the same keys, and values that differ by no more than such a part."""
    assert expected, f"{what}: nothing to compare"
    missing, more = expected.keys() - found.keys(), found.keys() - expected.keys()
    assert not missing, f"{what}: {len(missing)} are missing: {list(missing)[:3]}"
    assert not more, f"{what}: {len(more)} should not be there: {list(more)[:3]}"
    for labels, value in expected.items():
        assert abs(found[labels] - value) <= abs(value) * tolerance, f"{what}: {labels}: {found[labels]}, not {value}"
    return len(expected)
