"""A scrape of every form: no error, every value, exemplars, and native histograms."""

import http.server
import threading

import recording
from tools import parsed, same, wait_for, with_bounds

NATIVE = """
metrics_generator:
  processor: { span_metrics: {}, service_graphs: {} }
overrides: { defaults: { metrics_generator: { generate_native_histograms: both } } }
"""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def check(tools):
    native = tools.file("native.yaml", NATIVE)
    made = lambda *args: tools.traceql("span-metrics", *args, tools.otlp)
    pages = {
        "text": ("text/plain; version=0.0.4", made()),
        "openmetrics": (OPENMETRICS, made("--format", "openmetrics")),
        "protobuf": (PROTOBUF, made("--format", "protobuf")),
        "native": (PROTOBUF, made("--format", "protobuf", "--config", native)),
    }
    flags = "--enable-feature=exemplar-storage,native-histograms"
    with serving(pages) as port, tools.prometheus(config(pages, port), flags) as prometheus:
        wait_for("all to be scraped", lambda: prometheus.values("count(up)") == {(): len(pages)})
        for target in prometheus.api("targets")["activeTargets"]:
            assert target["health"] == "up", f"{target['scrapePool']}: {target['lastError']}"
        expected = list(parsed(pages["openmetrics"][1]))
        values = {labels: value for labels, value, _, _ in expected}
        for job in ["text", "openmetrics", "protobuf"]:
            found = with_bounds(prometheus.values(f'{{__name__=~"traces_.*",job="{job}"}}'))
            same(f"what was scraped as {job}", found, values)
        calls = prometheus.values('sum(traces_spanmetrics_calls_total{job="openmetrics"})')
        assert calls == {(): 2999}, calls
        exemplars = {(labels, exemplar) for labels, _, _, exemplar in expected if exemplar}
        for job in ["openmetrics", "protobuf"]:
            found = set(scraped_exemplars(tools, prometheus, job))
            assert found == exemplars, f"exemplars of {job}: {len(found)}, not {len(exemplars)}"
        histograms = natives(tools, prometheus, values)
    return f"{len(values)} series in 3 forms, {len(exemplars)} exemplars, {histograms} native histograms"


def scraped_exemplars(tools, prometheus, job):
    first, last = recording.times(tools.otlp)
    query = f'{{__name__=~".*_bucket",job="{job}"}}'
    for series in prometheus.api("query_exemplars", query=query, start=first - 1, end=last + 600):
        for labels in with_bounds({tuple(sorted(series["seriesLabels"].items())): None}):
            for exemplar in series["exemplars"]:
                yield labels, exemplar["labels"]["traceID"]


def natives(tools, prometheus, values):
    """Native histograms count what the classic ones do, and tell quantiles better."""
    found = prometheus.query('{__name__=~"traces_spanmetrics_latency|traces_service_graph.*_seconds",job="native"}')
    found = {labels: series["histogram"][1] for labels, series in found.items()}
    names = {dict(labels)["__name__"] for labels in found}
    for suffix in ["_count", "_sum"]:
        expected = {labels: value for labels, value in values.items() if is_of(labels, names, suffix)}
        natives = {with_suffix(labels, suffix): float(histogram[suffix[1:]]) for labels, histogram in found.items()}
        same(f"native {suffix}", natives, expected, 1e-12)
    exact = recording.durations(tools.otlp)
    query = 'histogram_quantile({}, sum by (service) (traces_spanmetrics_latency{{job="native"}}))'
    for part in [0.5, 0.9, 0.99]:
        quantiles = {dict(labels)["service"]: value for labels, value in prometheus.values(query.format(part)).items()}
        expected = {service: recording.quantile(seconds, part) for service, seconds in exact.items()}
        same(f"native {part} quantiles", quantiles, expected, 0.1)  # bounds grow by 9 %
    return len(found)


def is_of(labels, names, suffix):
    name = dict(labels)["__name__"]
    return name.endswith(suffix) and name.removesuffix(suffix) in names


def with_suffix(labels, suffix):
    return tuple((name, value + suffix if name == "__name__" else value) for name, value in labels)


def config(pages, port):
    jobs = [
        {"job_name": job, "metrics_path": f"/{job}", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job in pages
    ]
    storage = {"exemplars": {"max_exemplars": 100000}}
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs, "storage": storage}


class serving:
    """Pages on loopback while the block lasts: path to content type and content."""

    def __init__(self, pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, content = pages[self.path.strip("/")]
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_port

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
