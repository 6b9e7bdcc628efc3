"""The yardstick: DuckDB over the Parquet files of a block, for the queries that SQL can say. Run by `trace-benches run
--duckdb PYTHON`; arguments: the block's folder, how often. Prints JSON: milliseconds by the text of the query."""

import json
import sys
import time

import duckdb

BLOCK, REPEAT = sys.argv[1], int(sys.argv[2])
STEP = 15_000_000_000

SPANS = f"'{BLOCK}/spans.parquet'"
SERVICES = f"(SELECT service_name, file_row_number AS resource FROM read_parquet('{BLOCK}/resources.parquet', file_row_number = true))"

# Ours ask for another range each time, and so do these: {first} is below every start.
QUERIES = {
    '{ span.order.id = "ORD-990537545" }':
        f"""SELECT trace FROM {SPANS} WHERE "span.order.id:str" = 'ORD-990537545'""",
    '{ span.user.id = "u-43" }':
        f"""SELECT trace, max(start_time) AS last FROM {SPANS} WHERE "span.user.id:str" = 'u-43' GROUP BY trace ORDER BY last DESC LIMIT 20""",
    "{ duration > 500ms }":
        f"SELECT trace, max(start_time) AS last FROM {SPANS} WHERE duration > 500000000 GROUP BY trace ORDER BY last DESC LIMIT 20",
    "{ } | rate()":
        f"SELECT (start_time - {{first}}) // {STEP} AS bucket, count(*) FROM {SPANS} GROUP BY bucket",
    "{ } | rate() by (resource.service.name)":
        f"SELECT service_name, (start_time - {{first}}) // {STEP} AS bucket, count(*) FROM {SPANS} JOIN {SERVICES} USING (resource) GROUP BY ALL",
    "{ status = error } | count_over_time() by (name, resource.service.name)":
        f"SELECT name, service_name, (start_time - {{first}}) // {STEP} AS bucket, count(*) FROM {SPANS} JOIN {SERVICES} USING (resource) WHERE status_code = 2 GROUP BY ALL",
    "{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)":
        f"SELECT service_name, (start_time - {{first}}) // {STEP} AS bucket, ceil(log2(duration)) AS power, count(*) FROM {SPANS} JOIN {SERVICES} USING (resource) WHERE kind = 2 AND duration >= 2 GROUP BY ALL",
    "{ } | histogram_over_time(duration)":
        f"SELECT (start_time - {{first}}) // {STEP} AS bucket, ceil(log2(duration)) AS power, count(*) FROM {SPANS} WHERE duration >= 2 GROUP BY ALL",
    "{ } | avg_over_time(span.transaction.amount) by (span.country)":
        f"""SELECT "span.country:str", (start_time - {{first}}) // {STEP} AS bucket, avg("span.transaction.amount:float") FROM {SPANS} WHERE "span.transaction.amount:float" IS NOT NULL GROUP BY ALL""",
}

connection = duckdb.connect()
first = connection.execute(f"SELECT min(start_time) FROM {SPANS}").fetchone()[0]
columns = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {SPANS}").fetchall()}
figures = {}
for query, sql in QUERIES.items():
    named = {name for name in ("span.order.id:str", "span.user.id:str", "span.country:str", "span.transaction.amount:float") if f'"{name}"' in sql}
    if not named <= columns:
        continue
    times = []
    for turn in range(REPEAT + 2):
        text = sql.format(first=first - turn)
        begun = time.perf_counter()
        connection.execute(text).fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
    times = sorted(times[2:])
    figures[query] = times[len(times) // 2]
print(json.dumps(figures))
