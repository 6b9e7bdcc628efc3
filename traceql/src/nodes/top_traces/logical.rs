//! The logical node.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use datafusion::{
    common::{DFSchemaRef, Result, internal_err},
    logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore},
};
use tracestore::{Snapshot, table::Watermark};

use crate::{Cursor, SearchOrder};

/// Keeps the spans of the newest traces.
#[derive(Debug, Clone)]
pub(crate) struct TopTraces {
    pub(super) input: LogicalPlan,
    pub(super) limit: usize,
    pub(super) watermark: Watermark,
    pub(super) snapshot: Snapshot,
    pub(super) order: SearchOrder,
    pub(super) after: Option<Cursor>,
}

impl TopTraces {
    /// The newest `limit` traces of `input`, which is over `snapshot`; the scan below reads the watermark.
    pub(crate) fn new(input: LogicalPlan, limit: usize, watermark: Watermark, snapshot: Snapshot) -> Self {
        Self { input, limit, watermark, snapshot, order: SearchOrder::default(), after: None }
    }

    /// Another order than newest first; only traces behind a place in it.
    pub(crate) fn with_order(self, order: SearchOrder, after: Option<Cursor>) -> Self {
        Self { order, after, ..self }
    }
}

impl PartialEq for TopTraces {
    fn eq(&self, other: &Self) -> bool {
        (self.limit, self.order, self.after) == (other.limit, other.order, other.after) && self.input == other.input
    }
}

impl Eq for TopTraces {}

impl Hash for TopTraces {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.limit.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for TopTraces {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.limit.cmp(&other.limit).then(self.input.partial_cmp(&other.input)?);
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for TopTraces {
    fn name(&self) -> &str {
        "TopTraces"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopTraces: limit={}, order={:?}", self.limit, self.order)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, ..self.clone() }),
            Err(inputs) => internal_err!("TopTraces has one input, not {}", inputs.len()),
        }
    }
}
