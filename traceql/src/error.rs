//! The one error type of the engine, and the classes that exit codes and C status codes are made from.

use datafusion::{arrow::error::ArrowError, error::DataFusionError};

use crate::syntax::Diagnostics;

/// What can go wrong while a query is answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The query is wrong; displays with the place in the query.
    #[error(transparent)]
    Query(#[from] Diagnostics),
    /// The SQL statement is wrong, or asks of a value what cannot be had.
    #[error("{0}")]
    Sql(String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] tracestore::Error),
    /// What was asked for beside the query makes no sense: a range that ends before it starts, a step of 0.
    #[error("{0}")]
    Options(String),
    /// A limit was reached.
    #[error("{0}")]
    Limit(String),
    /// The engine failed.
    #[error("the query could not be run: {0}")]
    Execution(String),
}

/// What the engine's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The query is wrong.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Sql(_))
    }

    /// What was asked for beside the query makes no sense.
    #[must_use]
    pub fn is_options(&self) -> bool {
        match self {
            Self::Options(_) => true,
            Self::Store(error) => error.is_config(),
            _ => false,
        }
    }

    /// Stored data is damaged, or of an unknown version.
    #[must_use]
    pub fn is_corruption(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_corruption())
    }

    /// Input is not what it should be.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_bad_input())
    }

    /// A path holds nothing that can be opened.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_not_found())
    }

    /// A limit was reached.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Limit(_) => true,
            Self::Store(error) => error.is_limit(),
            _ => false,
        }
    }
}

impl From<DataFusionError> for Error {
    /// An error of the store that travelled through DataFusion comes out as what it was.
    fn from(error: DataFusionError) -> Self {
        let text = error.strip_backtrace();
        match unwrap(error) {
            DataFusionError::External(source) => match source.downcast::<tracestore::Error>() {
                Ok(error) => Self::Store(*error),
                Err(source) => source.downcast::<Self>().map_or(Self::Execution(text), |error| *error),
            },
            DataFusionError::ResourcesExhausted(reason) => Self::Limit(reason),
            _ => Self::Execution(text),
        }
    }
}

/// Takes off what DataFusion has wrapped around an error.
fn unwrap(error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => unwrap(*inner),
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(inner) => unwrap(inner),
            Err(shared) => DataFusionError::Shared(shared),
        },
        DataFusionError::ArrowError(inner, backtrace) => match *inner {
            ArrowError::ExternalError(source) => match source.downcast::<DataFusionError>() {
                Ok(inner) => unwrap(*inner),
                Err(source) => DataFusionError::External(source),
            },
            other => DataFusionError::ArrowError(Box::new(other), backtrace),
        },
        DataFusionError::External(source) => match source.downcast::<DataFusionError>() {
            Ok(inner) => unwrap(*inner),
            Err(source) => DataFusionError::External(source),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_store_survives_datafusion() {
        let path = "x/spans.parquet".into();
        let corrupt = tracestore::Error::Corrupt { path, offset: 7, reason: "bad".to_owned() };
        let wrapped = DataFusionError::Context("here".into(), Box::new(corrupt.into()));
        let error = Error::from(wrapped);
        assert!(error.is_corruption());
        assert_eq!(error.to_string(), "x/spans.parquet: corrupt at byte 7: bad");
    }
}
