//! Objects that are made if there is none of their name: how versions of a catalog are published where many may write.
//!
//! ```text
//! put if there is none ─┬▶ made
//!                       ├▶ there is one: somebody else's, or our own, and the reply was lost
//!                       └▶ any error: nobody knows ─▶ wait, put again
//! ```

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{
    Error as ObjectError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, Result as ObjectResult, path::Path as Key,
};

use super::{Shared, wrong};
use crate::Result;

/// How often one thing is tried.
const TRIES: u32 = 6;
/// Before the second try; before each next one twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Makes an object unless there is one. Tells whether it is there with this content.
///
/// # Errors
/// [`crate::Error::Io`]: whether it was made is not known.
pub(super) fn put_new(shared: &Shared, path: &Path, key: Key, content: &[u8]) -> Result<bool> {
    let (store, content) = (Arc::clone(&shared.store), Bytes::copy_from_slice(content));
    let done = shared.bridge.run(async move { put_patiently(store.as_ref(), &key, &content).await })?;
    done.map_err(|error| wrong("write", path, error))
}

async fn put_patiently(store: &dyn ObjectStore, key: &Key, content: &Bytes) -> ObjectResult<bool> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES {
        match put_or_compare(store, key, content).await {
            Err(error) if is_final(&error) => return Err(error),
            Err(_) => tokio::time::sleep(wait).await,
            done => return done,
        }
        wait *= 2;
    }
    put_or_compare(store, key, content).await
}

async fn put_or_compare(store: &dyn ObjectStore, key: &Key, content: &Bytes) -> ObjectResult<bool> {
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(key, content.clone().into(), options).await {
        Ok(_) => Ok(true),
        Err(ObjectError::AlreadyExists { .. }) => match store.get(key).await {
            Ok(found) => Ok(found.bytes().await? == *content),
            // So much was published since that it is gone again.
            Err(ObjectError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Whether trying again cannot help.
fn is_final(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::PermissionDenied { .. }
            | ObjectError::Unauthenticated { .. }
            | ObjectError::NotSupported { .. }
            | ObjectError::NotImplemented { .. }
            | ObjectError::InvalidPath { .. }
    )
}
