"""The yardstick: DuckDB over the Parquet files of a block, for the questions that SQL can say. Run by `trace-benches run
--duckdb PYTHON`; arguments: the block's folder, how often, the questions. Prints JSON: milliseconds and the number of
rows by the text of the question.

Searches ask for the twenty newest traces, as ours do, but not for what is shown of them."""

import json
import sys
import time

import duckdb

BLOCK, REPEAT, ASKED = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
STEP = 15_000_000_000
# A question has so many seconds, or three rounds that count.
LONGEST = 1.5

SPANS = f"read_parquet('{BLOCK}/spans.parquet')"
ROWS = f"read_parquet('{BLOCK}/spans.parquet', file_row_number = true)"
SERVICES = f"(SELECT service_name, file_row_number AS resource FROM read_parquet('{BLOCK}/resources.parquet', file_row_number = true))"
EVENTS = f"read_parquet('{BLOCK}/events.parquet')"

# Another range each time, as ours: {first} is below every start.
BUCKET = f"(start_time - {{first}}) // {STEP} AS bucket"


def newest(where, source=SPANS):
    return f"SELECT trace, max(start_time) AS last FROM {source} WHERE {where} GROUP BY trace ORDER BY last DESC LIMIT 20"


def series(columns, values, source=SPANS, where="true"):
    columns = "".join(f"{column}, " for column in columns)
    return f"SELECT {columns}{BUCKET}, {values} FROM {source} WHERE {where} GROUP BY ALL"


def column(name):
    return f'"span.{name}"'


SERVED = f"{SPANS} JOIN {SERVICES} USING (resource)"
# Spans with their rows; a subtree is a range of rows.
MARKED = f"(SELECT *, file_row_number AS row FROM {ROWS})"
POWER = "ceil(log2(duration)) AS power, count(*)"
CLIENTS = f"""SELECT trace, max(last) AS last FROM (SELECT trace, service_name, max(start_time) AS last, avg(duration) AS mean
    FROM {SERVED} WHERE kind = 3 GROUP BY ALL) WHERE mean > 300000000 GROUP BY trace ORDER BY last DESC LIMIT 20"""


def below(above, wanted):
    """Rows below a row that is meant: those before the furthest end so far of such rows' subtrees."""
    return f"""(SELECT * FROM (SELECT *, max(CASE WHEN {above} THEN row + descendants END)
        OVER (ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach FROM {MARKED} JOIN {SERVICES} USING (resource))
        WHERE reach >= row AND {wanted})"""


def compare():
    """Counts by selection, interval and value, of every attribute with a column and of the names."""
    columns = [f'"{name}"' for name in COLUMNS if name.startswith("span.")] + ["name", "kind", "status_code"]
    sets = ", ".join(f"(selected, bucket, {name})" for name in columns)
    return f"""SELECT status_code = 2 AS selected, {BUCKET}, {", ".join(columns)}, count(*) FROM {SERVED}
        WHERE service_name = 'payment-service' GROUP BY GROUPING SETS ({sets})"""


QUERIES = {
    '{ span.order.id = "ORD-990537545" }': newest(f"""{column("order.id:str")} = 'ORD-990537545'"""),
    '{ span.user.id = "u-43" }': newest(f"""{column("user.id:str")} = 'u-43'"""),
    "{ status = error }": newest("status_code = 2"),
    "{ duration > 500ms }": newest("duration > 500000000"),
    '{ resource.service.name = "payment-service" && span.http.request.method = "POST" && duration > 200ms }':
        newest(f"""service_name = 'payment-service' AND {column("http.request.method:str")} = 'POST' AND duration > 200000000""", SERVED),
    '{ span.http.method = "DELETE" }': newest(f"""{column("http.method:str")} = 'DELETE'"""),
    '{ name =~ ".*nothing-like-this.*" }': newest("name LIKE '%nothing-like-this%'"),
    '{ name =~ ".*orders.*" }': newest("name LIKE '%orders%'"),
    '{ resource.service.name = "api-gateway" } && { span.db.system = "postgresql" && duration > 20ms }':
        f"""SELECT trace, max(start_time) AS last FROM {SERVED} GROUP BY trace HAVING bool_or(service_name = 'api-gateway')
            AND bool_or({column("db.system:str")} = 'postgresql' AND duration > 20000000) ORDER BY last DESC LIMIT 20""",
    '{ resource.service.name = "api-gateway" } >> { status = error }': newest("true", below("service_name = 'api-gateway'", "status_code = 2")),
    '{ name = "POST /orders" } > { duration > 800ms }':
        f"""SELECT child.trace, max(child.start_time) AS last FROM {MARKED} child JOIN {MARKED} parent
            ON parent.row = child.row - child.parent_offset AND child.parent_offset > 0
            WHERE parent.name = 'POST /orders' AND child.duration > 800000000 GROUP BY child.trace ORDER BY last DESC LIMIT 20""",
    '{ name = "validate_order" } ~ { name = "apply_discount" && duration > 5ms }':
        f"""SELECT a.trace, max(a.start_time) AS last FROM {MARKED} a JOIN {MARKED} b
            ON a.row - a.parent_offset = b.row - b.parent_offset AND a.trace = b.trace AND a.parent_offset > 0 AND b.parent_offset > 0
            WHERE b.name = 'validate_order' AND a.name = 'apply_discount' AND a.duration > 5000000 GROUP BY a.trace ORDER BY last DESC LIMIT 20""",
    '{ span.db.system = "postgresql" } | count() > 4':
        f"""SELECT trace, max(start_time) AS last FROM {SPANS} WHERE {column("db.system:str")} = 'postgresql'
            GROUP BY trace HAVING count(*) > 4 ORDER BY last DESC LIMIT 20""",
    "{ kind = client } | by(resource.service.name) | avg(duration) > 300ms": CLIENTS,
    '{ .country = "BR" && .http.response.status_code = 500 }':
        newest(f"""{column("country:str")} = 'BR' AND {column("http.response.status_code:int")} = 500"""),
    '{ event.exception.message =~ "Insufficient.*" }':
        f"""SELECT trace, max(start_time) AS last FROM {MARKED} JOIN {EVENTS} ON span = row
            WHERE "event.exception.message:str" LIKE 'Insufficient%' GROUP BY trace ORDER BY last DESC LIMIT 20""",
    "{ } | rate()": series([], "count(*)"),
    "{ } | rate() by (resource.service.name)": series(["service_name"], "count(*)", SERVED),
    "{ status = error } | count_over_time() by (name, resource.service.name)":
        series(["name", "service_name"], "count(*)", SERVED, "status_code = 2"),
    "{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)":
        series(["service_name"], POWER, SERVED, "kind = 2 AND duration >= 2"),
    "{ } | histogram_over_time(duration)": series([], POWER, SPANS, "duration >= 2"),
    "{ } | avg_over_time(span.transaction.amount) by (span.country)":
        series([column("country:str")], f"""avg({column("transaction.amount:float")})""", SPANS,
               f"""{column("transaction.amount:float")} IS NOT NULL"""),
    '{ resource.service.name = "order-service" } >> { status = error } | rate() by (name)':
        series(["name"], "count(*)", below("service_name = 'order-service'", "status_code = 2")),
    '{ resource.service.name = "payment-service" } | compare({ status = error })': compare,
    '{ span.transaction.amount = 5.95 && span.payment.method = "paypal" }':
        newest(f"""{column("transaction.amount:float")} = 5.95 AND {column("payment.method:str")} = 'paypal'"""),
    '{ span.search.query = "lamp" }': newest(f"""{column("search.query:str")} = 'lamp'"""),
    "{ span.http.status_code >= 500 }": newest(f"""{column("http.status_code:int")} >= 500"""),
    '{ resource.service.name = "api-gateway" && span.user.country = "BR" && duration > 1s }':
        newest(f"""service_name = 'api-gateway' AND {column("user.country:str")} = 'BR' AND duration > 1000000000""", SERVED),
    '{ span.db.statement =~ ".*carts.*" }': newest(f"""{column("db.statement:str")} LIKE '%carts%'"""),
    '{ span.http.route = "/orders" } >> { span.db.system = "redis" && duration > 10ms }':
        newest("true", below(f"""{column("http.route:str")} = '/orders'""", f"""{column("db.system:str")} = 'redis' AND duration > 10000000""")),
    "{ kind = server } | by(name) | max(duration) > 2s":
        f"""SELECT trace, max(last) AS last FROM (SELECT trace, name, max(start_time) AS last, max(duration) AS longest
            FROM {SPANS} WHERE kind = 2 GROUP BY ALL) WHERE longest > 2000000000 GROUP BY trace ORDER BY last DESC LIMIT 20""",
    "{ } | rate() by (span.http.status_code)": series([column("http.status_code:int")], "count(*)"),
    "{ span.db.system != nil } | quantile_over_time(duration, .9) by (span.db.statement)":
        series([column("db.statement:str")], POWER, SPANS, f"""{column("db.system:str")} IS NOT NULL AND duration >= 2"""),
    "{ } | sum_over_time(span.discount.amount) by (span.discount.applied)":
        series([column("discount.applied:bool")], f"""sum({column("discount.amount:float")})""", SPANS,
               f"""{column("discount.amount:float")} IS NOT NULL"""),
    "tag values of resource.service.name": f"SELECT service_name, count(*) FROM {SERVED} GROUP BY ALL",
    "tag values of span.user.id":
        f"""SELECT {column("user.id:str")}, count(*) FROM {SPANS} WHERE {column("user.id:str")} IS NOT NULL GROUP BY ALL""",
    "tag values of name, { status = error }": f"SELECT name, count(*) FROM {SPANS} WHERE status_code = 2 GROUP BY ALL",
}

connection = duckdb.connect()
# It would be printed among the figures.
connection.execute("SET enable_progress_bar = false")
first = connection.execute(f"SELECT min(start_time) FROM {SPANS}").fetchone()[0]
COLUMNS = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {SPANS}").fetchall()]
figures = {}
for query in ASKED:
    sql = QUERIES.get(query)
    if sql is None:
        continue
    sql = sql() if callable(sql) else sql
    named = {part for part in sql.split('"') if part.startswith("span.")}
    if not named <= set(COLUMNS):
        continue
    times, end = [], time.perf_counter() + LONGEST
    for turn in range(REPEAT + 2):
        text = sql.replace("{first}", str(first - turn))
        begun = time.perf_counter()
        rows = connection.execute(text).fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
        if turn >= 4 and time.perf_counter() > end:
            break
    times = sorted(times[2:])
    figures[query] = (times[len(times) // 2], len(rows))
print(json.dumps(figures))
