//! The one error type of this crate. Each variant says what happened and where; [`Error::is_corruption`] and its sisters
//! sort errors into the few classes that exit codes and C status codes are made from.

use std::path::PathBuf;

use crate::{model::ParseIdError, spanmetrics::ConfigError};

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("{operation} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb: `open`, `read`, ...
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a block or store does not hold what was written.
    #[error("{}: corrupt at byte {offset}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it, as near as is known.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file of a newer format.
    #[error("{}: format version {found} is not known; this build reads up to {supported}", path.display())]
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
        /// The version it carries.
        found: u32,
        /// The newest version that this build reads.
        supported: u32,
    },
    /// A path that is no store, no block and no OTLP file.
    #[error("{}: {reason}", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// Input that is not OTLP.
    #[error("{input}: byte {offset}: {reason}")]
    Otlp {
        /// The file, or `standard input`.
        input: String,
        /// Offset in the unpacked input.
        offset: u64,
        /// What was expected and found.
        reason: String,
    },
    /// A text that is no id.
    #[error(transparent)]
    Id(#[from] ParseIdError),
    /// More data than a limit allows.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What has grown too large.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// Another writer has the store, or the spool, open.
    #[error("{}: open for writing elsewhere, in this process or another", path.display())]
    Locked {
        /// The store's folder.
        path: PathBuf,
    },
    /// More comes in than is written away: the same call may succeed a little later.
    #[error("{what} is over the budget of {budget} for now; try again later")]
    Overloaded {
        /// What is full.
        what: String,
        /// The budget, with its unit.
        budget: String,
    },
    /// Somebody else was faster: nothing was done, and what was to be done is to be looked at anew.
    #[error("the same blocks were changed by somebody else meanwhile; try again")]
    Conflict,
    /// A store that takes no more writes until it is opened anew.
    #[error("{}: the store takes no more writes until it is opened again: {reason}", path.display())]
    Stopped {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What somebody else was asked to find in the store could not be found.
    #[error("{selector}: {source}")]
    Selector {
        /// What was to be found.
        selector: String,
        /// Why it was not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Metrics that cannot be made as they are configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A mistake in this crate.
    #[error("internal error, please report: {0}")]
    Internal(String),
}

/// What this crate's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Stored data is damaged, or of an unknown version.
    #[must_use]
    pub fn is_corruption(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::UnsupportedVersion { .. })
    }

    /// The input is not what it should be: nothing is wrong with the store.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::Otlp { .. } | Self::Id(_))
    }

    /// The path holds nothing that can be opened.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// What was asked for has no meaning.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(self, Self::Config(_))
    }

    /// A limit was reached.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Limit { .. })
    }

    /// Nothing was done, and the same call may succeed later without any change: wait, then repeat it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Conflict)
    }

    /// Wraps an operating system error with what was being done.
    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { operation, path: path.into(), source }
    }

    /// Names a damaged file and place.
    pub(crate) fn corrupt(path: impl Into<PathBuf>, offset: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.into(), offset, reason: reason.into() }
    }
}

#[cfg(feature = "datafusion")]
impl From<Error> for datafusion::error::DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
