//! A seeded workload of realistic shape, in bounded memory from thousands to a hundred million spans.
//!
//! Traces have heavy-tailed sizes, services are skewed, calls nest (server, client, database, queue), attributes follow
//! the semantic conventions, ids are nearly unique, a few spans fail. Spans are sent as SDKs do: each message holds
//! spans of one resource, so a trace arrives in several messages; some arrive late.

mod encode;
mod random;
mod shape;
mod tree;

use std::{fs::File, io::Write, path::PathBuf};

use clap::Args;

use crate::Result;
use encode::Message;
use random::Random;
use shape::Shape;
pub use tree::tree_request;

/// How a workload is written to a file.
#[derive(Debug, Args)]
pub struct Generate {
    /// How many spans, about.
    #[arg(long, default_value_t = 100_000)]
    spans: u64,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The share of traces of which a part arrives some thousand spans late.
    #[arg(long, default_value_t = 0.02)]
    late: f64,
    /// Where to write; `-` is standard output.
    #[arg(long)]
    out: PathBuf,
}

impl Generate {
    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn execute(&self) -> Result<()> {
        let out: Box<dyn Write> =
            if self.out.as_os_str() == "-" { Box::new(std::io::stdout()) } else { Box::new(File::create(&self.out)?) };
        let mut packed = zstd::Encoder::new(out, 3)?;
        for message in Workload::new(self.seed, self.spans, self.late) {
            write_delimited(&mut packed, &message)?;
        }
        packed.finish()?.flush()?;
        Ok(())
    }
}

/// Writes a message behind its length as a varint.
///
/// # Errors
/// Those of the writer.
pub fn write_delimited(out: &mut impl Write, message: &[u8]) -> std::io::Result<()> {
    let mut head = Message::default();
    head.varint(message.len() as u64);
    out.write_all(&head.0)?;
    out.write_all(message)
}

/// Spans that wait to be sent are held per resource, at most this many.
const BATCH: usize = 200;
/// Late spans wait for this many batches.
const LATE_BATCHES: usize = 40;

/// Encoded requests, one after the other.
#[derive(Debug)]
pub struct Workload {
    random: Random,
    shape: Shape,
    left: u64,
    late_share: f64,
    /// Encoded spans by resource.
    batches: Vec<Vec<Vec<u8>>>,
    late: std::collections::VecDeque<(usize, Vec<u8>)>,
    ready: Vec<Vec<u8>>,
}

impl Workload {
    /// About so many spans; this share of the traces has a part that arrives some thousand spans late.
    #[must_use]
    pub fn new(seed: u64, spans: u64, late_share: f64) -> Self {
        let mut random = Random::new(seed);
        let shape = Shape::new(&mut random);
        let batches = vec![Vec::new(); shape.resources()];
        Self { random, shape, left: spans, late_share, batches, late: Default::default(), ready: Vec::new() }
    }

    /// Makes one trace and hands its spans to the batches of their resources.
    fn add_trace(&mut self) {
        let trace = self.shape.trace(&mut self.random, self.left);
        self.left = self.left.saturating_sub(trace.len() as u64);
        let late = self.random.chance(self.late_share);
        for (index, (resource, span)) in trace.into_iter().enumerate() {
            if late && index % 3 == 2 {
                self.late.push_back((resource, span));
            } else {
                self.send(resource, span);
            }
        }
        while self.late.len() > LATE_BATCHES * BATCH {
            if let Some((resource, span)) = self.late.pop_front() {
                self.send(resource, span);
            }
        }
    }

    fn send(&mut self, resource: usize, span: Vec<u8>) {
        let Some(batch) = self.batches.get_mut(resource) else { return };
        batch.push(span);
        if batch.len() >= BATCH {
            self.flush(resource);
        }
    }

    fn flush(&mut self, resource: usize) {
        let batch = self.batches.get_mut(resource).map(std::mem::take).unwrap_or_default();
        if !batch.is_empty() {
            self.ready.push(self.shape.request(resource, &batch));
        }
    }
}

impl Iterator for Workload {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while self.ready.is_empty() && self.left > 0 {
            self.add_trace();
        }
        if self.ready.is_empty() {
            while let Some((resource, span)) = self.late.pop_front() {
                self.send(resource, span);
            }
            (0..self.batches.len()).for_each(|resource| self.flush(resource));
        }
        self.ready.pop()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let hash = |seed| {
            Workload::new(seed, 5_000, 0.02).fold(0, |hash, message| hash ^ xxhash_rust::xxh3::xxh3_64(&message))
        };
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn traces_have_the_shape_of_real_ones() {
        let requests: Vec<_> = Workload::new(7, 50_000, 0.02)
            .map(|message| ExportTraceServiceRequest::decode(message.as_slice()).unwrap())
            .collect();
        let spans: Vec<_> = requests
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|spans| &spans.scope_spans)
            .flat_map(|spans| &spans.spans)
            .collect();
        assert!((50_000..60_000).contains(&spans.len()), "{}", spans.len());
        let mut traces: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
        for span in &spans {
            traces.entry(&span.trace_id).or_default().push(&span.span_id);
        }
        let mut sizes: Vec<usize> = traces.values().map(Vec::len).collect();
        sizes.sort_unstable();
        let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        assert!((3..=12).contains(&median) && largest > 300, "median {median}, largest {largest}");
        let ids: HashSet<_> = spans.iter().map(|span| (&span.trace_id, &span.span_id)).collect();
        assert_eq!(ids.len(), spans.len(), "span ids are unique");
        let parents = spans.iter().filter(|span| !span.parent_span_id.is_empty());
        assert!(
            parents.clone().all(|span| ids.contains(&(&span.trace_id, &span.parent_span_id))),
            "every parent is there"
        );
        let errors = spans.iter().filter(|span| span.status.as_ref().is_some_and(|status| status.code == 2)).count();
        assert!((spans.len() / 200..spans.len() / 20).contains(&errors), "{errors} errors");
        assert!(spans.iter().any(|span| !span.events.is_empty()) && spans.iter().any(|span| !span.links.is_empty()));
    }
}
