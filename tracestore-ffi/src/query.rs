//! Queries: searches and metrics, as a stream of Arrow batches and as JSON.

use std::{ffi::c_char, ops::ControlFlow};

use serde_json::Value as Json;
use traceql::{
    Engine, MetricsResponse, Progress, SearchResponse,
    ir::Body,
    output::{
        metrics_batch, metrics_to_json, metrics_to_prometheus, metrics_to_tempo, search_to_json, search_to_tempo,
        series_to_json, trace_match_to_json,
    },
};

use crate::{
    arrow::{ArrowArrayStream, export},
    batches::{FoundSpans, OneBatch},
    boundary::{Out, boundary},
    error::{Fault, TS_INTERRUPTED, TS_INVALID_OPTIONS, ts_code, ts_error},
    interrupt::Listener,
    options::ts_query_options,
    sized,
    store::{Store, store, ts_store},
    text::{new_text, text, ts_text},
};

/// One document: what `traceql query -o json` prints.
pub const TS_JSON: u32 = 0;
/// An object for each trace or series and line: what `traceql query -o ndjson` prints.
pub const TS_NDJSON: u32 = 1;
/// What Tempo's API answers.
pub const TS_TEMPO_JSON: u32 = 2;
/// What Prometheus' query API answers; metrics only.
pub const TS_PROMETHEUS_JSON: u32 = 3;

/// Answers a query as a stream of Arrow record batches (the Arrow C stream interface), which is written to `*stream` and
/// belongs to the caller: it is to be released, also after an error in it, by `stream->release`, before or after the
/// store is closed, and used by one thread at a time. After an error of the call there is nothing to release.
///
/// A search gives a row for each matching span of the traces that `limit` leaves, whatever `spss` says: `spanset` (int64,
/// its number in its trace, from 1), what the query computed of the spanset, `trace:id`, `span:id`, `name`, `service`,
/// `start_time` (ns since 1970), `duration` (ns), and a column for each field that the query names and each type that it
/// has in the data. It is worked on as batches are asked for. A metrics query gives a row for each value: `time` (the end
/// of its interval), a column for each label, `value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_query_arrow(
    store: *mut ts_store,
    query: *const c_char,
    query_length: usize,
    options: *const ts_query_options,
    stream: *mut ArrowArrayStream,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::required(stream, "stream")?;
        // SAFETY: what the arguments point to is the caller's word.
        let (query, options) = unsafe { (text(query, query_length, "query")?, sized::read(options, "options")?) };
        options.check()?;
        let store = self::store(store)?;
        let mut watch = options.watch()?;
        out.put(match traceql::compile(query)?.body {
            Body::Search(_) => {
                // SAFETY: as above.
                let options = unsafe { options.search() }?;
                let engine = store.engine()?;
                let batches = watch.wait(&store.runtime, engine.search_batches(query, &options))?;
                export(FoundSpans::new(store, batches, watch))
            }
            Body::Metrics(_) => export(OneBatch::new(metrics_batch(&metrics(&store, query, &options)?)?)),
        });
        Ok(())
    })
}

/// Answers a query as JSON, in the format `TS_JSON`, ...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_query_json(
    store: *mut ts_store,
    query: *const c_char,
    query_length: usize,
    options: *const ts_query_options,
    format: u32,
    json: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(json, "json")?;
        // SAFETY: what the arguments point to is the caller's word.
        let (query, options) = unsafe { (text(query, query_length, "query")?, sized::read(options, "options")?) };
        options.check()?;
        if format > TS_PROMETHEUS_JSON {
            return Err(Fault::argument(format!("`format` is {format}: there is no such format")));
        }
        let store = self::store(store)?;
        let document = match traceql::compile(query)?.body {
            Body::Metrics(_) => metrics_text(&metrics(&store, query, &options)?, format),
            Body::Search(_) if format == TS_PROMETHEUS_JSON => {
                return Err(Fault::new(TS_INVALID_OPTIONS, "a search has no series for Prometheus"));
            }
            // SAFETY: as above.
            Body::Search(_) => search_text(&unsafe { search(&store, query, &options) }?, format),
        };
        out.put(new_text(document));
        Ok(())
    })
}

/// Tells how a query would be run: its plans as text for people. With `analyze` (1) it is run, and each operator tells
/// what it did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_explain(
    store: *mut ts_store,
    query: *const c_char,
    query_length: usize,
    options: *const ts_query_options,
    analyze: u32,
    plan: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(plan, "plan")?;
        // SAFETY: what the arguments point to is the caller's word.
        let (query, asked) = unsafe { (text(query, query_length, "query")?, sized::read(options, "options")?) };
        asked.check()?;
        let analyze = crate::options::flag(analyze, "analyze")?;
        // SAFETY: as above.
        let options = unsafe { asked.search() }?;
        let (store, mut watch) = (self::store(store)?, asked.watch()?);
        let engine = store.engine()?;
        out.put(new_text(watch.wait(&store.runtime, engine.explain(query, &options, analyze))?));
        Ok(())
    })
}

unsafe fn search(store: &Store, query: &str, asked: &ts_query_options) -> Result<SearchResponse, Fault> {
    // SAFETY: the caller's word is passed on.
    let options = unsafe { asked.search() }?;
    let (engine, mut watch) = (store.engine()?, asked.watch()?.without_timeout());
    let Some(listener) = Listener::new(asked.progress, asked.progress_data) else {
        return watch.wait(&store.runtime, engine.search(query, &options));
    };
    let mut ended = false;
    let is_ended = &mut ended;
    let listen = move |progress: &Progress| {
        *is_ended = !listener.tell(progress);
        if *is_ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let response = watch.wait(&store.runtime, engine.search_watched(query, &options, listen))?;
    match ended {
        true => Err(Fault::new(TS_INTERRUPTED, "the progress function has ended the search")),
        false => Ok(response),
    }
}

fn metrics(store: &Store, query: &str, asked: &ts_query_options) -> Result<MetricsResponse, Fault> {
    let (engine, mut watch): (Engine, _) = (store.engine()?, asked.watch()?.without_timeout());
    let options = asked.metrics(engine.snapshot());
    match asked.instant {
        1 => watch.wait(&store.runtime, engine.query_instant(query, &options)),
        _ => watch.wait(&store.runtime, engine.query_range(query, &options)),
    }
}

fn search_text(response: &SearchResponse, format: u32) -> String {
    match format {
        TS_NDJSON => lines(response.traces.iter().map(trace_match_to_json)),
        TS_TEMPO_JSON => search_to_tempo(response).to_string(),
        _ => search_to_json(response).to_string(),
    }
}

fn metrics_text(response: &MetricsResponse, format: u32) -> String {
    match format {
        TS_NDJSON => lines(response.series.iter().map(|series| series_to_json(response, series))),
        TS_TEMPO_JSON => metrics_to_tempo(response).to_string(),
        TS_PROMETHEUS_JSON => metrics_to_prometheus(response).to_string(),
        _ => metrics_to_json(response).to_string(),
    }
}

fn lines(objects: impl Iterator<Item = Json>) -> String {
    objects.map(|object| format!("{object}\n")).collect()
}
