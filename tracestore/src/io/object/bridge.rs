//! From blocking calls to futures: a small runtime of its own, so that whoever calls may be a thread of another runtime or
//! of a pool, and waits without holding up what it waits for.

use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

use crate::{Error, Result};

/// They wait for the network, and copy what comes.
const THREADS: usize = 2;

/// The runtime; it ends with this value.
#[derive(Debug)]
pub(super) struct Bridge {
    runtime: Option<Runtime>,
}

impl Bridge {
    /// # Errors
    /// [`Error::Io`] when the system has no threads.
    pub(super) fn start() -> Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("tracestore-objects").enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start threads for", "an object store", error))?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Waits for a future.
    ///
    /// # Errors
    /// [`Error::Internal`] when it panics.
    pub(super) fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.spawn(async move {
            // Whoever asked waits below.
            let _ = sender.send(future.await);
        });
        receiver.recv().map_err(|_| Error::Internal("a request to the object store has panicked".to_owned()))
    }

    /// Runs a future that nobody waits for.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(future);
        }
    }
}

impl Drop for Bridge {
    /// Also from a thread of another runtime, which may not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
