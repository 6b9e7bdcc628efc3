//! CSV: a line per span, a column per field that occurs, and per value that the query found out about spansets
//! (RFC 4180).

use std::io::Write;

use traceql::SearchResponse;

use crate::exit::Failure;

pub(crate) fn csv(out: &mut impl Write, response: &SearchResponse) -> Result<(), Failure> {
    let spans = || {
        let sets = response.traces.iter().flat_map(|trace| trace.spansets.iter().map(move |set| (trace, set)));
        sets.flat_map(|(trace, set)| set.spans.iter().map(move |span| (trace, set, span)))
    };
    let mut computed: Vec<String> = Vec::new();
    for set in response.traces.iter().flat_map(|trace| &trace.spansets) {
        for (name, _) in set.values() {
            if !computed.contains(&name) {
                computed.push(name);
            }
        }
    }
    let mut fields: Vec<String> = Vec::new();
    for attribute in spans().flat_map(|(_, _, span)| &span.attributes) {
        let name = attribute.field.to_string();
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    let fixed = ["trace_id", "root_service", "root_name", "span_id", "name", "start_time_unix_nano", "duration_nanos"];
    let header =
        fixed.into_iter().map(str::to_owned).chain(fields.iter().map(|name| match fixed.contains(&name.as_str()) {
            true => format!("span:{name}"),
            false => name.clone(),
        }));
    line(out, header.chain(computed.iter().cloned()))?;
    for (trace, set, span) in spans() {
        let known = [
            trace.trace_id.to_string(),
            trace.root_service.clone().unwrap_or_default(),
            trace.root_name.clone().unwrap_or_default(),
            span.span_id.to_string(),
            span.name.clone(),
            span.start_time_unix_nano.to_string(),
            span.duration_nanos.to_string(),
        ];
        let values = fields.iter().map(|name| {
            let found = span.attributes.iter().filter(|attribute| attribute.field.to_string() == *name);
            found.map(|attribute| super::text(&attribute.value)).collect::<Vec<_>>().join(";")
        });
        let set = set.values();
        let found = computed.iter().map(|name| {
            set.iter().find(|(other, _)| other == name).map_or(String::new(), |(_, value)| super::text(value))
        });
        line(out, known.into_iter().chain(values).chain(found))?;
    }
    Ok(())
}

/// A line of cells, quoted where that is needed.
pub(super) fn line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> Result<(), Failure> {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    Ok(writeln!(out, "{}", quoted.collect::<Vec<_>>().join(","))?)
}
