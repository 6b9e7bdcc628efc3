//! Where the values of rules come from: an engine, or what a test stands in its place.

use std::future::Future;

use super::labels::Sample;
use crate::{Engine, MetricsOptions, Result};

/// Answers the queries of rules.
pub trait Source: Sync {
    /// What a metrics query gives over the time after `start` up to and with `end`, ns since 1970: a sample for each
    /// series that has a value.
    fn samples(&self, query: &str, start: u64, end: u64) -> impl Future<Output = Result<Vec<Sample>>> + Send;
}

impl Source for Engine {
    async fn samples(&self, query: &str, start: u64, end: u64) -> Result<Vec<Sample>> {
        let response = self.query_instant(query, &MetricsOptions::new(start, end)).await?;
        Ok(response.series.iter().filter_map(Sample::of).collect())
    }
}
