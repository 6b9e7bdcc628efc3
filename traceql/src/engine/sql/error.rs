//! What went wrong, in the words of those who wrote the statement.

use std::{any::Any, sync::Arc};

use datafusion::{
    arrow::error::ArrowError,
    common::{Column, SchemaError},
    error::DataFusionError,
};
use tracestore::{Snapshot, block::AttributeScope};

use super::{catalog::TABLES, keys::stored, names::Names};
use crate::{Error, syntax::suggest::closest};

/// How the regex crate begins.
const PATTERN: &str = "regex parse error:";

/// Explains errors with what the data has.
#[derive(Debug)]
pub(super) struct Explainer {
    view: Snapshot,
    names: Arc<Names>,
}

/// An error in which the data plays no part.
pub(super) fn explain(error: DataFusionError) -> Error {
    Explainer::new(Snapshot::new(Vec::new()), Arc::default()).explain(error)
}

/// A panic of DataFusion.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    Error::Execution(format!("DataFusion panicked: {}", text.unwrap_or("no reason given")))
}

impl Explainer {
    pub(super) fn new(view: Snapshot, names: Arc<Names>) -> Self {
        Self { view, names }
    }

    /// An error of DataFusion as one of ours.
    pub(super) fn explain(&self, error: DataFusionError) -> Error {
        let message = match error.find_root() {
            DataFusionError::SchemaError(error, _) => Some(self.schema(error)),
            DataFusionError::Plan(message) => Some(plan(message)),
            DataFusionError::SQL(error, _) => Some(error.to_string()),
            DataFusionError::NotImplemented(message)
            | DataFusionError::Execution(message)
            | DataFusionError::Configuration(message) => Some(message.clone()),
            DataFusionError::ArrowError(error, _) => value(error),
            DataFusionError::External(error) => match error.downcast_ref() {
                Some(error) => value(error),
                None => Some(error.to_string()).filter(|message| message.contains(PATTERN)),
            },
            DataFusionError::Internal(message) if message.contains(PATTERN) => Some(message.clone()),
            DataFusionError::Collection(errors) if !errors.is_empty() => {
                Some(errors.iter().map(|error| error.strip_backtrace()).collect::<Vec<_>>().join("; "))
            }
            _ => None,
        };
        match (Error::from(error), message) {
            (Error::Execution(_), Some(message)) => Error::Sql(first_lines(&message)),
            (error, _) => error,
        }
    }

    fn schema(&self, error: &SchemaError) -> String {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => self.missing(field, valid_fields),
            SchemaError::AmbiguousReference { field } => {
                format!("`{}` may mean columns of several tables: say which, as in t.{0}", field.name)
            }
            other => other.to_string(),
        }
    }

    /// A column that is not there: an attribute without its quotes, one that the data lacks, or a slip.
    fn missing(&self, field: &Column, valid: &[Column]) -> String {
        let flat = field.flat_name().replace('"', "");
        let keys = self.keys();
        if let Some(key) = [flat.as_str(), field.name()].into_iter().find(|name| keys.iter().any(|key| key == name)) {
            if self.names.quoted.contains(key) {
                return format!(
                    "\"{key}\" is an attribute, and no column here: events and links have theirs in their tables"
                );
            }
            return format!("there is no column `{flat}`; names of attributes stand in double quotes: \"{key}\"");
        }
        let columns = valid.iter().map(|column| column.name.as_str());
        let near = closest(&field.name, columns.clone().chain(keys.iter().map(String::as_str)));
        match near {
            Some(near) if keys.iter().any(|key| key == near) => {
                format!("there is no column or attribute `{flat}`; did you mean \"{near}\"?")
            }
            Some(near) => format!("there is no column or attribute `{flat}`; did you mean {near}?"),
            None if valid.is_empty() => format!("there is no column or attribute `{flat}` here"),
            None => {
                let list: Vec<&str> = columns.collect();
                format!("there is no column or attribute `{flat}`; there are {}", list.join(", "))
            }
        }
    }

    /// The attributes by the names that columns have.
    fn keys(&self) -> Vec<String> {
        let scopes = [AttributeScope::Span, AttributeScope::Resource, AttributeScope::Event, AttributeScope::Link];
        let names = scopes.into_iter().flat_map(|scope| {
            let keys = stored(&self.view, scope).unwrap_or_default().into_iter();
            keys.flat_map(move |(key, _)| [format!("{}.{key}", scope.name()), key])
        });
        names.collect()
    }
}

/// DataFusion's plan errors, those that many will see put plainly.
fn plan(message: &str) -> String {
    let quoted = || message.split('\'').nth(1).map(|name| name.strip_prefix("traceql.public.").unwrap_or(name));
    if message.starts_with("table '") && message.ends_with("not found") {
        let tables = TABLES.join(", ");
        return format!("there is no table `{}`; there are {tables}, and traceql('…')", quoted().unwrap_or_default());
    }
    if message.starts_with("Projections require unique expression names") {
        let name = message.split('"').nth(1).and_then(|name| name.rsplit(" AS ").next()).unwrap_or_default();
        return format!("two columns are called `{name}`: give one another name with AS");
    }
    let read_only = ["DDL not supported: ", "DML not supported: ", "Statement not supported: "];
    if let Some(what) = read_only.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        return format!("{what} is refused; SQL reads and nothing else");
    }
    message.to_owned()
}

/// A value that an operation does not take; `None` where the fault is ours.
fn value(error: &ArrowError) -> Option<String> {
    match error {
        ArrowError::CastError(message)
        | ArrowError::ComputeError(message)
        | ArrowError::ArithmeticOverflow(message)
        | ArrowError::ParseError(message)
        | ArrowError::InvalidArgumentError(message) => Some(message.clone()),
        ArrowError::DivideByZero => Some("division by zero".to_owned()),
        _ => None,
    }
}

/// A message without what follows an empty line; of a pattern, where in it the fault is.
fn first_lines(message: &str) -> String {
    let message = message.find(PATTERN).and_then(|start| message.get(start..)?.split("\n~").next()).unwrap_or(message);
    message.split("\n\n").next().unwrap_or(message).trim().trim_end_matches('.').to_owned()
}
