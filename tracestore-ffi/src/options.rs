//! How queries are asked: the structs that callers fill in, and what they mean for the engine.

use std::{ffi::c_char, time::Duration};

use traceql::{MetricsOptions, SearchKey, SearchOptions, SearchOrder, TagOptions, TagScope};
use tracestore::Snapshot;

use crate::{
    error::Fault,
    interrupt::{Watch, ts_interrupt, ts_progress_fn},
    sized::Sized,
    text::optional_text,
};

/// As a number of spans: all.
pub const TS_ALL: u64 = u64::MAX;

/// Traces that start last come first.
pub const TS_NEWEST_FIRST: u32 = 0;
/// Traces that start first come first.
pub const TS_OLDEST_FIRST: u32 = 1;
/// Traces that take longest come first.
pub const TS_LONGEST_FIRST: u32 = 2;
/// Traces that take least come first.
pub const TS_SHORTEST_FIRST: u32 = 3;

/// How a query is asked. All 0 (but `size`) is what suits most; 0 always stands for the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_query_options {
    /// `sizeof(ts_query_options)`.
    pub size: usize,
    /// Searches: only traces that end at this time or later. Metrics: spans that start after it. ns since 1970;
    /// default: the beginning of the data.
    pub start: u64,
    /// Searches: only traces that start at this time or earlier. Metrics: spans that start up to then. ns since 1970;
    /// default: the end of the data.
    pub end: u64,
    /// Searches: how many traces at most; default 20.
    pub limit: u64,
    /// Searches as JSON: how many spans of each spanset at most, `TS_ALL` for all; default 3.
    pub spans_per_spanset: u64,
    /// Searches: the next page, behind the place that the answer before has named (`next` of `TS_JSON`); zero-terminated.
    pub after: *const c_char,
    /// Metrics: the length of an interval in ns; default: about 240 intervals.
    pub step: u64,
    /// Metrics: how many series at most; default: all.
    pub max_series: u64,
    /// Metrics as JSON: up to this many example spans; default: none.
    pub exemplars: u64,
    /// How long the query may take in ms; default: as long as it does. Of a stream: the time in which it is waited for.
    pub timeout_ms: u64,
    /// How many bytes of columns it may decode; default: any number. Searches as streams take no notice of it.
    pub max_bytes: u64,
    /// How many bytes of memory it may hold, about; default: any number for searches, 1 GiB for metrics.
    pub max_memory: u64,
    /// Ends the query from another thread; may be NULL.
    pub interrupt: *mut ts_interrupt,
    /// Told how far a search as JSON is, every few milliseconds, on the thread of the call; may be NULL. It must not call
    /// this library, `ts_interrupt_raise` excepted.
    pub progress: ts_progress_fn,
    /// The second argument of `progress`.
    pub progress_data: *mut std::ffi::c_void,
    /// Searches: `TS_NEWEST_FIRST`, ...
    pub order: u32,
    /// Searches as JSON: 1 for what was found when a limit on time or bytes is met, in place of an error.
    pub allow_partial: u32,
    /// Metrics: 1 for one value for the whole time.
    pub instant: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers, eight bytes each but for the four at the end; the size comes first.
unsafe impl Sized for ts_query_options {}

/// All scopes.
pub const TS_SCOPE_ALL: u32 = 0;
/// Attributes of spans.
pub const TS_SCOPE_SPAN: u32 = 1;
/// Attributes of resources.
pub const TS_SCOPE_RESOURCE: u32 = 2;
/// Attributes of events.
pub const TS_SCOPE_EVENT: u32 = 3;
/// Attributes of links.
pub const TS_SCOPE_LINK: u32 = 4;
/// Attributes of instrumentation scopes.
pub const TS_SCOPE_INSTRUMENTATION: u32 = 5;
/// What every span, event, link or trace has by nature.
pub const TS_SCOPE_INTRINSIC: u32 = 6;

/// How names and values are asked for; 0 always stands for the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_tag_options {
    /// `sizeof(ts_tag_options)`.
    pub size: usize,
    /// Only what is on spans that match this query, which may be unfinished; zero-terminated. Default: all spans.
    pub query: *const c_char,
    /// Only spans of traces that end at this time or later, ns since 1970.
    pub start: u64,
    /// Only spans of traces that start at this time or earlier, ns since 1970.
    pub end: u64,
    /// How many names of each scope at most, or values; default: all.
    pub limit: u64,
    /// How long it may take in ms; default: as long as it does.
    pub timeout_ms: u64,
    /// Ends the call from another thread; may be NULL.
    pub interrupt: *mut ts_interrupt,
    /// Names: only of this scope, `TS_SCOPE_SPAN`, ...
    pub scope: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers, eight bytes each but for the two at the end; the size comes first.
unsafe impl Sized for ts_tag_options {}

/// 0 is no number.
pub(crate) fn given(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// 0 and 1 as what they mean.
pub(crate) fn flag(number: u32, name: &str) -> Result<bool, Fault> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::argument(format!("`{name}` is {number}: it is 0 or 1"))),
    }
}

fn timeout(milliseconds: u64) -> Option<Duration> {
    given(milliseconds).map(Duration::from_millis)
}

impl ts_query_options {
    /// Who may end the query.
    pub(crate) fn watch(&self) -> Result<Watch, Fault> {
        Watch::new(self.interrupt, timeout(self.timeout_ms))
    }

    /// Refuses numbers without a meaning, whether the query would look at them or not.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        flag(self.allow_partial, "allow_partial")?;
        flag(self.instant, "instant")?;
        if self.reserved != 0 {
            return Err(Fault::argument("`reserved` is not 0"));
        }
        self.search_order().map(drop)
    }

    fn search_order(&self) -> Result<SearchOrder, Fault> {
        let (key, ascending) = match self.order {
            TS_NEWEST_FIRST => (SearchKey::Start, false),
            TS_OLDEST_FIRST => (SearchKey::Start, true),
            TS_LONGEST_FIRST => (SearchKey::Duration, false),
            TS_SHORTEST_FIRST => (SearchKey::Duration, true),
            other => return Err(Fault::argument(format!("`order` is {other}: there is no such order"))),
        };
        Ok(SearchOrder { key, ascending })
    }

    /// As the engine takes them for searches.
    pub(crate) unsafe fn search(&self) -> Result<SearchOptions, Fault> {
        let defaults = SearchOptions::default();
        // SAFETY: that the text ends in zero is the caller's word.
        let after = unsafe { optional_text(self.after, "after") }?;
        let after = after.map(str::parse).transpose().map_err(Fault::argument)?;
        let spss = match self.spans_per_spanset {
            0 => defaults.spss,
            TS_ALL => 0,
            spans => count(spans),
        };
        Ok(defaults
            .with_time(given(self.start), given(self.end))
            .with_limit(given(self.limit).map_or(20, count))
            .with_spss(spss)
            .with_order(self.search_order()?)
            .with_after(after)
            .with_limits(timeout(self.timeout_ms), given(self.max_bytes), self.allow_partial == 1)
            .with_max_memory(given(self.max_memory)))
    }

    /// As the engine takes them for metrics.
    pub(crate) fn metrics(&self, snapshot: &Snapshot) -> MetricsOptions {
        let mut options = MetricsOptions::over(snapshot, given(self.start), given(self.end), self.instant == 1)
            .with_max_series(count(self.max_series))
            .with_exemplars(count(self.exemplars))
            .with_limits(timeout(self.timeout_ms), given(self.max_bytes));
        options.step = given(self.step);
        options.max_memory = given(self.max_memory).unwrap_or(options.max_memory);
        options
    }
}

impl ts_tag_options {
    /// Who may end the call.
    pub(crate) fn watch(&self) -> Result<Watch, Fault> {
        Watch::new(self.interrupt, timeout(self.timeout_ms))
    }

    /// As the engine takes them.
    pub(crate) unsafe fn tags(&self) -> Result<TagOptions, Fault> {
        // SAFETY: that the text ends in zero is the caller's word.
        let query = unsafe { optional_text(self.query, "query") }?.map(str::to_owned);
        let scope = match self.scope {
            TS_SCOPE_ALL => None,
            TS_SCOPE_SPAN => Some(TagScope::Span),
            TS_SCOPE_RESOURCE => Some(TagScope::Resource),
            TS_SCOPE_EVENT => Some(TagScope::Event),
            TS_SCOPE_LINK => Some(TagScope::Link),
            TS_SCOPE_INSTRUMENTATION => Some(TagScope::Instrumentation),
            TS_SCOPE_INTRINSIC => Some(TagScope::Intrinsic),
            other => return Err(Fault::argument(format!("`scope` is {other}: there is no such scope"))),
        };
        if self.reserved != 0 {
            return Err(Fault::argument("`reserved` is not 0"));
        }
        let options = TagOptions::default().with_query(query).with_scope(scope);
        Ok(options.with_time(given(self.start), given(self.end)).with_limit(given(self.limit).map(count)))
    }
}
