//! `traceql export`: what is exported answers as what it came from.

use std::path::Path;

use super::{answer, shop, stderr, traceql};

const QUERY: &str = "{ status = error && duration > 1ms }";

fn ask(path: &str) -> String {
    answer(&["query", "-o", "ndjson", "--limit", "1000", "--spss", "0", "{ }", path])
}

/// Exports a store into a file in a folder.
fn export(folder: &Path, name: &str, args: &[&str], store: &str) -> String {
    let file = folder.join(name).to_str().unwrap().to_owned();
    let output = traceql(&[&["export", "--to", &file], args, &[store]].concat());
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    file
}

#[test]
fn otlp_in_every_form_is_the_same_traces() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    // Twice in the store, once in the export.
    shop(folder.path());
    for (name, args) in [("a.otlp", &["-o", "otlp"][..]), ("a.otlp.zst", &[]), ("a.jsonl", &["-o", "json"])] {
        let file = export(folder.path(), name, args, &store);
        assert!(ask(&file) == ask(&store), "{name}");
        let spans = answer(&["sql", "-o", "csv", "SELECT count(*) FROM spans", &file]);
        assert!(spans.contains("2999"), "{name}: {spans}");
    }
    let packed = std::fs::metadata(folder.path().join("a.otlp.zst")).unwrap().len();
    assert!(packed * 4 < std::fs::metadata(folder.path().join("a.otlp")).unwrap().len());
    assert_eq!(
        answer(&["export", "-o", "json", &store]),
        std::fs::read_to_string(folder.path().join("a.jsonl")).unwrap()
    );
}

#[test]
fn a_filter_and_a_range_choose_whole_traces() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    let found = |path: &str| answer(&["query", "-o", "ndjson", "--limit", "1000", "--spss", "0", QUERY, path]);
    let file = export(folder.path(), "errors.otlp", &["--query", QUERY], &store);
    let errors = ask(&file).lines().count();
    assert!(found(&file) == found(&store) && errors == found(&store).lines().count() && errors < 500);
    // Whole traces: also the spans that the filter does not find.
    let all = ask(&store);
    assert!(ask(&file).lines().all(|line| all.contains(line)));
    let range = ["--start", "2026-11-20T10:43:48Z", "--end", "2026-11-20T10:43:49Z"];
    let file = export(folder.path(), "range.jsonl", &[&["-o", "json"], &range[..]].concat(), &store);
    let expected =
        answer(&[&["query", "-o", "ndjson", "--limit", "1000", "--spss", "0"], &range[..], &["{ }", &store]].concat());
    assert!(ask(&file) == expected && (1..500).contains(&expected.lines().count()));
    let nothing = export(folder.path(), "nothing.otlp", &["--query", "{ name = \"nobody\" }"], &store);
    assert_eq!(std::fs::metadata(nothing).unwrap().len(), 0);
}

#[test]
fn a_parquet_file_has_a_wide_row_for_each_span() {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    let file = export(folder.path(), "spans.parquet", &["-o", "parquet"], &store);
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 2999);
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns: Vec<&str> = schema.columns().iter().map(|column| column.path().parts()[0].as_str()).collect();
    for column in
        ["trace_id", "duration_nanos", "span.http.method:str", "resource.service.name:str", "span.order.skus:str[]"]
    {
        assert!(columns.contains(&column), "{column} is not among {columns:?}");
    }
    let mut rows = answer(&["sql", "-o", "csv", "SELECT span_id, name FROM spans", &store]);
    let exported = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap().into_columns();
        let text = |name: &str| row.iter().find(|(column, _)| column == name).unwrap().1.to_string().replace('"', "");
        format!("{},{}", text("span_id"), text("name"))
    });
    let mut exported: Vec<String> = exported.collect();
    exported.sort();
    rows = rows.replace("\r\n", "\n").replace('"', "");
    let mut rows: Vec<&str> = rows.lines().skip(1).collect();
    rows.sort_unstable();
    assert!(exported == rows);
    let errors = export(folder.path(), "errors.parquet", &["-o", "parquet", "-q", QUERY], &store);
    let reader = SerializedFileReader::new(std::fs::File::open(errors).unwrap()).unwrap();
    assert!((1..2999).contains(&reader.metadata().file_metadata().num_rows()));
}

#[test]
fn a_file_that_cannot_be_finished_does_not_get_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    let block = std::fs::read_dir(Path::new(&store).join("blocks")).unwrap().next().unwrap().unwrap().path();
    let file = block.join("spans.parquet");
    let mut content = std::fs::read(&file).unwrap();
    content[5_000] ^= 1;
    std::fs::write(&file, content).unwrap();
    let to = folder.path().join("a.otlp");
    let output = traceql(&["export", "--to", to.to_str().unwrap(), &store]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(!to.exists());
}
