//! The execution.

use std::{fmt, ops::Range, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, Float64Array, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions,
            StringViewArray, UInt32Array, new_empty_array,
        },
        compute::{concat, take},
        datatypes::{DataType, SchemaRef, UInt32Type},
    },
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt;
use tracestore::{Snapshot, block::SpanColumn};

use super::{FoundColumn, Shape};
use crate::{Value, nodes::pipeline::attributes::decode, output};

/// Reads columns for the rows of its input.
#[derive(Debug)]
pub(crate) struct FoundSpansExec {
    input: Arc<dyn ExecutionPlan>,
    view: Snapshot,
    columns: Arc<[FoundColumn]>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FoundSpansExec {
    /// The columns of `schema` for what `input` finds in the view.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        view: Snapshot,
        columns: Arc<[FoundColumn]>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, view, columns, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for FoundSpansExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "FoundSpansExec: columns=[{}]", columns.join(", "))
    }
}

impl ExecutionPlan for FoundSpansExec {
    fn name(&self) -> &str {
        "FoundSpansExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// The search below has its partitions, and its batches are not to be cut.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, self.view.clone(), Arc::clone(&self.columns), self.schema()))),
            Err(children) => internal_err!("FoundSpansExec has one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let (view, columns, schema) = (self.view.clone(), Arc::clone(&self.columns), self.schema());
        let batches = input.map(move |batch| {
            let batch = batch?;
            let _timer = baseline.elapsed_compute().timer();
            let shown = show(&view, &columns, &schema, &batch)?;
            baseline.record_output(shown.num_rows());
            Ok(shown)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A batch of what was found with the columns that are asked for.
fn show(view: &Snapshot, columns: &[FoundColumn], schema: &SchemaRef, found: &RecordBatch) -> Result<RecordBatch> {
    let wanted = columns.iter().filter_map(|column| match column {
        FoundColumn::Span(column) => Some(column.clone()),
        _ => None,
    });
    let mut spans = fetch(view, &wanted.collect::<Vec<_>>(), found)?.into_iter();
    let arrays = columns.iter().map(|column| match column {
        FoundColumn::Spanset => {
            let numbers = numbers(found, "spanset")?;
            Ok(Arc::new(numbers.values().iter().map(|number| i64::from(*number) + 1).collect::<Int64Array>())
                as ArrayRef)
        }
        FoundColumn::Attribute(label, shape) => attribute(found, *label, *shape),
        FoundColumn::Span(_) => match spans.next() {
            Some(array) => Ok(array),
            None => internal_err!("a column of the spans was not read"),
        },
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(found.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

/// Columns of the spans of a batch.
fn fetch(view: &Snapshot, columns: &[SpanColumn], found: &RecordBatch) -> Result<Vec<ArrayRef>> {
    let (blocks, rows) = (numbers(found, "block")?, numbers(found, "row")?);
    let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
    for run in runs(&blocks) {
        if columns.is_empty() {
            break;
        }
        let rows = rows.values().get(run.clone()).unwrap_or(&[]);
        let mut wanted = rows.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let places: UInt32Array =
            rows.iter().map(|row| wanted.binary_search(row).ok().map(|place| place as u32)).collect();
        let fetched = view.fetch(blocks.value(run.start), &wanted, columns)?;
        for (parts, array) in parts.iter_mut().zip(fetched) {
            parts.push(take(&array, &places, None)?);
        }
    }
    let whole = columns.iter().zip(parts).map(|(column, parts)| match parts.as_slice() {
        [] => Ok(new_empty_array(&column.data_type())),
        [array] => Ok(Arc::clone(array)),
        several => Ok(concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
    });
    whole.collect()
}

/// Rows of one block after the other.
fn runs(blocks: &UInt32Array) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for run in blocks.values().chunk_by(|a, b| a == b) {
        let start = runs.last().map_or(0, |last| last.end);
        runs.push(start..start + run.len());
    }
    runs
}

/// An attribute of the spansets, for each of their rows.
fn attribute(found: &RecordBatch, label: usize, shape: Shape) -> Result<ArrayRef> {
    let encoded = found.column_by_name("attributes").and_then(|array| array.as_binary_opt::<i32>());
    let Some(encoded) = encoded else { return internal_err!("the search gave no column `attributes`") };
    let mut values: Vec<Option<Value>> = Vec::with_capacity(found.num_rows());
    for row in 0..encoded.len() {
        let Some(attributes) = decode(encoded.value(row)) else {
            return internal_err!("the attributes of a spanset cannot be read");
        };
        values.push(attributes.into_iter().find(|(found, _)| *found == label).map(|(_, value)| value));
    }
    let values = values.iter().map(Option::as_ref);
    Ok(match shape {
        Shape::Count => Arc::new(values.map(|value| count(value?)).collect::<Int64Array>()),
        Shape::Number => Arc::new(values.map(|value| number(value?)).collect::<Float64Array>()),
        Shape::Text => Arc::new(values.map(|value| text(value?)).collect::<StringViewArray>()),
    })
}

fn count(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) | Value::Duration(value) => Some(*value),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) | Value::Duration(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) | Value::Duration(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(text) | Value::Json(text) => text.clone(),
        Value::Status(code) => output::status_word(*code),
        Value::Kind(code) => output::kind_word(*code),
        Value::Nil | Value::Array(_) => return None,
    })
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<UInt32Type>> {
    match batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>()) {
        Some(column) if column.null_count() == 0 => Ok(column.clone()),
        _ => internal_err!("the search gave no column `{name}`"),
    }
}

impl Shape {
    /// The Arrow type.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Count => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Text => DataType::Utf8View,
        }
    }
}
