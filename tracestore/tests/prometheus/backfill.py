"""Backfill: blocks of the past that promtool makes of the command's OpenMetrics say what TraceQL says of the spans."""

import json
import math

import recording
from tools import key, parsed, same

STEP = 1
WINDOW = 5


def check(tools):
    history = tools.file("history", tools.traceql("span-metrics", "--step", f"{STEP}s", tools.otlp))
    tools.promtool("tsdb", "create-blocks-from", "openmetrics", history, tools.folder / "data")
    first, last = recording.times(tools.otlp)
    first, last = math.floor(first), math.ceil(last)
    with tools.prometheus({}) as prometheus:
        samples = {(labels, at): value for labels, value, at, _ in parsed(history.read_bytes())}
        name = "traces_spanmetrics_calls_total"
        calls = {sample: value for sample, value in samples.items() if ("__name__", name) in sample[0]}
        same("samples", prometheus.samples(name, first, last, STEP), calls)
        whole = prometheus.values("sum(traces_spanmetrics_calls_total)", last)
        assert whole == {(): 2999}, whole
        counts = sum(instant(tools, prometheus, first - STEP, at) for at in range(first + STEP, last + STEP, STEP))
        rates = sum(rate(tools, prometheus, at) for at in range(first + WINDOW, last + STEP, STEP))
        quantiles = sum(quantile(tools, prometheus, first, last, part) for part in [0.5, 0.9, 0.95, 0.99])
    assert counts > 200 and rates > 30 and quantiles > 12, (counts, rates, quantiles)
    compared = f"{counts} counts equal, {rates} rates within 5 %, {quantiles} quantiles within a factor of 2"
    return f"{len(samples)} samples; {compared}"


def instant(tools, prometheus, start, end):
    """The counter at an instant is what TraceQL counts up to it."""
    query = "{ } | count_over_time() by (resource.service.name, name, status)"
    counted = traceql(tools, query, "--start", start, "--end", end, "--instant")
    expected = {}
    for series in counted:
        labels, value = series["metric"], float(series["value"][1])
        status = f"STATUS_CODE_{labels['status'].upper()}"
        of = {"service": labels["resource_service_name"], "span_name": labels["name"], "status_code": status}
        expected[key(of)] = value
    found = prometheus.values("sum by (service, span_name, status_code) (traces_spanmetrics_calls_total) > 0", end)
    return same(f"counts at {end}", found, expected)


def rate(tools, prometheus, end):
    query = "{ } | rate() by (resource.service.name)"
    counted = traceql(tools, query, "--start", end - WINDOW, "--end", end, "--instant")
    service = lambda series: key({"service": series["metric"]["resource_service_name"]})
    expected = {service(series): float(series["value"][1]) for series in counted}
    found = prometheus.values(f"sum by (service) (rate(traces_spanmetrics_calls_total[{WINDOW}s])) > 0", end)
    return same(f"rates at {end}", found, expected, 0.05)


def quantile(tools, prometheus, first, last, part):
    """By service, where the exact one is not in the first bucket, which says nothing but that it is small."""
    buckets = f"sum by (service, le) (rate(traces_spanmetrics_latency_bucket[{last - first + STEP}s]))"
    query = f"histogram_quantile({part}, {buckets})"
    found = {dict(labels)["service"]: value for labels, value in prometheus.values(query, last).items()}
    compared = 0
    for service, seconds in recording.durations(tools.otlp).items():
        exact = recording.quantile(seconds, part)
        assert service in found, f"no {part} quantile of {service}"
        if exact > 0.002:
            compared += 1
            assert exact / 2 <= found[service] <= exact * 2, f"{part} of {service}: {found[service]}, exactly {exact}"
    return compared


def traceql(tools, query, *args):
    return json.loads(tools.traceql("query", "-o", "prometheus", *args, query, tools.otlp))["data"]["result"]
