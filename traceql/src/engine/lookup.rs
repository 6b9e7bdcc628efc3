//! Traces by their ids.

use tracestore::{
    TraceCandidate,
    model::{Trace, TraceId},
};

use super::{Engine, background::run_blocking};
use crate::Result;

impl Engine {
    /// A whole trace, every span of it; `None` where there is no trace with this id. Other traces are not read.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when data cannot be read.
    pub async fn trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        let (snapshot, id) = (self.snapshot.clone(), *id);
        run_blocking(move || Ok(snapshot.find_trace(&id)?)).await
    }

    /// The traces whose ids start with some hexadecimal digits, leading zeros included, at most `limit` of them, ascending
    /// by id. No spans are read.
    ///
    /// # Errors
    /// [`crate::Error::Store`] for what is not 1 to 32 hexadecimal digits, and when data cannot be read.
    pub async fn traces_by_prefix(&self, digits: &str, limit: usize) -> Result<Vec<TraceCandidate>> {
        let (snapshot, digits) = (self.snapshot.clone(), digits.to_owned());
        run_blocking(move || Ok(snapshot.find_by_prefix(&digits, limit)?)).await
    }
}
