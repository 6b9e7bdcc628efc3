//! Series as remote write's requests: each sample a time series of its own, as many of them in a request as may be.

use std::io;

use prost::Message;

use super::{
    RemoteWrite,
    messages::{Exemplar, Kind, Label, Metadata, NativeSample, Sample, TimeSeries, WriteRequest},
};
use crate::spanmetrics::{
    Exposition, Family, FamilyKind, Histogram, Labels, NativeHistogram, histogram,
    protobuf::{Counts, Sparse, whole},
    sanitize_label,
};

/// A request is sent when it has grown to so many bytes, uncompressed.
const MAX_BYTES: usize = 1 << 20;
const NAME: &str = "__name__";

/// Takes series and puts them into the queue, in the order in which they are given; samples of one series have to come in
/// the order of their times, and receivers want those of all series to do so. [`Exposition::finish`] puts in what has not
/// filled a request; to be called after each time that there are samples of.
#[derive(Debug)]
pub struct Samples<'a> {
    to: &'a RemoteWrite,
    /// Of samples without a time, ns since 1970.
    time: u64,
    exemplar_label: String,
    family: Option<Family>,
    request: WriteRequest,
    samples: u32,
    bytes: usize,
}

impl<'a> Samples<'a> {
    pub(super) fn new(to: &'a RemoteWrite, time: u64) -> Self {
        let exemplar_label = sanitize_label(&to.options().exemplar_label);
        Self { to, time, exemplar_label, family: None, request: WriteRequest::default(), samples: 0, bytes: 0 }
    }

    fn name(&self) -> io::Result<&'static str> {
        self.family.map(|family| family.name).ok_or_else(|| io::Error::other("a series without a family"))
    }

    fn millis(&self, time: Option<u64>) -> i64 {
        (time.unwrap_or(self.time) / 1_000_000) as i64 // at most 2^64 / 10^6
    }

    fn push(&mut self, series: TimeSeries) -> io::Result<()> {
        self.describe()?;
        self.samples += 1;
        self.bytes += series.encoded_len();
        self.request.timeseries.push(series);
        let is_full = self.request.timeseries.len() >= self.to.options().max_samples || self.bytes >= MAX_BYTES;
        if is_full { self.put() } else { Ok(()) }
    }

    /// What the family is, once in each request that has series of it.
    fn describe(&mut self) -> io::Result<()> {
        let Some(family) = self.family else { return Err(io::Error::other("a series without a family")) };
        if self.request.metadata.iter().all(|known| known.metric_family_name != family.name) {
            let kind = match family.kind {
                FamilyKind::Counter => Kind::Counter,
                FamilyKind::Gauge => Kind::Gauge,
                FamilyKind::Histogram => Kind::Histogram,
            };
            let (metric_family_name, help) = (family.name.to_owned(), family.help.to_owned());
            self.request.metadata.push(Metadata { kind: kind.into(), metric_family_name, help });
        }
        Ok(())
    }

    fn push_sample(&mut self, labels: Vec<Label>, sample: Sample) -> io::Result<()> {
        self.push(TimeSeries { labels, samples: vec![sample], ..TimeSeries::default() })
    }

    /// Puts the request into the queue, and begins another one.
    fn put(&mut self) -> io::Result<()> {
        let request = std::mem::take(&mut self.request);
        let samples = std::mem::take(&mut self.samples);
        self.bytes = 0;
        if samples == 0 {
            return Ok(());
        }
        let body = snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).map_err(io::Error::other)?;
        self.to.push(&body, samples).map_err(io::Error::other)
    }

    fn exemplar(&self, exemplar: &histogram::Exemplar) -> Exemplar {
        let label = Label { name: self.exemplar_label.clone(), value: exemplar.trace_id.to_string() };
        Exemplar { labels: vec![label], value: exemplar.value, timestamp: self.millis(Some(exemplar.time)) }
    }

    fn buckets(&mut self, name: &str, labels: Labels<'_>, timestamp: i64, histogram: &Histogram) -> io::Result<()> {
        let bucket_name = format!("{name}_bucket");
        for (bound, value, exemplar) in histogram.buckets() {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            let labels = sorted(&bucket_name, labels, Some(&bound));
            let exemplars = exemplar.map(|exemplar| self.exemplar(exemplar)).into_iter().collect();
            let samples = vec![Sample { value, timestamp }];
            self.push(TimeSeries { labels, samples, exemplars, ..TimeSeries::default() })?;
        }
        for (suffix, value) in [("_sum", histogram.sum()), ("_count", histogram.count())] {
            self.push_sample(sorted(&format!("{name}{suffix}"), labels, None), Sample { value, timestamp })?;
        }
        Ok(())
    }
}

impl Exposition for Samples<'_> {
    fn family(&mut self, family: &Family) -> io::Result<()> {
        self.family = Some(*family);
        Ok(())
    }

    fn number(&mut self, labels: Labels<'_>, time: Option<u64>, value: f64) -> io::Result<()> {
        let labels = sorted(self.name()?, labels, None);
        let timestamp = self.millis(time);
        self.push_sample(labels, Sample { value, timestamp })
    }

    fn histogram(&mut self, labels: Labels<'_>, time: Option<u64>, histogram: &Histogram) -> io::Result<()> {
        let (name, timestamp) = (self.name()?, self.millis(time));
        if histogram.buckets().next().is_some() {
            self.buckets(name, labels, timestamp, histogram)?;
        }
        if let Some(native) = histogram.native() {
            let histograms = vec![native_sample(histogram, native, timestamp)];
            let labels = sorted(name, labels, None);
            self.push(TimeSeries { labels, histograms, ..TimeSeries::default() })?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.put()
    }
}

fn sorted(name: &str, labels: Labels<'_>, bound: Option<&str>) -> Vec<Label> {
    let all = labels.iter().chain([(NAME, name)]).chain(bound.map(|bound| ("le", bound)));
    let mut all: Vec<Label> =
        all.map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() }).collect();
    all.sort_unstable();
    all
}

fn native_sample(histogram: &Histogram, native: &NativeHistogram, timestamp: i64) -> NativeSample {
    let is_whole = histogram.is_whole();
    let int = |count: f64| is_whole.then(|| whole(count));
    let float = |count: f64| (!is_whole).then_some(count);
    let sparse = Sparse::of(native, is_whole);
    let (positive_deltas, positive_counts) = match sparse.counts {
        Counts::Deltas(deltas) => (deltas, Vec::new()),
        Counts::Floats(counts) => (Vec::new(), counts),
    };
    NativeSample {
        count_int: int(histogram.count()),
        count_float: float(histogram.count()),
        sum: histogram.sum(),
        schema: native.schema(),
        zero_threshold: native.zero_threshold(),
        zero_count_int: int(native.zero_count()),
        zero_count_float: float(native.zero_count()),
        positive_spans: sparse.spans,
        positive_deltas,
        positive_counts,
        timestamp,
    }
}
