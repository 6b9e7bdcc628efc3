//! SQL: tables, attributes as columns, searches as tables, what is pushed down and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "sql/refused.rs"]
mod refused;
mod support;

use datafusion::arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
    util::{
        display::{ArrayFormatter, FormatOptions},
        pretty::pretty_format_batches,
    },
};
use traceql::{Engine, SearchOptions};
use tracestore::{Snapshot, Store};

fn shop() -> Engine {
    Engine::new(Snapshot::open(&[support::testdata("otlp/shop.otlp.zst")]).unwrap())
}

async fn batches(engine: &Engine, sql: &str) -> Vec<RecordBatch> {
    let answer = engine.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    answer.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The rows as texts.
async fn rows(engine: &Engine, sql: &str) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("null");
    let mut rows = Vec::new();
    for batch in batches(engine, sql).await {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect()));
    }
    rows
}

async fn number(engine: &Engine, sql: &str) -> i64 {
    let batches = batches(engine, sql).await;
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

async fn error(engine: &Engine, sql: &str) -> traceql::Error {
    match engine.sql(sql).await {
        Err(error) => error,
        Ok(answer) => answer.collect().await.unwrap_err(),
    }
}

async fn plan(engine: &Engine, sql: &str) -> String {
    pretty_format_batches(&batches(engine, &format!("EXPLAIN {sql}")).await).unwrap().to_string()
}

/// A search in SQL's quotes.
fn quoted(search: &str) -> String {
    format!("traceql('{}')", search.replace('\'', "''"))
}

#[tokio::test]
async fn tables_have_what_was_recorded() {
    let engine = shop();
    for (table, count) in [("spans", 2_999), ("traces", 500), ("events", 58), ("links", 118)] {
        assert_eq!(number(&engine, &format!("SELECT count(*) FROM {table}")).await, count, "{table}");
    }
    let sums = "SELECT count(*), sum(spans), sum(errors), count(root_name) FROM traces";
    let errors = number(&engine, "SELECT count(*) FROM spans WHERE status = 'error'").await;
    let roots = number(&engine, "SELECT count(DISTINCT trace_id) FROM spans WHERE parent_span_id IS NULL").await;
    assert_eq!(rows(&engine, sums).await, [["500", "2999", &errors.to_string(), &roots.to_string()]]);
    // What tables say of one another.
    let same = "SELECT count(*) FROM traces t JOIN (SELECT trace_id, count(*) AS n, min(start_time) AS start, \
                count(*) FILTER (WHERE status = 'error') AS errors FROM spans GROUP BY trace_id) s \
                ON s.trace_id = t.trace_id AND s.n = t.spans AND s.start = t.start_time AND s.errors = t.errors";
    assert_eq!(number(&engine, same).await, 500);
    let events = "SELECT count(*) FROM events e JOIN spans s USING (trace_id, span_id) \
                  WHERE e.time >= s.start_time AND e.time_since_start_nanos <= s.duration_nanos";
    assert_eq!(number(&engine, events).await, 58);
    let links =
        "SELECT count(*) FROM links l JOIN spans s ON s.trace_id = l.linked_trace_id AND s.span_id = l.linked_span_id";
    assert!(number(&engine, links).await > 0);
}

#[tokio::test]
async fn columns_have_the_types_that_people_expect() {
    let engine = shop();
    let describe = rows(&engine, "DESCRIBE spans").await;
    let types: Vec<(&str, &str)> = describe.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(types[0], ("trace_id", "Utf8View"));
    assert!(types.contains(&("start_time", "Timestamp(ns, \"+00:00\")")), "{types:?}");
    assert!(types.contains(&("duration_nanos", "Int64")) && types.len() == 14, "{types:?}");
    let first = rows(&engine, "SELECT trace_id, span_id, kind, status, start_time FROM spans LIMIT 1").await;
    assert_eq!((first[0][0].len(), first[0][1].len()), (32, 16));
    assert!(first[0][4].starts_with("2026-11-20T10:43:") && first[0][4].ends_with('Z'), "{first:?}");
    let kinds = rows(&engine, "SELECT DISTINCT kind FROM spans ORDER BY kind").await.concat();
    assert!(kinds.contains(&"server".to_owned()) && kinds.contains(&"client".to_owned()), "{kinds:?}");
    assert_eq!(rows(&engine, "SHOW TABLES").await.iter().filter(|row| row[1] == "public").count(), 5);
}

#[tokio::test]
async fn all_attributes_are_json() {
    let engine = shop();
    let answer = engine.sql("SELECT attributes, resource_attributes, name FROM spans").await.unwrap();
    let marks: Vec<_> = answer.schema().fields().iter().map(|field| field.metadata().len()).collect();
    assert_eq!(marks, [1, 1, 0]);
    let mut methods = 0;
    for batch in answer.collect().await.unwrap() {
        for text in batch.column(0).as_string_view().iter().chain(batch.column(1).as_string_view()) {
            let object: serde_json::Value = serde_json::from_str(text.unwrap()).unwrap();
            methods += i64::from(object.get("http.method").is_some_and(serde_json::Value::is_string));
        }
    }
    assert_eq!(methods, number(&engine, "SELECT count(\"span.http.method\") FROM spans").await);
    // Which a star asks for as well, and which are cheap to leave out.
    let star = rows(&engine, "SELECT * FROM spans WHERE \"order.skus\" IS NOT NULL LIMIT 1").await;
    assert_eq!(star[0].len(), 15);
    assert!(star[0][12].contains("\"order.skus\":[\""), "{star:?}");
    assert!(!plan(&engine, "SELECT count(*) FROM spans").await.contains("http.method"));
}

/// Conditions in SQL, and searches that mean the same.
const SAME: [(&str, &str); 16] = [
    ("status = 'error'", "{ status = error }"),
    ("status <> 'error'", "{ status != error }"),
    ("'error' = status", "{ status = error }"),
    ("kind IN ('server', 'consumer')", "{ kind = server || kind = consumer }"),
    ("kind > 'k'", "{ kind = server || kind = producer || kind = unspecified }"),
    ("duration_nanos > 30000000", "{ duration > 30ms }"),
    ("name LIKE 'GET%'", "{ name =~ \"GET.*\" }"),
    ("service = 'api-gateway'", "{ resource.service.name = \"api-gateway\" }"),
    ("\"http.method\" = 'POST'", "{ .http.method = \"POST\" }"),
    ("\"span.http.method\" <> 'POST'", "{ span.http.method != \"POST\" }"),
    ("\"http.status_code\" >= 500", "{ .http.status_code >= 500 }"),
    ("\"http.status_code:int\" BETWEEN 400 AND 499", "{ span.http.status_code >= 400 && span.http.status_code < 500 }"),
    ("\"span.user.premium\"", "{ span.user.premium }"),
    ("\"resource.cloud.region\" IS NOT NULL", "{ resource.cloud.region != nil }"),
    (
        "attributes['http.method'] = 'GET' AND resource_attributes['service.name'] = 'api-gateway'",
        "{ span.http.method = \"GET\" && resource.service.name = \"api-gateway\" }",
    ),
    (
        "\"span:childCount\" > 2 AND \"trace:rootService\" = 'api-gateway'",
        "{ span:childCount > 2 && trace:rootService = \"api-gateway\" }",
    ),
];

#[tokio::test]
async fn conditions_find_what_searches_find() {
    let engine = shop();
    for (condition, search) in SAME {
        let expected = found(&engine, search).await;
        let select = |from: &str, condition: &str| format!("SELECT trace_id, 1, span_id FROM {from} WHERE {condition}");
        let mut by_condition = rows(&engine, &select("spans", condition)).await;
        let mut by_search = rows(&engine, &select(&quoted(search), "true")).await;
        // Where it is not pushed down.
        let mut above =
            rows(&engine, &select("(SELECT * FROM spans ORDER BY start_time LIMIT 100000)", condition)).await;
        for rows in [&mut by_condition, &mut by_search, &mut above] {
            rows.sort();
        }
        assert!(!expected.is_empty(), "{search}");
        assert_eq!(by_condition, expected, "{condition}");
        assert_eq!(by_search, expected, "{search}");
        assert_eq!(above, expected, "{condition}");
    }
}

/// The spans that a search finds: trace, spanset, span.
async fn found(engine: &Engine, search: &str) -> Vec<Vec<String>> {
    let all = SearchOptions::default().with_limit(usize::MAX).with_spss(0);
    let mut found = Vec::new();
    for trace in engine.search(search, &all).await.unwrap().traces {
        for (number, spanset) in trace.spansets.iter().enumerate() {
            let row = |span: &traceql::SpanMatch| {
                vec![trace.trace_id.to_string(), (number + 1).to_string(), span.span_id.to_string()]
            };
            found.extend(spanset.spans.iter().map(row));
        }
    }
    found.sort();
    found
}

/// Every search of the recordings, as a table.
#[tokio::test]
async fn searches_as_tables_find_what_searches_find() {
    let mut compared = 0;
    for name in support::RECORDINGS {
        let engine = Engine::new(Snapshot::open(&[support::recording(name)]).unwrap());
        for case in support::searches(name).into_iter().filter(|case| case.code == 200) {
            let all = SearchOptions::default().with_limit(usize::MAX).with_spss(0);
            let sql = format!("SELECT trace_id, spanset, span_id FROM {}", quoted(&case.query));
            match engine.search(&case.query, &all).await {
                Err(refused) => assert_eq!(error(&engine, &sql).await.to_string(), refused.to_string(), "{sql}"),
                Ok(_) => {
                    let mut rows = rows(&engine, &sql).await;
                    rows.sort();
                    assert_eq!(rows, found(&engine, &case.query).await, "{name}: {}", case.query);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[tokio::test]
async fn searches_join_with_tables() {
    let engine = shop();
    let join = "SELECT t.root_service, count(*) FROM traceql('{ status = error }') f JOIN traces t USING (trace_id) GROUP BY 1";
    let joined: i64 = rows(&engine, join).await.iter().map(|row| row[1].parse::<i64>().unwrap()).sum();
    assert_eq!(joined, number(&engine, "SELECT count(*) FROM spans WHERE status = 'error'").await);
    let grouped =
        "traceql('{ } | by(resource.service.name) | count() > 1 | avg(duration) > 1ms | select(span.http.method)')";
    let sql = format!(
        "SELECT \"by(resource.service.name)\", service, \"count()\", \"avg(duration)\", \"span.http.method\" FROM {grouped}"
    );
    let found = rows(&engine, &sql).await;
    assert!(found.len() > 1_000 && found.iter().all(|row| row[0] == row[1]));
    assert!(found.iter().all(|row| row[2].parse::<i64>().unwrap() > 1 && row[3].parse::<f64>().unwrap() > 1e6));
    // The counts are those of the rows.
    let counts = format!(
        "SELECT DISTINCT trace_id, spanset, \"count()\" - count(*) OVER (PARTITION BY trace_id, spanset) FROM {grouped}"
    );
    assert!(rows(&engine, &counts).await.iter().all(|row| row[2] == "0"));
    let star = rows(&engine, &format!("SELECT * FROM {grouped} LIMIT 1")).await;
    assert_eq!(star[0].len(), 1 + 3 + 14 + 2, "{star:?}");
    let numbered = "SELECT \"count()\", \"count() #2\" FROM traceql('{ } | count() > 1 | { status = error } | count() > 0') LIMIT 1";
    assert_eq!(rows(&engine, numbered).await[0].len(), 2);
}

#[tokio::test]
async fn conditions_and_columns_reach_the_scan() {
    let engine = shop();
    let plan = plan(
        &engine,
        "SELECT s.name, \"http.route\" FROM spans s JOIN traces t USING (trace_id) WHERE s.status = 'error' AND kind <> 'client' \
         AND \"http.method\" = 'POST' AND s.start_time >= '2026-11-20T10:43:40Z' AND t.spans > 3 AND s.duration_nanos / 2 > 5",
    )
    .await;
    let scan = plan.lines().find(|line| line.contains("SpanScanExec")).unwrap_or_else(|| panic!("{plan}"));
    for part in [
        "columns=[trace:id, name, span.http.route:str]",
        "status@0 = 2",
        "kind@0 != 3",
        "span.http.method:str@0 = POST",
        "start_time@0 >= 1795171420000000000",
        "duration@0 / 2 > 5",
    ] {
        assert!(scan.contains(part), "{part} is not in {scan}");
    }
    let filters = plan.lines().filter(|line| line.contains("FilterExec")).collect::<Vec<_>>();
    assert!(filters.iter().all(|line| line.contains("spans@")), "{plan}");
    let searched =
        self::plan(&engine, "SELECT name FROM traceql('{ status = error }') WHERE \"span.http.method\" = 'GET'").await;
    let scan = searched.lines().find(|line| line.contains("SpanScanExec")).unwrap_or_else(|| panic!("{searched}"));
    assert!(
        scan.contains("columns=[name]")
            && scan.contains("status@0 = 2")
            && scan.contains("span.http.method:str@0 = GET"),
        "{scan}"
    );
    let found = self::plan(&engine, "SELECT count(*) FROM traceql('{ status = error } >> { kind = server }')").await;
    // A search is run as the engine plans it: nothing is put between its operators.
    let search: Vec<&str> =
        found.lines().skip_while(|line| !line.contains("FoundSpansExec: columns=[]")).take(3).collect();
    assert!(search[1].contains("PipelineExec") && search[2].contains("SpanScanExec"), "{found}");
}

#[tokio::test]
async fn events_and_links_have_attributes_of_their_own() {
    let engine = shop();
    let by_name = rows(&engine, "SELECT name, count(*) FROM events GROUP BY name").await;
    assert_eq!(by_name.iter().map(|row| row[1].parse::<i64>().unwrap()).sum::<i64>(), 58);
    let models = number(&engine, "SELECT count(\"model\") FROM events").await;
    assert!(models > 0);
    assert_eq!(models, number(&engine, "SELECT count(attributes['model']) FROM events").await);
    assert_eq!(models, number(&engine, "SELECT count(*) FROM events WHERE attributes LIKE '%\"model\":%'").await);
    let services = "SELECT count(*) FROM events WHERE \"resource.service.name\" <> '' AND \"span:name\" <> ''";
    assert_eq!(number(&engine, services).await, 58);
    let operations = number(&engine, "SELECT count(\"link.messaging.operation\") FROM links").await;
    assert!(operations > 0 && operations <= 118);
    let spans = found(&engine, "{ event.model != nil }").await.len() as i64;
    let distinct =
        "SELECT count(*) FROM (SELECT DISTINCT trace_id, span_id FROM events WHERE \"event.model\" IS NOT NULL)";
    assert_eq!(number(&engine, distinct).await, spans);
    let plan = plan(&engine, "SELECT name FROM events WHERE trace_id = 'x' AND name = 'y'").await;
    assert!(plan.contains("has_elements(event:name@0)") && plan.contains("trace:id@0 = x"), "{plan}");
}

/// Kinds, statuses and times that OTLP can carry and SQL has no word for; lists and several types in events.
#[tokio::test]
async fn odd_values_are_kept() {
    let spans = r#"[
      {"traceId":"0123456789abcdef0123456789abcdef","spanId":"0000000000000001","name":"a","startTimeUnixNano":"10",
       "endTimeUnixNano":"20","kind":77,"status":{"code":9},"events":[
        {"timeUnixNano":"11","name":"e1","attributes":[{"key":"n","value":{"intValue":"1"}},
          {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}}]},
        {"timeUnixNano":"5","name":"e2","attributes":[{"key":"n","value":{"stringValue":"one"}}]},
        {"timeUnixNano":"13","name":"e3"}]},
      {"traceId":"0123456789abcdef0123456789abcdef","spanId":"0000000000000002","name":"b",
       "startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"18446744073709551615"}]"#;
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":{spans}}}]}}]}}")).unwrap();
    let engine =
        Engine::new(Snapshot::open(&[file.path().to_owned(), support::testdata("otlp/shop.otlp.zst")]).unwrap());

    let odd =
        "SELECT name FROM spans WHERE kind = 'kind(77)' AND status = 'status(9)' AND kind NOT IN ('server', 'kind(7)')";
    assert_eq!(rows(&engine, odd).await, [["a"]]);
    // Timestamps end in 2262.
    for late in ["start_time > '2100-01-01'", "start_time = '2262-04-11T23:47:16.854775807Z'"] {
        assert_eq!(rows(&engine, &format!("SELECT name FROM spans WHERE {late}")).await, [["b"]], "{late}");
    }
    assert_eq!(number(&engine, "SELECT count(*) FROM spans WHERE start_time > '1960-01-01'").await, 2_999 + 2);
    let events = "SELECT name, time, \"list\"[2], \"n\", \"event.n:int\", \"span:name\" FROM events WHERE name LIKE 'e_' ORDER BY 1";
    assert_eq!(
        rows(&engine, events).await,
        [
            ["e1", "1970-01-01T00:00:00.000000011Z", "y", "1", "1", "a"],
            ["e2", "1970-01-01T00:00:00.000000005Z", "null", "one", "null", "a"],
            ["e3", "1970-01-01T00:00:00.000000013Z", "null", "null", "null", "a"],
        ]
    );
    assert_eq!(
        rows(&engine, "SELECT count(*), count(\"list\"), count(\"model\") > 0 FROM events").await,
        [["61", "1", "true"]]
    );
}

#[tokio::test]
async fn an_attribute_of_several_types_is_a_column_for_each() {
    let attribute = |value: &str| format!("{{\"key\":\"x\",\"value\":{{{value}}}}}");
    let values = [
        "\"intValue\":\"7\"",
        "\"stringValue\":\"seven\"",
        "\"boolValue\":true",
        "\"doubleValue\":7.5",
        "\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{\"stringValue\":\"b\\\"\"}]}",
        "\"bytesValue\":\"AAE=\"",
    ];
    let spans: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(number, value)| {
            let also = if number < 4 { ",{\"key\":\"n\",\"value\":{\"intValue\":\"1\"}}" } else { ",{\"key\":\"n\",\"value\":{\"doubleValue\":2.5}}" };
            format!(
                "{{\"traceId\":\"0123456789abcdef0123456789abcdef\",\"spanId\":\"000000000000000{}\",\"name\":\"{number}\",\
                 \"startTimeUnixNano\":\"1{number}\",\"endTimeUnixNano\":\"20\",\"attributes\":[{}{also}]}}",
                number + 1,
                attribute(value)
            )
        })
        .collect();
    let resource = format!(
        "{{\"attributes\":[{},{{\"key\":\"r\",\"value\":{{\"stringValue\":\"res\"}}}}]}}",
        attribute("\"intValue\":\"1\"")
    );
    let text = format!(
        "{{\"resourceSpans\":[{{\"resource\":{resource},\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}",
        spans.join(",")
    );
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let engine = Engine::new(Snapshot::open(&[file.path().to_owned()]).unwrap());

    let texts = rows(&engine, "SELECT \"span.x\" FROM spans ORDER BY name").await.concat();
    assert_eq!(texts, ["7", "seven", "true", "7.5", "[\"a\",\"b\\\"\"]", "{\"bytesValue\":\"AAE=\"}"]);
    assert_eq!(rows(&engine, "SELECT \"x\" FROM spans ORDER BY name").await.concat(), texts);
    let typed = "SELECT \"x:int\" + 1, \"x:str\", \"span.x:bool\", \"x:float\", \"x:str[]\"[1], \"resource.x\" FROM spans ORDER BY name";
    assert_eq!(
        rows(&engine, typed).await,
        [
            ["8", "null", "null", "null", "null", "1"],
            ["null", "seven", "null", "null", "null", "1"],
            ["null", "null", "true", "null", "null", "1"],
            ["null", "null", "null", "7.5", "null", "1"],
            ["null", "null", "null", "null", "a", "1"],
            ["null", "null", "null", "null", "null", "1"],
        ]
    );
    // Integers and floats are numbers; what only the resource has is found without its scope.
    assert_eq!(rows(&engine, "SELECT sum(\"n\"), max(\"r\") FROM spans").await, [["9.0", "res"]]);
    // With its type an attribute is a column even if there is none.
    assert_eq!(number(&engine, "SELECT count(*) FROM spans WHERE \"nowhere:int\" IS NULL").await, 6);
    assert_eq!(number(&engine, "SELECT count(*) FROM spans WHERE attributes['nowhere'] IS NULL").await, 6);
    let keys = rows(&engine, "SELECT scope, key, type FROM attribute_keys ORDER BY scope, key, type").await;
    assert_eq!(keys.len(), 2 + 2 + 6, "{keys:?}");
    assert_eq!(keys[0], ["resource", "r", "str"]);
}

#[tokio::test]
async fn statements_mean_what_they_say() {
    let engine = shop();
    let all = rows(&engine, "SELECT * FROM traces ORDER BY trace_id LIMIT 3").await;
    assert_eq!(rows(&engine, "FROM traces ORDER BY trace_id LIMIT 3").await, all);
    assert_eq!(rows(&engine, "SELECT * FROM (FROM traces) ORDER BY trace_id LIMIT 3").await, all);
    // A star has the attributes that are named, be it beside it.
    let beside = rows(&engine, "SELECT *, \"http.method\" FROM spans WHERE \"http.method\" = 'POST' LIMIT 1").await;
    assert!(beside[0].len() == 15 && beside[0][14] == "POST", "{beside:?}");
    let except = "SELECT * EXCEPT (\"http.method\"), \"http.method\" FROM spans WHERE \"http.method\" = 'POST' LIMIT 1";
    assert_eq!(rows(&engine, except).await[0].len(), 15);
    // DataFusion would answer these as if the words were not there.
    for sql in [
        "SELECT name FROM spans TABLESAMPLE BERNOULLI (10)",
        "SELECT name FROM spans GROUP BY name WITH CUBE",
        "SELECT name FROM spans PREWHERE name = 'x'",
        "EXPLAIN SELECT name FROM spans CONNECT BY 1 = 1",
    ] {
        let error = error(&engine, sql).await;
        assert!(
            matches!(error, traceql::Error::Sql(_)) && error.to_string().starts_with("there is no "),
            "{sql}: {error}"
        );
    }
    let explained = rows(&engine, "EXPLAIN ANALYZE SELECT count(*) FROM spans WHERE status = 'error'").await;
    assert!(explained[0][1].contains("SpanScanExec") && explained[0][1].contains("output_rows="), "{explained:?}");
    let columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'traces'";
    assert_eq!(rows(&engine, columns).await.len(), 7);
    assert_eq!(rows(&engine, "SHOW COLUMNS FROM traces").await.len(), 7);
    assert_eq!(rows(&engine, "SELECT t.name FROM traceql.public.spans t LIMIT 2").await.len(), 2);
}

#[tokio::test]
async fn blocks_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(folder.path()).unwrap();
    let ingest = |name: &str| store.ingest([support::testdata(name)], &mut |_| {}).unwrap();
    for name in ["otlp/shop.otlp.zst", "conformance/clean.otlp.zst", "otlp/shop.otlp.zst"] {
        ingest(name);
    }
    let several = Engine::new(store.snapshot().unwrap());
    assert_eq!(several.snapshot().blocks().len(), 3);
    let clean = Engine::new(Snapshot::open(&[support::testdata("conformance/clean.otlp.zst")]).unwrap());
    let shop = shop();
    for table in ["spans", "traces", "events", "links", "traceql('{ } | count() > 2')"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let expected = number(&shop, &sql).await + number(&clean, &sql).await;
        assert_eq!(number(&several, &sql).await, expected, "{table}");
    }
    let sums = "SELECT sum(hash) FROM (SELECT CAST(ascii(substr(span_id, 3, 1)) AS BIGINT) * duration_nanos AS hash FROM spans)";
    let expected: i64 = number(&shop, sums).await + number(&clean, sums).await;
    assert_eq!(number(&several, sums).await, expected);
    // Nor does it matter that there are none.
    let none = Engine::new(Snapshot::new(Vec::new()));
    for table in ["spans", "traces", "events", "links", "attribute_keys", "traceql('{ } | count() > 2')"] {
        assert_eq!(number(&none, &format!("SELECT count(*) FROM (SELECT * FROM {table})")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_statement_may_be_left_before_its_end() {
    let engine = shop();
    let mut answer = engine.sql("SELECT a.name FROM spans a, spans b, spans c").await.unwrap();
    assert!(answer.next().await.unwrap().unwrap().num_rows() > 0);
}
