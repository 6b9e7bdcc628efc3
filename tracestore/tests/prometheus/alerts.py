"""The alerts that are shipped: promtool takes them and their unit test, and fed live they fire in a real Prometheus."""

import time

import recording
from tools import wait_for

RECEIVER = "--web.enable-remote-write-receiver"
EVERY = 2


def check(tools):
    tools.promtool("check", "rules", tools.alert_rules)
    tools.promtool("test", "rules", tools.alert_rules.with_suffix(".test.yaml"))
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(tools.alert_rules)]}
    with tools.prometheus(config, RECEIVER) as prometheus:
        pushes = feed(tools, prometheus)
        firing = lambda: {alert["labels"]["alertname"] for alert in prometheus.api("alerts")["alerts"] if alert["state"] == "firing"}
        started = time.monotonic()
        import os
        if os.environ.get("DBG"):
            for _ in range(20):
                print(prometheus.api("alerts"), prometheus.values("count_over_time(traces_spanmetrics_calls_total[5m])"), prometheus.api("rules"))
                time.sleep(2)
        wait_for("both alerts to fire", lambda: firing() == {"HighErrorRate", "HighLatency"}, 120)
    return f"both fire {time.monotonic() - started:.0f} s after the last of {pushes} pushes"


def feed(tools, prometheus):
    """The recording as if it were made now: what has been seen of it is sent every two seconds."""
    first, last = recording.times(tools.otlp)
    begun = time.time()
    now = tools.file("now.otlp", recording.shifted(tools.otlp, begun - first))
    pushes = 0
    while True:
        seen = time.time()
        tools.traceql("span-metrics", "--end", f"{seen:.3f}", "--remote-write", prometheus.receiver, now)
        pushes += 1
        if seen > begun + last - first:
            return pushes
        time.sleep(max(0, seen + EVERY - time.time()))
