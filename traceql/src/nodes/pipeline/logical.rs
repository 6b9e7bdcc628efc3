//! The logical node.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    common::{DFSchema, DFSchemaRef, Result, internal_err},
    logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore},
};

use tracestore::block::SpanColumn;

use super::Program;

/// Runs a pipeline on marked rows.
#[derive(Debug, Clone)]
pub(crate) struct PipelineNode {
    pub(super) input: LogicalPlan,
    pub(super) program: Arc<Program>,
    schema: DFSchemaRef,
}

/// The columns of the output; those of the input come as they are.
pub(super) fn output_fields(program: &Program, input: &Schema) -> Vec<Field> {
    let of_input = |column: &SpanColumn| match input.field_with_name(&column.name()) {
        Ok(field) => field.clone(),
        Err(_) => column.field(),
    };
    let mut fields: Vec<Field> = program.place.iter().map(of_input).collect();
    fields.push(Field::new("spanset", DataType::UInt32, false));
    fields.push(Field::new("attributes", DataType::Binary, false));
    fields
}

impl PipelineNode {
    pub(crate) fn new(input: LogicalPlan, program: Program) -> Result<Self> {
        let fields = output_fields(&program, input.schema().as_arrow())
            .into_iter()
            .map(|field| (None, Arc::new(field)))
            .collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, std::collections::HashMap::new())?);
        Ok(Self { input, program: Arc::new(program), schema })
    }
}

impl PartialEq for PipelineNode {
    fn eq(&self, other: &Self) -> bool {
        self.program.text == other.program.text && self.input == other.input
    }
}

impl Eq for PipelineNode {}

impl Hash for PipelineNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.program.text.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for PipelineNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.program.text.cmp(&other.program.text).then(self.input.partial_cmp(&other.input)?);
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for PipelineNode {
    fn name(&self) -> &str {
        "Pipeline"
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
        write!(f, "Pipeline: {}", self.program.text)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, ..self.clone() }),
            Err(inputs) => internal_err!("Pipeline has one input, not {}", inputs.len()),
        }
    }
}
