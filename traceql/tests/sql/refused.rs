//! What is refused, and how it is told: statements that write, faults, what would exhaust the planner.

use super::*;

#[tokio::test]
async fn statements_that_write_are_refused() {
    let engine = shop();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let copy = format!("COPY spans TO '{}'", file.display());
    let external = "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'";
    for sql in [
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "DROP TABLE spans",
        "INSERT INTO spans VALUES (1)",
        "DELETE FROM spans",
        "UPDATE spans SET name = 'x'",
        "SELECT * INTO x FROM spans",
        "SET datafusion.execution.batch_size = 1",
        "PREPARE x AS SELECT 1",
        "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
        copy.as_str(),
        external,
    ] {
        let error = error(&engine, sql).await;
        assert!(matches!(error, traceql::Error::Sql(_)) && error.is_query(), "{sql}: {error:?}");
        assert!(error.to_string().contains("is refused; SQL reads and nothing else"), "{sql}: {error}");
    }
    assert!(!file.exists());
    // Nor is anything read that was not opened.
    assert!(error(&engine, "SELECT * FROM '/etc/passwd'").await.is_query());
}

#[tokio::test]
async fn faults_are_told_plainly() {
    let engine = shop();
    for (sql, message) in [
        ("SELECT", "Expected"),
        ("SELECT 1; SELECT 2", "one statement is needed"),
        ("", "one statement is needed"),
        ("SELECT foo FROM spans", "there is no column or attribute `foo`; there are trace_id, span_id, "),
        ("SELECT servce FROM spans", "there is no column or attribute `servce`; did you mean service?"),
        (
            "SELECT \"http.methd\" FROM spans",
            "there is no column or attribute `http.methd`; did you mean \"http.method\"?",
        ),
        ("SELECT http.method FROM spans", "names of attributes stand in double quotes: \"http.method\""),
        ("SELECT span.http.method FROM spans", "names of attributes stand in double quotes: \"span.http.method\""),
        ("SELECT country FROM spans", "names of attributes stand in double quotes: \"country\""),
        (
            "SELECT 1 FROM span",
            "there is no table `span`; there are spans, traces, events, links, attribute_keys, and traceql",
        ),
        ("SELECT trace_id FROM spans, traces", "`trace_id` may mean columns of several tables"),
        ("SELECT nofunction(name) FROM spans", "nofunction"),
        ("SELECT count(*) FROM traceql(name)", ""),
        ("SELECT count(*) FROM traceql(1)", "traceql takes the text of a search"),
        ("SELECT CAST(name AS INT) FROM spans", "Cannot cast string"),
        ("SELECT 1 / (spans - spans) FROM traces", "division by zero"),
        ("SELECT name FROM spans WHERE name ~ '('", "unclosed group"),
        ("SELECT name FROM spans WHERE name SIMILAR TO '('", "unclosed group"),
        ("SELECT regexp_replace(name, '(', '') FROM spans", "unclosed group"),
        ("SELECT name FROM \"a.csv\"", "there is no table `a.csv`"),
        ("SELECT name FROM other.spans", "there is no table `traceql.other.spans`"),
        ("SELECT name FROM read_csv('/etc/passwd')", "'read_csv' not found"),
        ("SELECT $1", "Placeholder"),
        ("SELECT 1 AS a, 2 AS a", "two columns are called `a`: give one another name"),
        ("SELECT \"event.model\" FROM spans", "\"event.model\" is an attribute, and no column here"),
        ("SELECT foo", "there is no column or attribute `foo` here"),
    ] {
        let error = error(&engine, sql).await;
        assert!(matches!(error, traceql::Error::Sql(_)), "{sql}: {error:?}");
        assert!(error.to_string().contains(message) && !error.to_string().contains("DataFusion"), "{sql}: {error}");
    }
    let wrong = error(&engine, "SELECT * FROM traceql('{ status == error }')").await;
    assert!(matches!(wrong, traceql::Error::Query(_)), "{wrong:?}");
    assert!(wrong.to_string().contains("TQ0202"), "{wrong}");
}

/// Statements of a size, each larger in another way: what is nested, what is side by side, what is named again.
fn large(count: usize) -> Vec<String> {
    let chain = |part: &str| part.repeat(count);
    let numbered = |part: &dyn Fn(usize) -> String| (1..count).map(part).collect::<String>();
    let with = |query: &str| {
        let query = |number: usize| query.replace('$', &format!("x{}", number - 1));
        let queries = numbered(&|number| format!(", x{number} AS ({})", query(number)));
        format!("WITH x0 AS (SELECT spans AS n FROM traces LIMIT 9){queries} SELECT count(*) FROM x{}", count - 1)
    };
    vec![
        format!("SELECT {}1{}", chain("("), chain(")")),
        format!("SELECT {}spans{}", chain("* FROM (SELECT "), chain(")")),
        format!("SELECT {} true", chain("NOT ")),
        format!("SELECT {}1", chain("- ")),
        format!("SELECT {}1{}", chain("abs("), chain(")")),
        format!("SELECT {}1{}", chain("CASE WHEN true THEN "), chain(" END")),
        format!("SELECT 1{} FROM traces", chain(" + spans")),
        format!("SELECT 1{}", chain("::text::int")),
        format!("SELECT make_array(1){}", chain("[1]")),
        format!("SELECT name{} FROM spans LIMIT 1", chain(" IS NULL")),
        format!("SELECT root_name{} FROM traces LIMIT 1", chain(" || root_name")),
        format!("SELECT count(*) FROM spans WHERE true{}", chain(" OR name = 'x'")),
        format!("SELECT count(*) FROM spans WHERE true{}", chain(" AND name LIKE 'x'")),
        format!("SELECT count(*) FROM spans WHERE name IN ('x'{})", numbered(&|number| format!(", '{number}'"))),
        format!("SELECT 1{}", chain(" UNION ALL SELECT 1")),
        format!("SELECT name FROM spans{}", chain(" EXCEPT SELECT name FROM spans")),
        format!("SELECT 1 FROM traces t{}", numbered(&|number| format!(" JOIN traces t{number} USING (trace_id)"))),
        format!("SELECT 1 FROM traces t{} LIMIT 1", numbered(&|number| format!(" CROSS JOIN traces t{number}"))),
        format!("SELECT 1 FROM traces t{} LIMIT 1", numbered(&|number| format!(", traces t{number}"))),
        format!("SELECT 1{}", numbered(&|number| format!(", (SELECT count(*) FROM traces) AS x{number}"))),
        format!("SELECT 1{} FROM traces", numbered(&|number| format!(", max(spans) OVER (ORDER BY spans % {number})"))),
        format!("SELECT count(*) FROM traces GROUP BY CUBE (1{})", numbered(&|number| format!(", spans + {number}"))),
        format!("SELECT count(*) FROM traces GROUP BY 1{}", numbered(&|_| ", ROLLUP (spans, errors)".to_owned())),
        with("SELECT n + 1 AS n FROM $"),
        with("SELECT count(*) AS n FROM $"),
        with("SELECT n FROM $ UNION ALL SELECT n FROM $"),
        with("SELECT a.n FROM $ a JOIN $ b USING (n)"),
    ]
}

#[tokio::test]
async fn nothing_exhausts_the_stack() {
    let engine = Engine::new(Snapshot::open(&[support::testdata("conformance/clean.otlp.zst")]).unwrap());
    let mut answered = 0;
    for count in [8, 40, 90, 300, 900, 20_000] {
        for sql in large(count) {
            let answer = match engine.sql(&sql).await {
                Ok(answer) => answer.collect().await,
                Err(error) => Err(error),
            };
            answered += u32::from(answer.is_ok());
            if let Err(error) = answer {
                assert!(
                    error.is_query() || error.is_limit(),
                    "{}: {error:?}",
                    sql.chars().take(200).collect::<String>()
                );
            }
        }
    }
    assert!(answered > 50, "{answered}");
}

#[tokio::test]
async fn limits_are_told() {
    let engine = shop();
    let union = |count: usize| format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(count - 1));
    assert_eq!(rows(&engine, &union(64)).await.len(), 64);
    let list: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let among = format!("SELECT count(*) FROM spans WHERE duration_nanos NOT IN ({})", list.join(", "));
    assert!(number(&engine, &among).await > 0);
    for (sql, message) in [
        (union(65), "64 tables at most"),
        (format!("SELECT 1{}", " + 1".repeat(1_000)), "2000 words and signs"),
        (
            format!("SELECT 1{} FROM spans", ", max(name) OVER ()".repeat(200)),
            "200 queries, tables and window functions",
        ),
        ("SELECT 1 FROM spans GROUP BY CUBE (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)".to_owned(), "4096 ways"),
    ] {
        let error = error(&engine, &sql).await;
        assert!(error.is_limit() && error.to_string().contains(message), "{error}");
    }
}

/// DataFusion 55 panics on this one where sums are checked.
#[tokio::test]
async fn a_panic_is_an_error() {
    let engine = shop();
    let sql = "SELECT sum(duration_nanos) OVER (ORDER BY start_time ROWS BETWEEN 18446744073709551615 PRECEDING \
               AND 18446744073709551615 FOLLOWING) FROM spans LIMIT 1";
    let outcome = match engine.sql(sql).await {
        Ok(answer) => {
            answer.collect().await.map(|batches| batches.iter().map(RecordBatch::num_rows).sum::<usize>().to_string())
        }
        Err(error) => Err(error),
    };
    let outcome = outcome.unwrap_or_else(|error| error.to_string());
    assert!(outcome == "1" || outcome.contains("panicked: attempt to"), "{outcome}");
}
