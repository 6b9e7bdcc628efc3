//! The language alone, without a store: checking and printing queries.

use std::ffi::{CString, c_char};

use traceql::{
    Compiler, Report,
    ir::Body,
    syntax::{Diagnostic, DiagnosticKind, Diagnostics},
};

use crate::{
    boundary::{Out, boundary, boundary_or},
    error::{Fault, c_string, ts_code, ts_error},
    handle::Table,
    options::flag,
    sized::{Sized, SizedOut},
    text::{new_text, text, ts_text},
};

/// What there is to say about a query. Freed with `ts_report_free`; may be read from several threads.
#[derive(Debug)]
pub struct ts_report {
    _opaque: [u8; 0],
}

/// The query can be run.
pub const TS_VALID: u32 = 0;
/// The text is no query.
pub const TS_PARSE_ERROR: u32 = 1;
/// It is a query without a meaning: types that do not fit, values out of range.
pub const TS_CHECK_ERROR: u32 = 2;
/// It is a query that Tempo parses and does not support; in strict mode only.
pub const TS_UNSUPPORTED: u32 = 3;

/// The query is not valid.
pub const TS_NO_QUERY: u32 = 0;
/// The query finds traces.
pub const TS_SEARCH: u32 = 1;
/// The query has series.
pub const TS_METRICS: u32 = 2;

/// The query cannot be run.
pub const TS_SEVERITY_ERROR: u32 = 0;
/// The query may not mean what its reader thinks.
pub const TS_SEVERITY_WARNING: u32 = 1;
/// The query could be written better.
pub const TS_SEVERITY_NOTE: u32 = 2;

/// One thing to say about a query. The texts are zero-terminated and stay until the report is freed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_diagnostic {
    /// To be set to `sizeof(ts_diagnostic)`.
    pub size: usize,
    /// Stable, such as `TQ0301`.
    pub code: *const c_char,
    /// What is wrong, in one sentence.
    pub message: *const c_char,
    /// What would be right; NULL where that is not known.
    pub help: *const c_char,
    /// All of it with the lines of the query and carets below the place, for people.
    pub rendered: *const c_char,
    /// Where, in bytes from the query's beginning.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// `TS_SEVERITY_ERROR`, ...
    pub severity: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers, eight bytes each but for the two at the end; the size comes first.
unsafe impl Sized for ts_diagnostic {}

struct Kept {
    verdict: u32,
    kind: u32,
    diagnostics: Vec<KeptDiagnostic>,
}

struct KeptDiagnostic {
    code: CString,
    message: CString,
    help: Option<CString>,
    rendered: CString,
    offset: u64,
    length: u64,
    severity: u32,
}

static REPORTS: Table<ts_report, Kept> = Table::new("a report");

impl KeptDiagnostic {
    fn new(found: &Diagnostic, all: &Diagnostics) -> Self {
        Self {
            code: c_string(found.code),
            message: c_string(found.message.as_str()),
            help: found.help.as_deref().map(c_string),
            rendered: c_string(all.render(found)),
            offset: found.span.start.into(),
            length: found.span.end.saturating_sub(found.span.start).into(),
            severity: match found.kind() {
                DiagnosticKind::Warning => TS_SEVERITY_WARNING,
                DiagnosticKind::Note => TS_SEVERITY_NOTE,
                _ => TS_SEVERITY_ERROR,
            },
        }
    }
}

fn keep(report: &Report, kind: u32) -> Kept {
    let all = &report.diagnostics;
    Kept {
        verdict: match report.verdict() {
            traceql::Verdict::Valid => TS_VALID,
            traceql::Verdict::ParseError => TS_PARSE_ERROR,
            traceql::Verdict::CheckError => TS_CHECK_ERROR,
            traceql::Verdict::Unsupported => TS_UNSUPPORTED,
        },
        kind,
        diagnostics: all.list().iter().map(|found| KeptDiagnostic::new(found, all)).collect(),
    }
}

/// Checks a query: `TS_OK` with a report, whatever the report says. With `strict` (1), what Tempo refuses is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_check(
    query: *const c_char,
    query_length: usize,
    strict: u32,
    report: *mut *mut ts_report,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(report, "report")?;
        // SAFETY: what the argument points to is the caller's word.
        let query = unsafe { text(query, query_length, "query") }?;
        let compiler = Compiler::new().strict(flag(strict, "strict")?);
        let kind = match compiler.compile(query).map(|query| query.body) {
            Ok(Body::Search(_)) => TS_SEARCH,
            Ok(Body::Metrics(_)) => TS_METRICS,
            Err(_) => TS_NO_QUERY,
        };
        out.put(REPORTS.insert(keep(&compiler.check(query), kind)));
        Ok(())
    })
}

/// What became of the query: `TS_VALID`, ... `TS_PARSE_ERROR` for what is no report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_report_verdict(report: *const ts_report) -> u32 {
    boundary_or(TS_PARSE_ERROR, || Ok(REPORTS.get(report)?.verdict))
}

/// What the query gives: `TS_SEARCH`, `TS_METRICS`, or `TS_NO_QUERY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_report_kind(report: *const ts_report) -> u32 {
    boundary_or(TS_NO_QUERY, || Ok(REPORTS.get(report)?.kind))
}

/// How many diagnostics there are. 0 for what is no report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_report_count(report: *const ts_report) -> usize {
    boundary_or(0, || Ok(REPORTS.get(report)?.diagnostics.len()))
}

/// One of the diagnostics, by its number from 0, in order of the query. `diagnostic->size` is to be set before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_report_diagnostic(
    report: *const ts_report,
    number: usize,
    diagnostic: *mut ts_diagnostic,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        // SAFETY: that the struct has the size that it names is the caller's word.
        let out = unsafe { SizedOut::required(diagnostic, "diagnostic") }?;
        let report = REPORTS.get(report)?;
        let missing = || Fault::argument(format!("there is no diagnostic {number}"));
        let found = report.diagnostics.get(number).ok_or_else(missing)?;
        out.put(&ts_diagnostic {
            size: 0,
            code: found.code.as_ptr(),
            message: found.message.as_ptr(),
            help: found.help.as_ref().map_or(std::ptr::null(), |help| help.as_ptr()),
            rendered: found.rendered.as_ptr(),
            offset: found.offset,
            length: found.length,
            severity: found.severity,
            reserved: 0,
        });
        Ok(())
    })
}

/// Frees a report. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_report_free(report: *mut ts_report) -> ts_code {
    boundary(std::ptr::null_mut(), || REPORTS.remove(report).map(drop))
}

/// Prints a query in its canonical form, on one line, or with `pretty` (1) over several. `TS_INVALID_QUERY` for what is no
/// query.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_format(
    query: *const c_char,
    query_length: usize,
    pretty: u32,
    formatted: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(formatted, "formatted")?;
        // SAFETY: what the argument points to is the caller's word.
        let query = unsafe { text(query, query_length, "query") }?;
        let pretty = flag(pretty, "pretty")?;
        let report = Compiler::new().check(query);
        let Some(tree) = report.query else { return Err(report.diagnostics.into()) };
        out.put(new_text(if pretty { format!("{tree:#}") } else { tree.to_string() }));
        Ok(())
    })
}
