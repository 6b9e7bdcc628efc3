//! Meaning to DataFusion: a filter over spans as an expression over the columns of the span table.
//!
//! A TraceQL value has its type at run time, a column has it at plan time. So a value is lowered to one nullable
//! expression per type that it can have ([`typed::Typed`]), of which at most one has a value on any span; an operator
//! between two values is the disjunction of what it means for each pair of types. Where an attribute has one type in
//! the data, which is the rule, that is a plain comparison of a column with a literal.

mod compare;
mod condition;
mod context;
mod output;
mod pipeline;
mod quantify;
mod resolve;
mod series;
mod source;
mod typed;

pub(crate) use condition::filter_conjuncts;
pub(crate) use context::Context;
pub(crate) use output::{OutputColumn, ValueKind, output_columns};
pub(crate) use pipeline::{PlannedPipeline, plan_pipeline};
pub(crate) use series::{PlannedComparison, PlannedSeries, plan_comparison, plan_series};
