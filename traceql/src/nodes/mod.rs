//! Operators of our own in DataFusion plans. Each is a folder: what it means, its logical node, its execution.

pub(crate) mod compare;
pub(crate) mod exemplars;
pub(crate) mod found_spans;
pub(crate) mod gather;
pub(crate) mod pipeline;
pub(crate) mod series;
pub(crate) mod top_traces;
pub(crate) mod values;
