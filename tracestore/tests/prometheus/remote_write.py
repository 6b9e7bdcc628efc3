"""Remote write: every sample arrives, once, whatever becomes of the receiver and of the sender meanwhile."""

import time

import recording
from scrape import NATIVE
from tools import free_port, parsed, same, wait_for, with_bounds

FLAGS = ["--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage,native-histograms"]
CONFIG = {"storage": {"exemplars": {"max_exemplars": 100000}}}
# More than the same command takes that prints the series: a segment of the spool, a request, and the connection.
MEMORY_MB = 32


def check(tools):
    said = [restart(tools), outage(tools), snapshot(tools)]
    return "; ".join(said)


def restart(tools):
    """A sender that is killed while nobody is there leaves all in its spool; the next one sends it."""
    port, spool = free_port(), tools.folder / "spool"
    sending = ["--remote-write", receiver(port), "--spool", spool]
    sender = tools.traceql_started("span-metrics", "--step", "1s", *sending, tools.otlp)
    wait_for("the spool to have all", lambda: is_at_rest(spool))
    assert sender.poll() is None, "the command waits"
    sender.kill()
    sender.wait()
    expected = history(tools, "1s")
    with tools.prometheus(CONFIG, *FLAGS, data="restart", port=port) as prometheus:
        # It has no series of its own: no span starts so early.
        sent = tools.traceql("span-metrics", "--end", "2000-01-01", *sending, tools.otlp)
        assert sent == f"{len(expected)} samples sent\n".encode(), sent
        same("samples after a restart", samples(prometheus, expected, "1s"), expected)
    return f"{len(expected)} samples after a restart of the sender"


def outage(tools):
    """The receiver ends while it is sent to, and comes back."""
    step, port = "50ms", free_port()
    printer = tools.traceql_measured("span-metrics", "--step", step, tools.otlp)
    expected, printing = ended(printer)
    expected = {(labels, at): value for labels, value, at, _ in parsed(expected)}
    with tools.prometheus(CONFIG, *FLAGS, data="outage", port=port) as prometheus:
        sending = ["--step", step, "--remote-write", receiver(port), "--spool", tools.folder / "spool 2", tools.otlp]
        sender = tools.traceql_measured("span-metrics", *sending)
        first, last = min(at for _, at in expected), max(at for _, at in expected)
        wait_for("the first samples", lambda: prometheus.values("count(traces_spanmetrics_calls_total)", first + 4))
    time.sleep(2)
    assert sender.poll() is None, "the command has ended before the outage"
    with tools.prometheus(CONFIG, *FLAGS, data="outage", port=port) as prometheus:
        sent, memory = ended(sender)
        assert sent == f"{len(expected)} samples sent\n".encode(), sent
        same("samples after an outage", samples(prometheus, expected, step), expected)
        assert prometheus.api("query_exemplars", query="traces_spanmetrics_latency_bucket", start=first, end=last)
    assert memory < printing + MEMORY_MB, f"{memory} MB to send, {printing} MB to print"
    return f"{len(expected)} after an outage ({memory} MB; {printing} MB to print them)"


def snapshot(tools):
    """What there is, without times, and native histograms."""
    native = tools.file("native.yaml", NATIVE)
    _, last = recording.times(tools.otlp)
    with tools.prometheus(CONFIG, *FLAGS, data="snapshot") as prometheus:
        to = ["--remote-write", prometheus.receiver, "--end", last + 1]
        tools.traceql("span-metrics", "--config", native, *to, tools.otlp)
        expected = {labels: value for labels, value, _, _ in parsed(tools.traceql("span-metrics", tools.otlp))}
        found = prometheus.query('{__name__=~"traces_.*"}', last + 1)
        values = {labels: float(series["value"][1]) for labels, series in found.items() if "value" in series}
        same("a snapshot", with_bounds(values), expected)
        histograms = {labels: series["histogram"][1] for labels, series in found.items() if "histogram" in series}
        counts = {labels: float(histogram["count"]) for labels, histogram in histograms.items()}
        calls = sum(count for labels, count in counts.items() if ("__name__", "traces_spanmetrics_latency") in labels)
        assert calls == 2999, calls
    return f"{len(expected)} of a snapshot, {len(counts)} native histograms"


def receiver(port):
    return f"http://127.0.0.1:{port}/api/v1/write"


def is_at_rest(folder):
    """Whether there is something in a spool that does not grow for two seconds."""
    size = lambda: sum(path.stat().st_size for path in folder.glob("*.wal"))
    before = size()
    time.sleep(2)
    return before > 0 and size() == before


def history(tools, step):
    text = tools.traceql("span-metrics", "--step", step, tools.otlp)
    return {(labels, at): value for labels, value, at, _ in parsed(text)}


def samples(prometheus, expected, step):
    times = [at for _, at in expected]
    found = prometheus.samples('{__name__=~"traces_.*"}', min(times), max(times), step)
    return {(labels, at): value for (labels, at), value in rebound(found).items()}


def rebound(found):
    """`with_bounds` of the labels of keys that have a time as well."""
    series = {labels for labels, _ in found}
    new = dict(zip(series, (next(iter(with_bounds({labels: None}))) for labels in series)))
    return {(new[labels], at): value for (labels, at), value in found.items()}


def ended(process):
    """What a command that was measured has printed, and its greatest memory in MB."""
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err.decode()
    return out, int(err.split()[-1]) // 1024
