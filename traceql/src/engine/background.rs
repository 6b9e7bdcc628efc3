//! Work on files that takes long in one go, away from the threads that run futures.

use tokio::runtime::Handle;
use tracestore::Snapshot;

use super::Engine;
use crate::{Error, Result};

/// Runs `work` on a thread that may block; without a tokio runtime, here. Dropping the future does not end work that
/// was begun.
pub(super) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match Handle::try_current() {
        Ok(runtime) => match runtime.spawn_blocking(work).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Error::Execution(error.to_string())),
        },
        Err(_) => work(),
    }
}

impl Engine {
    /// What queries run on. The first to ask may have to read the trace ids of all blocks and to ingest split traces
    /// anew, seconds in all: no future may take that long between two awaits. All others have it at hand, and are not
    /// sent to another thread for it.
    pub(super) async fn view(&self) -> Result<Snapshot> {
        match self.snapshot.whole_at_hand() {
            Some(view) => Ok(view),
            None => {
                let snapshot = self.snapshot.clone();
                run_blocking(move || Ok(snapshot.whole()?)).await
            }
        }
    }
}
