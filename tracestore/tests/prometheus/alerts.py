"""The alerts that are shipped: promtool takes them and their unit test, and fed live they fire in a real Prometheus."""

import time

import recording
from tools import wait_for

RECEIVER = "--web.enable-remote-write-receiver"
NAMES = {"HighErrorRate", "HighLatency"}


def check(tools):
    tools.promtool("check", "rules", tools.alert_rules)
    tools.promtool("test", "rules", tools.alert_rules.with_suffix(".test.yaml"))
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(tools.alert_rules)]}
    with tools.prometheus(config, RECEIVER) as prometheus:
        first, last = recording.times(tools.otlp)
        now = tools.file("now.otlp", recording.shifted(tools.otlp, time.time() - last))
        tools.traceql("span-metrics", "--step", "1s", "--remote-write", prometheus.receiver, now)
        fed = time.monotonic()
        wait_for("both alerts to wait", lambda: alerts(prometheus, "pending") == NAMES)
        wait_for("both alerts to fire", lambda: alerts(prometheus, "firing") == NAMES, 120)
    return f"both fire {time.monotonic() - fed:.0f} s after {last - first:.0f} s of spans"


def alerts(prometheus, state):
    return {alert["labels"]["alertname"] for alert in prometheus.api("alerts")["alerts"] if alert["state"] == state}
