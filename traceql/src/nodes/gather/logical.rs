//! The logical node.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    common::{DFSchema, DFSchemaRef, Result, internal_err},
    logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore},
};

use super::Gather;

/// Gathers what its input has.
#[derive(Debug, Clone)]
pub(crate) struct GatherNode {
    input: LogicalPlan,
    pub(super) program: Arc<dyn Gather>,
    schema: DFSchemaRef,
}

impl GatherNode {
    pub(crate) fn new(input: LogicalPlan, program: impl Gather + 'static) -> Result<Self> {
        let schema = Arc::new(DFSchema::try_from(program.schema())?);
        Ok(Self { input, program: Arc::new(program), schema })
    }
}

impl PartialEq for GatherNode {
    fn eq(&self, other: &Self) -> bool {
        self.program.names() == other.program.names()
            && self.program.text() == other.program.text()
            && self.input == other.input
    }
}

impl Eq for GatherNode {}

impl Hash for GatherNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.program.text().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for GatherNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.program.text().cmp(other.program.text()).then(self.input.partial_cmp(&other.input)?);
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for GatherNode {
    fn name(&self) -> &str {
        let [name, _] = self.program.names();
        name
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.program.text())
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, ..self.clone() }),
            Err(inputs) => internal_err!("{} has one input, not {}", self.name(), inputs.len()),
        }
    }
}
