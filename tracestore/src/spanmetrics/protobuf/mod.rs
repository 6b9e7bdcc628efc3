//! Series as protobuf: length-delimited `io.prometheus.client.MetricFamily` messages, the one form that Prometheus scrapes
//! native histograms in.
//!
//! Our own messages and not `prometheus-client`'s: its histograms count in whole numbers, and spans have weights; it wants
//! collectors that live for ever, samples without times, and a compiler of protobuf schemas when it is built.

mod messages;
mod native;

use std::io::{self, Write};

use prost::Message;

pub(crate) use native::{BucketSpan, Counts, Sparse, whole};

use self::messages::{Bucket, Kind, LabelPair, Metric, MetricFamily, Number, Timestamp};
use super::{
    exposition::{Exposition, Family, FamilyKind},
    histogram::{self, Histogram},
    labels::Labels,
};

/// `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited`
///
/// Holds one family at a time. Histograms have the buckets that they were made with: classic, native, or both; their
/// counts are whole numbers where all of one histogram are, or else floats.
#[derive(Debug)]
pub struct ProtobufWriter<W> {
    out: W,
    /// The label that exemplars carry their trace id in.
    exemplar_label: String,
    family: Option<FamilyKind>,
    message: MetricFamily,
}

impl<W: Write> ProtobufWriter<W> {
    /// A writer of an empty document.
    pub fn new(out: W) -> Self {
        Self { out, exemplar_label: super::EXEMPLAR_LABEL.to_owned(), family: None, message: MetricFamily::default() }
    }

    /// The label that exemplars carry the trace id in; `traceID` by default.
    #[must_use]
    pub fn with_exemplar_label(self, label: &str) -> Self {
        Self { exemplar_label: super::sanitize_label(label), ..self }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Writes the family that is there. Prometheus has no use for one without series.
    fn flush_family(&mut self) -> io::Result<()> {
        if !self.message.metric.is_empty() {
            self.out.write_all(&self.message.encode_length_delimited_to_vec())?;
        }
        self.message.metric.clear();
        Ok(())
    }

    fn kind(&self) -> io::Result<FamilyKind> {
        self.family.ok_or_else(|| io::Error::other("a series without a family"))
    }

    fn exemplar(&self, exemplar: &histogram::Exemplar) -> messages::Exemplar {
        let label = LabelPair { name: self.exemplar_label.clone(), value: exemplar.trace_id.to_string() };
        let time = Timestamp {
            seconds: (exemplar.time / 1_000_000_000) as i64, // at most 2^64 / 10^9
            nanos: (exemplar.time % 1_000_000_000) as i32,   // less than 10^9
        };
        messages::Exemplar { label: vec![label], value: exemplar.value, timestamp: Some(time) }
    }

    fn message(&self, histogram: &Histogram) -> messages::Histogram {
        let is_whole = histogram.is_whole();
        let count = |value: f64| if is_whole { (whole(value), 0.0) } else { (0, value) };
        let (sample_count, sample_count_float) = count(histogram.count());
        let bucket = histogram.buckets().map(|(upper_bound, value, exemplar)| {
            let (cumulative_count, cumulative_count_float) = count(value);
            let exemplar = exemplar.map(|exemplar| self.exemplar(exemplar));
            Bucket { cumulative_count, cumulative_count_float, upper_bound, exemplar }
        });
        let mut message = messages::Histogram {
            sample_count,
            sample_count_float,
            sample_sum: histogram.sum(),
            bucket: bucket.collect(),
            ..messages::Histogram::default()
        };
        if let Some(native) = histogram.native() {
            let sparse = Sparse::of(native, is_whole);
            (message.zero_count, message.zero_count_float) = count(native.zero_count());
            (message.schema, message.zero_threshold) = (native.schema(), native.zero_threshold());
            message.positive_span = sparse.spans;
            match sparse.counts {
                Counts::Deltas(deltas) => message.positive_delta = deltas,
                Counts::Floats(counts) => message.positive_count = counts,
            }
        }
        message
    }
}

impl<W: Write> Exposition for ProtobufWriter<W> {
    fn family(&mut self, family: &Family) -> io::Result<()> {
        self.flush_family()?;
        let kind = match family.kind {
            FamilyKind::Counter => Kind::Counter,
            FamilyKind::Gauge => Kind::Gauge,
            FamilyKind::Histogram => Kind::Histogram,
        };
        self.family = Some(family.kind);
        (self.message.name, self.message.help) = (family.name.to_owned(), family.help.to_owned());
        self.message.set_kind(kind);
        Ok(())
    }

    fn number(&mut self, labels: Labels<'_>, time: Option<u64>, value: f64) -> io::Result<()> {
        let mut metric = metric(labels, time);
        match self.kind()? {
            FamilyKind::Counter => metric.counter = Some(Number { value }),
            FamilyKind::Gauge => metric.gauge = Some(Number { value }),
            FamilyKind::Histogram => return Err(io::Error::other("a number in a family of histograms")),
        }
        self.message.metric.push(metric);
        Ok(())
    }

    fn histogram(&mut self, labels: Labels<'_>, time: Option<u64>, histogram: &Histogram) -> io::Result<()> {
        let histogram = Some(self.message(histogram));
        self.message.metric.push(Metric { histogram, ..metric(labels, time) });
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush_family()?;
        self.out.flush()
    }
}

fn metric(labels: Labels<'_>, time: Option<u64>) -> Metric {
    let pair = |(name, value): (&str, &str)| LabelPair { name: name.to_owned(), value: value.to_owned() };
    let timestamp_ms = time.map_or(0, |time| (time / 1_000_000) as i64); // at most 2^64 / 10^6
    Metric { label: labels.iter().map(pair).collect(), timestamp_ms, ..Metric::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::TraceId,
        spanmetrics::{HistogramMode, Shape},
    };

    const CALLS: Family = Family { name: "calls_total", help: "Calls.", kind: FamilyKind::Counter };
    const EMPTY: Family = Family { name: "empty", help: "None.", kind: FamilyKind::Gauge };
    const LATENCY: Family = Family { name: "latency", help: "Seconds.", kind: FamilyKind::Histogram };
    const LABELS: Labels<'_> = Labels(b"service\xffshop\xff");

    fn families(write: impl FnOnce(&mut dyn Exposition) -> io::Result<()>) -> Vec<MetricFamily> {
        let mut out = ProtobufWriter::new(Vec::new());
        write(&mut out).unwrap();
        out.finish().unwrap();
        let bytes = out.into_inner();
        let mut rest = &bytes[..];
        let mut families = Vec::new();
        while !rest.is_empty() {
            families.push(MetricFamily::decode_length_delimited(&mut rest).unwrap());
        }
        families
    }

    fn histogram(weight: f64) -> Histogram {
        let mut histogram = Histogram::new(&Shape { bounds: [0.5].into(), mode: HistogramMode::Both });
        let trace_id = TraceId::from_bytes([1; 16]);
        let exemplar = histogram::Exemplar { trace_id, value: 1.0, time: 1_500_000_000 };
        histogram.observe(1.0, weight, Some(exemplar));
        histogram.observe(0.0, weight, None);
        histogram
    }

    #[test]
    fn families_with_series_are_written() {
        let families = families(|out| {
            out.family(&EMPTY)?;
            out.family(&CALLS)?;
            out.number(LABELS, None, 2.5)?;
            out.number(LABELS, Some(3_000_000_000), 4.0)?;
            out.family(&EMPTY)
        });
        assert_eq!(families.len(), 1);
        let family = &families[0];
        assert_eq!((family.name.as_str(), family.kind()), ("calls_total", Kind::Counter));
        let label = LabelPair { name: "service".to_owned(), value: "shop".to_owned() };
        assert!(family.metric.iter().all(|metric| metric.label == [label.clone()]));
        let samples = family.metric.iter().map(|metric| (metric.counter.unwrap().value, metric.timestamp_ms));
        assert_eq!(samples.collect::<Vec<_>>(), [(2.5, 0), (4.0, 3000)]);
    }

    #[test]
    fn histograms_count_in_whole_numbers_where_they_can() {
        let families = families(|out| {
            out.family(&LATENCY)?;
            out.histogram(LABELS, None, &histogram(3.0))?;
            out.histogram(LABELS, None, &histogram(0.5))
        });
        let [whole, float] = [0, 1].map(|index| families[0].metric[index].histogram.clone().unwrap());
        assert_eq!((whole.sample_count, whole.sample_count_float, whole.zero_count), (6, 0.0, 3));
        assert_eq!((whole.schema, &whole.positive_delta[..], whole.positive_span[0].offset), (3, &[3][..], 0));
        let buckets: Vec<_> = whole.bucket.iter().map(|bucket| (bucket.upper_bound, bucket.cumulative_count)).collect();
        assert_eq!(buckets, [(0.5, 3), (f64::INFINITY, 6)]);
        let exemplar = whole.bucket[1].exemplar.clone().unwrap();
        assert_eq!(exemplar.timestamp, Some(Timestamp { seconds: 1, nanos: 500_000_000 }));
        assert_eq!((exemplar.label[0].name.as_str(), exemplar.label[0].value.len()), ("traceID", 32));

        assert_eq!((float.sample_count, float.sample_count_float, float.zero_count_float), (0, 1.0, 0.5));
        assert_eq!((float.positive_count, float.positive_delta), (vec![0.5], Vec::new()));
        assert_eq!(float.bucket[1].cumulative_count_float, 1.0);
    }
}
