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

use super::{ExemplarsProgram, choice};

/// Chooses spans of series.
#[derive(Debug, Clone)]
pub(crate) struct ExemplarsNode {
    input: LogicalPlan,
    pub(super) program: Arc<ExemplarsProgram>,
    schema: DFSchemaRef,
}

impl ExemplarsNode {
    pub(crate) fn new(input: LogicalPlan, program: ExemplarsProgram) -> Result<Self> {
        let schema = Arc::new(DFSchema::try_from(choice::schema())?);
        Ok(Self { input, program: Arc::new(program), schema })
    }
}

impl PartialEq for ExemplarsNode {
    fn eq(&self, other: &Self) -> bool {
        self.program.text == other.program.text && self.input == other.input
    }
}

impl Eq for ExemplarsNode {}

impl Hash for ExemplarsNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.program.text.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for ExemplarsNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.program.text.cmp(&other.program.text).then(self.input.partial_cmp(&other.input)?);
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for ExemplarsNode {
    fn name(&self) -> &str {
        "Exemplars"
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
        write!(f, "Exemplars: {}", self.program.text)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, ..self.clone() }),
            Err(inputs) => internal_err!("Exemplars has one input, not {}", inputs.len()),
        }
    }
}
