//! The trace table: order, where rows are, counts, and the Bloom filter.

use arrow::datatypes::UInt32Type;

use super::{Block, require};
use crate::{Error, Result, model::TraceId};

/// Summaries are read for so many traces at once.
const BATCH: usize = 8 << 10;

impl Block {
    pub(super) fn verify_traces(&self) -> Result<()> {
        let table = self.trace_table()?;
        let file = table.file();
        let (starts, rows, first_rows) = (table.starts()?, table.rows()?, table.first_rows()?);
        let (mut first, mut before) = (0, None);
        for ordinal in 0..starts.len() {
            let key = (starts.value(ordinal), table.id(ordinal)?);
            let what = || format!("trace {ordinal} ({}) is not where its start and id put it", key.1);
            require(before.is_none_or(|before| before < key), file, what)?;
            before = Some(key);
            let what = || format!("the rows of trace {ordinal} do not follow those of the trace before");
            require(u64::from(first_rows.value(ordinal)) == first && rows.value(ordinal) > 0, file, what)?;
            first += u64::from(rows.value(ordinal));
        }
        require(first == self.meta().spans, file, || format!("the traces have {first} rows"))?;
        self.verify_ids()?;
        self.verify_services()?;
        self.verify_row_groups()
    }

    /// The order by id, and the filter.
    fn verify_ids(&self) -> Result<()> {
        let table = self.trace_table()?;
        let mut before: Option<TraceId> = None;
        let mut count = 0;
        for found in table.ids_from(TraceId::from_bytes([0; 16]))? {
            let (id, ordinal) = found?;
            let what = || format!("`by_id` has trace {ordinal} ({id}) at a wrong place");
            require(before.is_none_or(|before| before < id), table.file(), what)?;
            let is_found = self.find(&id)? == Some(ordinal);
            if !is_found {
                let path = self.path().join(crate::block::schema::file_names::BLOOM);
                return Err(Error::corrupt(path, 0, format!("the trace {id} is not in the filter")));
            }
            before = Some(id);
            count += 1;
        }
        // Distinct ids, each where it is found: as many as there are traces is all of them.
        require(count == self.meta().traces, table.file(), || format!("`by_id` has {count} traces"))
    }

    /// The counts by service against those of the trace.
    fn verify_services(&self) -> Result<()> {
        let table = self.trace_table()?;
        let (spans, errors) = (table.primitive::<UInt32Type>("spans")?, table.primitive::<UInt32Type>("errors")?);
        for first in (0..spans.len()).step_by(BATCH) {
            let ordinals: Vec<usize> = (first..spans.len().min(first + BATCH)).collect();
            for (summary, ordinal) in table.summaries(&ordinals)?.iter().zip(ordinals) {
                let sums = summary.services.iter().fold((0_u64, 0_u64), |(spans, errors), service| {
                    (spans + u64::from(service.spans), errors + u64::from(service.errors))
                });
                let is_ascending = summary.services.is_sorted_by(|a, b| a.service < b.service);
                let counted = (u64::from(spans.value(ordinal)), u64::from(errors.value(ordinal)));
                let what =
                    || format!("the services of trace {ordinal} have {sums:?} spans and errors, not {counted:?}");
                require(is_ascending && sums == counted, table.file(), what)?;
            }
        }
        Ok(())
    }

    /// What `meta.json` says of times.
    fn verify_row_groups(&self) -> Result<()> {
        let table = self.trace_table()?;
        let (starts, durations) = (table.starts()?, table.durations()?);
        let end_of = |ordinal: usize| starts.value(ordinal).saturating_add(durations.value(ordinal).unsigned_abs());
        let mut ends = (u64::MAX, 0);
        for (index, group) in self.meta().row_groups.iter().enumerate() {
            let traces = group.first_trace as usize..(group.first_trace + group.traces) as usize;
            let end = traces.clone().map(end_of).max().unwrap_or(0);
            let start = traces.clone().next().map_or(0, |first| starts.value(first));
            let last = traces.last().map_or(0, |last| starts.value(last));
            let what = || format!("row group {index} has other times than meta.json says");
            // A trace may last longer than the table can say.
            let is_end = group.end == end || group.end > end && end >= i64::MAX.unsigned_abs();
            require((group.start, group.last_start) == (start, last) && is_end, table.file(), what)?;
            ends = (ends.0.min(start), ends.1.max(group.end));
        }
        let is_right = self.meta().traces == 0 || ends == self.time_range();
        require(is_right, table.file(), || "the block has other times than meta.json says".to_owned())
    }
}
