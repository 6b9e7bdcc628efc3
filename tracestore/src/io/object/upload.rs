//! Writing an object: small ones are put as a whole, large ones part by part while they are written.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use object_store::{ObjectStoreExt, WriteMultipart, path::Path as Key};

use super::{Shared, wrong};
use crate::{
    Error, Result,
    io::{SyncHandle, VfsFile},
};

/// The size of a part, and that of the largest object that is put as a whole.
const PART: usize = 8 << 20;
/// So many parts are under way at once, and in memory.
const PARTS_UNDER_WAY: usize = 4;

/// An object that is being written. It is there once it was synced, and not before.
#[derive(Debug)]
pub(super) struct Upload {
    shared: Arc<Shared>,
    path: PathBuf,
    key: Key,
    buffer: Vec<u8>,
    /// Of a large object.
    parts: Option<WriteMultipart>,
    is_stored: bool,
}

impl Upload {
    pub(super) fn new(shared: Arc<Shared>, path: PathBuf, key: Key) -> Self {
        Self { shared, path, key, buffer: Vec::new(), parts: None, is_stored: false }
    }

    /// Hands the buffer to the parts under way, which it begins if it has to.
    fn send_part(&mut self) -> Result<()> {
        let (store, key) = (Arc::clone(&self.shared.store), self.key.clone());
        let (parts, part) = (self.parts.take(), Bytes::from(std::mem::take(&mut self.buffer)));
        let sent = self.shared.bridge.run(async move {
            let mut parts = match parts {
                Some(parts) => parts,
                None => WriteMultipart::new_with_chunk_size(store.put_multipart(&key).await?, PART),
            };
            let waited = parts.wait_for_capacity(PARTS_UNDER_WAY).await;
            parts.put(part);
            match waited {
                Ok(()) => Ok(parts),
                Err(error) => {
                    // The first error is the one to report.
                    let _ = parts.abort().await;
                    Err(error)
                }
            }
        })?;
        self.parts = Some(sent.map_err(|error| wrong("write", &self.path, error))?);
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_stored {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "an object that is stored cannot be written to"));
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl VfsFile for Upload {
    /// The object is there when this returns; nothing can be written to it any more.
    fn sync(&mut self) -> Result<()> {
        if self.is_stored {
            return Ok(());
        }
        let (store, key) = (Arc::clone(&self.shared.store), self.key.clone());
        let (parts, rest) = (self.parts.take(), Bytes::from(std::mem::take(&mut self.buffer)));
        let stored = self.shared.bridge.run(async move {
            match parts {
                Some(mut parts) => {
                    parts.put(rest);
                    parts.finish().await
                }
                None => store.put(&key, rest.into()).await,
            }
        })?;
        stored.map_err(|error| wrong("write", &self.path, error))?;
        self.is_stored = true;
        Ok(())
    }

    fn sync_handle(&self) -> Result<Arc<dyn SyncHandle>> {
        let reason = io::Error::new(io::ErrorKind::Unsupported, "an object is written by one and for once");
        Err(Error::io("sync", &self.path, reason))
    }
}

impl Drop for Upload {
    /// Parts of an object that was given up are not kept, nor paid for.
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            self.shared.bridge.spawn(async move { drop(parts.abort().await) });
        }
    }
}
