//! Rows of SQL as text, batch by batch as they come.

mod json;

use std::io::Write;

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use traceql::SqlAnswer;

use self::json::objects;
use super::csv::line;
use crate::{
    exit::Failure,
    terminal::{Style, clean},
};

/// How many characters of a value a table shows; values of several lines, such as plans, are shown whole.
const WIDEST: usize = 80;

/// A table for people.
pub(crate) async fn rows_table(out: &mut impl Write, mut answer: SqlAnswer, style: Style) -> Result<(), Failure> {
    let schema = answer.schema();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    let table = if style.color { table.enforce_styling() } else { table.force_no_tty() };
    table.set_header(schema.fields().iter().map(|field| Cell::new(clean(field.name())).add_attribute(Attribute::Bold)));
    for (column, field) in table.column_iter_mut().zip(schema.fields()) {
        if field.data_type().is_numeric() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut count = 0;
    while let Some(batch) = answer.next().await {
        for row in texts(&batch?)? {
            table.add_row(row.iter().map(|text| shown(text)));
            count += 1;
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    let summary = format!("{count} {}", if count == 1 { "row" } else { "rows" });
    writeln!(out, "{}", style.dim(&summary))?;
    Ok(out.flush()?)
}

/// A value as a table shows it.
fn shown(text: &str) -> String {
    if text.contains('\n') {
        return text.lines().map(clean).collect::<Vec<_>>().join("\n");
    }
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => clean(text.get(..end).unwrap_or(text)) + "…",
        None => clean(text),
    }
}

/// A line per row, a header before them (RFC 4180). What is not there is empty.
pub(crate) async fn rows_csv(out: &mut impl Write, mut answer: SqlAnswer) -> Result<(), Failure> {
    line(out, answer.schema().fields().iter().map(|field| field.name().clone()))?;
    while let Some(batch) = answer.next().await {
        for row in texts(&batch?)? {
            line(out, row.into_iter())?;
        }
        out.flush()?;
    }
    Ok(out.flush()?)
}

/// A JSON object per row and line.
pub(crate) async fn rows_ndjson(out: &mut impl Write, mut answer: SqlAnswer) -> Result<(), Failure> {
    while let Some(batch) = answer.next().await {
        for object in objects(&batch?).map_err(unreadable)? {
            writeln!(out, "{object}")?;
        }
        out.flush()?;
    }
    Ok(())
}

/// One JSON document: a list with an object per row.
pub(crate) async fn rows_json(out: &mut impl Write, mut answer: SqlAnswer) -> Result<(), Failure> {
    let mut before = "[";
    while let Some(batch) = answer.next().await {
        for object in objects(&batch?).map_err(unreadable)? {
            write!(out, "{before}\n  {object}")?;
            before = ",";
        }
    }
    writeln!(out, "{}", if before == "[" { "[]" } else { "\n]" })?;
    Ok(out.flush()?)
}

/// The values of a batch as texts, row by row.
fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, Failure> {
    let options = FormatOptions::default();
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let cell = |column: &ArrayFormatter<'_>, row| column.value(row).try_to_string();
    let row = |row| columns.iter().map(|column| cell(column, row)).collect::<Result<Vec<_>, _>>();
    (0..batch.num_rows()).map(row).collect::<Result<Vec<_>, _>>().map_err(unreadable)
}

/// A value that no text shows, such as a time after all calendars.
fn unreadable(error: ArrowError) -> Failure {
    Failure::Engine(traceql::Error::Sql(error.to_string()))
}
