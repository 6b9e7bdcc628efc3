//! What was merged.

use std::fmt;

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionReport {
    /// How many jobs were done.
    pub jobs: u64,
    /// How many blocks were merged.
    pub inputs: u64,
    /// Into how many.
    pub outputs: u64,
    /// Spans that were stored in the blocks before, and are in those after.
    pub spans_in: u64,
    /// Spans that are stored now.
    pub spans_out: u64,
    /// Deleted spans that are gone now.
    pub deleted: u64,
    /// Bytes of the files before.
    pub bytes_in: u64,
    /// Bytes of the files after.
    pub bytes_out: u64,
    /// Traces that lay in several blocks that are not merged any more, and were put together.
    pub gathered: u64,
    /// Jobs that were given up, since the blocks had changed meanwhile.
    pub outdated: u64,
    /// Blocks that cannot be merged. They are not tried again until the store is opened anew.
    pub left_alone: Vec<LeftAlone>,
}

/// Blocks of a job that failed, and stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// Their folders.
    pub blocks: Vec<String>,
    /// Why.
    pub reason: String,
}

impl CompactionReport {
    /// Copies of spans that another copy stands for, left out now.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.spans_in.saturating_sub(self.spans_out + self.deleted)
    }

    /// Adds what another compaction did.
    pub(crate) fn add(&mut self, other: Self) {
        let Self {
            jobs,
            inputs,
            outputs,
            spans_in,
            spans_out,
            deleted,
            bytes_in,
            bytes_out,
            gathered,
            outdated,
            left_alone,
        } = other;
        self.jobs += jobs;
        self.inputs += inputs;
        self.outputs += outputs;
        self.spans_in += spans_in;
        self.spans_out += spans_out;
        self.deleted += deleted;
        self.bytes_in += bytes_in;
        self.bytes_out += bytes_out;
        self.gathered += gathered;
        self.outdated += outdated;
        self.left_alone.extend(left_alone);
    }
}

impl fmt::Display for CompactionReport {
    /// What to tell people, line by line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inputs {
            0 => f.write_str("nothing to merge")?,
            _ => write!(
                f,
                "{} blocks became {}: {} spans became {} ({} copies and {} deleted ones left out), {} bytes became {}",
                self.inputs,
                self.outputs,
                self.spans_in,
                self.spans_out,
                self.duplicates(),
                self.deleted,
                self.bytes_in,
                self.bytes_out
            )?,
        }
        if self.gathered > 0 {
            write!(f, "\n{} traces that lay in several blocks were put together", self.gathered)?;
        }
        for left in &self.left_alone {
            write!(f, "\nleft alone: {}: {}", left.blocks.join(", "), left.reason)?;
        }
        Ok(())
    }
}
