//! From the rows that were found to what a result shows: summaries from the trace table, columns of the few spans that
//! are shown, and nothing else.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, RecordBatch},
        datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type},
    },
    execution::memory_pool::MemoryReservation,
};
use tracestore::{
    Snapshot,
    block::{Level, SpanColumn, TraceSummary},
    model::SpanId,
};

use super::{
    FieldValue, SearchOptions, ServiceStats, SpanMatch, SpansetAttribute, SpansetMatch, TraceMatch, Value, memory::Heap,
};
use crate::{
    Error, Result,
    functions::plain_json,
    nodes::pipeline::attributes::decode,
    plan::{OutputColumn, ValueKind, output_columns},
    syntax::ast::Field,
};

/// A trace with spansets.
struct Found {
    block: u32,
    trace: u32,
    spansets: Vec<FoundSpanset>,
}

/// The rows of a spanset, and what was found out about it, by label.
struct FoundSpanset {
    rows: Vec<u32>,
    attributes: Vec<(usize, Value)>,
}

/// What is shown of every span, whatever the query.
const SHOWN: [SpanColumn; 4] = [SpanColumn::StartTime, SpanColumn::SpanId, SpanColumn::Name, SpanColumn::Duration];

/// Builds the answer from the rows that the plan gave, traces in their order; in the view every trace is in one block.
/// Memory is reserved by `held`.
pub(super) fn collect_traces(
    snapshot: &Snapshot,
    fields: &[Field],
    labels: &[String],
    batches: &[RecordBatch],
    options: &SearchOptions,
    held: &MemoryReservation,
) -> Result<Vec<TraceMatch>> {
    held.try_grow(batches.iter().map(RecordBatch::get_array_memory_size).sum())?;
    let columns = output_columns(snapshot, fields)?;
    let found = group_rows(batches)?;
    let mut summaries = summaries(snapshot, &found)?;
    let shown = choose_rows(snapshot, &found, options.spss, held)?;
    let spans = fetch_spans(snapshot, &shown, &columns, held)?;

    let mut traces: Vec<TraceMatch> = Vec::with_capacity(found.len());
    for (found, shown) in found.into_iter().zip(shown) {
        let block = found.block;
        let Some(summary) = summaries.remove(&(found.block, found.trace)) else { continue };
        let spansets = found.spansets.into_iter().zip(shown.spansets).map(|(found, mut shown)| {
            let span = |row: &u32| spans.get(&(block, *row));
            shown.rows.sort_by_key(|row| (span(row).map(|span| (span.start_time_unix_nano, span.span_id)), *row));
            SpansetMatch {
                spans: shown.rows.iter().filter_map(span).cloned().collect(),
                matched: found.rows.len(),
                attributes: spanset_attributes(labels, found.attributes),
            }
        });
        let trace = trace_match(summary, spansets.collect());
        held.try_grow(trace.size())?;
        traces.push(trace);
    }
    Ok(traces)
}

/// The attributes with their names.
fn spanset_attributes(labels: &[String], found: Vec<(usize, Value)>) -> Vec<SpansetAttribute> {
    let named = found.into_iter().map(|(label, value)| {
        let name = labels.get(label).cloned().unwrap_or_default();
        SpansetAttribute { name, value }
    });
    named.collect()
}

fn trace_match(summary: TraceSummary, spansets: Vec<SpansetMatch>) -> TraceMatch {
    let (root_name, root_service) = summary.root.unzip();
    let stats = summary.services.into_iter();
    TraceMatch {
        trace_id: summary.trace_id,
        root_service,
        root_name,
        start_time_unix_nano: summary.start,
        duration_nanos: summary.duration,
        service_stats: stats
            .map(|count| ServiceStats { service: count.service, spans: count.spans, errors: count.errors })
            .collect(),
        spansets,
    }
}

/// The rows by trace and spanset, in the order of the plan.
fn group_rows(batches: &[RecordBatch]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for batch in batches {
        let column = |name: &str| {
            let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>().cloned());
            column.ok_or_else(|| Error::Execution(format!("the plan gave no column `{name}`")))
        };
        let (blocks, traces, rows) = (column("block")?, column("trace")?, column("row")?);
        // A plan of one filter has no spansets: all rows of a trace are one.
        let spansets = batch.column_by_name("spanset").map(|_| column("spanset")).transpose()?;
        let attributes = batch.column_by_name("attributes").and_then(|array| array.as_binary_opt::<i32>());
        let mut last = None;
        for (index, ((block, trace), row)) in blocks.values().iter().zip(traces.values()).zip(rows.values()).enumerate()
        {
            let spanset = spansets.as_ref().map_or(0, |spansets| spansets.values().get(index).copied().unwrap_or(0));
            let same_trace = found.last().is_some_and(|last| last.block == *block && last.trace == *trace);
            if !same_trace {
                found.push(Found { block: *block, trace: *trace, spansets: Vec::new() });
            }
            let Some(trace_found) = found.last_mut() else { continue };
            let same = same_trace && last == Some(spanset);
            last = Some(spanset);
            match trace_found.spansets.last_mut().filter(|_| same) {
                Some(current) => current.rows.push(*row),
                None => {
                    let bytes = attributes.map_or(&[][..], |attributes| attributes.value(index));
                    let Some(attributes) = decode(bytes) else {
                        return Err(Error::Execution("the attributes of a spanset cannot be read".to_owned()));
                    };
                    trace_found.spansets.push(FoundSpanset { rows: vec![*row], attributes });
                }
            }
        }
    }
    Ok(found)
}

/// The summaries of the traces found, by block and ordinal.
fn summaries(snapshot: &Snapshot, found: &[Found]) -> Result<BTreeMap<(u32, u32), TraceSummary>> {
    let mut by_block: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for found in found {
        by_block.entry(found.block).or_default().push(found.trace as usize);
    }
    let mut summaries = BTreeMap::new();
    for (number, mut ordinals) in by_block {
        ordinals.sort_unstable();
        let Some(block) = snapshot.blocks().get(number as usize) else { continue };
        for (ordinal, summary) in ordinals.iter().zip(block.summaries(&ordinals)?) {
            summaries.insert((number, *ordinal as u32), summary);
        }
    }
    Ok(summaries)
}

/// The rows that are shown of each trace: the first by start, then id; in no order.
fn choose_rows(snapshot: &Snapshot, found: &[Found], spss: usize, held: &MemoryReservation) -> Result<Vec<Found>> {
    let some = |spanset: &&FoundSpanset| spss > 0 && spanset.rows.len() > spss;
    let to_choose = |found: &Found| {
        let rows = found.spansets.iter().filter(some).flat_map(|spanset| spanset.rows.iter().copied());
        (found.block, rows.collect())
    };
    let columns = [SpanColumn::StartTime, SpanColumn::SpanId];
    let keys = fetch_by_block(snapshot, found.iter().map(to_choose), &columns, held, |arrays, index| {
        let (start, id) = match arrays {
            [start, id] => (start.as_primitive_opt::<UInt64Type>()?, id.as_fixed_size_binary_opt()?),
            _ => return None,
        };
        Some((start.value(index), SpanId::from_slice(id.value(index))?))
    })?;
    let choose = |block: u32, spanset: &FoundSpanset| {
        let mut rows = spanset.rows.clone();
        if some(&spanset) {
            rows.sort_by_key(|row| (keys.get(&(block, *row)).copied(), *row));
            rows.truncate(spss);
        }
        FoundSpanset { rows, attributes: Vec::new() }
    };
    let choose = |found: &Found| Found {
        spansets: found.spansets.iter().map(|spanset| choose(found.block, spanset)).collect(),
        ..*found
    };
    Ok(found.iter().map(choose).collect())
}

/// Reads columns for rows of blocks, and makes something of each row.
fn fetch_by_block<T: Heap>(
    snapshot: &Snapshot,
    wanted: impl Iterator<Item = (u32, Vec<u32>)>,
    columns: &[SpanColumn],
    held: &MemoryReservation,
    make: impl Fn(&[ArrayRef], usize) -> Option<T>,
) -> Result<BTreeMap<(u32, u32), T>> {
    let mut by_block: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (block, rows) in wanted {
        by_block.entry(block).or_default().extend(rows);
    }
    let mut made = BTreeMap::new();
    for (block, mut rows) in by_block {
        rows.sort_unstable();
        rows.dedup();
        let arrays = snapshot.fetch(block, &rows, columns)?;
        let read = held.new_empty();
        read.try_grow(arrays.iter().map(|array| array.get_array_memory_size()).sum())?;
        for (index, row) in rows.iter().enumerate() {
            let value = make(&arrays, index);
            let value = value.ok_or_else(|| Error::Execution("a column has another type than it should".to_owned()))?;
            held.try_grow(size_of::<(u32, u32)>() + value.size())?;
            made.insert((block, *row), value);
        }
    }
    Ok(made)
}

/// The spans that are shown, by block and row.
fn fetch_spans(
    snapshot: &Snapshot,
    shown: &[Found],
    columns: &[OutputColumn],
    held: &MemoryReservation,
) -> Result<BTreeMap<(u32, u32), SpanMatch>> {
    let mut wanted = SHOWN.to_vec();
    wanted.extend(columns.iter().map(|output| output.column.clone()));
    let rows = |found: &Found| found.spansets.iter().flat_map(|spanset| spanset.rows.iter().copied()).collect();
    let shown = shown.iter().map(|found| (found.block, rows(found)));
    fetch_by_block(snapshot, shown, &wanted, held, |arrays, index| {
        let (fixed, rest) = arrays.split_at_checked(SHOWN.len())?;
        let [start, id, name, duration] = fixed else { return None };
        Some(SpanMatch {
            span_id: SpanId::from_slice(id.as_fixed_size_binary_opt()?.value(index))?,
            name: name.as_string_view_opt()?.value(index).to_owned(),
            start_time_unix_nano: start.as_primitive_opt::<UInt64Type>()?.value(index),
            duration_nanos: duration.as_primitive_opt::<Int64Type>()?.value(index).unsigned_abs(),
            attributes: field_values(columns, rest, index)?,
        })
    })
}

/// The values of a row, one per field that has one (events and links: one per element).
fn field_values(columns: &[OutputColumn], arrays: &[ArrayRef], index: usize) -> Option<Vec<FieldValue>> {
    let mut values: Vec<FieldValue> = Vec::new();
    // The field that was last found on the span itself.
    let mut found = None;
    for (output, array) in columns.iter().zip(arrays) {
        if array.is_null(index) || output.fallback && found == Some(output.index) {
            continue;
        }
        if !output.fallback {
            found = Some(output.index);
        }
        if output.column.level() == Level::Span {
            values.push(FieldValue { field: output.field.clone(), value: value(array, index, output.kind)? });
        } else {
            let list = array.as_list_opt::<i32>()?.value(index);
            for element in (0..list.len()).filter(|element| list.is_valid(*element)) {
                values.push(FieldValue { field: output.field.clone(), value: value(&list, element, output.kind)? });
            }
        }
    }
    Some(values)
}

fn value(array: &ArrayRef, index: usize, kind: ValueKind) -> Option<Value> {
    Some(match (array.data_type(), kind) {
        (DataType::Utf8View, ValueKind::Json) => Value::Json(plain_json(array.as_string_view_opt()?.value(index))),
        (DataType::Utf8View, _) => Value::String(array.as_string_view_opt()?.value(index).to_owned()),
        (DataType::Int64, ValueKind::Duration) => Value::Duration(array.as_primitive_opt::<Int64Type>()?.value(index)),
        (DataType::Int64, _) => Value::Int(array.as_primitive_opt::<Int64Type>()?.value(index)),
        (DataType::Int32, ValueKind::Status) => Value::Status(array.as_primitive_opt::<Int32Type>()?.value(index)),
        (DataType::Int32, _) => Value::Kind(array.as_primitive_opt::<Int32Type>()?.value(index)),
        (DataType::Float64, _) => Value::Float(array.as_primitive_opt::<Float64Type>()?.value(index)),
        (DataType::Boolean, _) => Value::Bool(array.as_boolean_opt()?.value(index)),
        (DataType::List(_), _) => {
            let list = array.as_list_opt::<i32>()?.value(index);
            Value::Array((0..list.len()).map(|element| value(&list, element, kind)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
