#!/usr/bin/env python3
"""Span metrics against a real Prometheus: what is scraped, backfilled and sent to it is what the spans say, and the
alerts that are shipped fire.

usage: check.py TRACEQL BIN_DIR OTLP_FILE ALERTS_FILE [CHECK...]

BIN_DIR holds prometheus and promtool; the file is zstd of varint-delimited ExportTraceServiceRequest messages. Every
Prometheus listens on loopback, on a free port, and is ended with the script. Needs the packages opentelemetry-proto and
zstandard. Exits with 1 at the first difference.
"""

import sys
import tempfile
import time

import alerts
import backfill
import remote_write
import scrape
from tools import Tools

CHECKS = {
    "scrape": scrape.check,
    "backfill": backfill.check,
    "remote write": remote_write.check,
    "alerts": alerts.check,
}


def main():
    traceql, bin_dir, otlp, alert_rules = sys.argv[1:5]
    for name in sys.argv[5:] or CHECKS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            said = CHECKS[name](Tools(traceql, bin_dir, otlp, alert_rules, folder))
        print(f"{name}: {said} ({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
