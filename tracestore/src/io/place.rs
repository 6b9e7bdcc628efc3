//! Which file system a path is of.

use std::{path::Path, sync::Arc};

use super::{DiskVfs, Vfs};
use crate::{Error, Result};

/// The file system of a path: an object store for `s3://bucket/prefix` (in builds with the feature `s3`), else the local
/// disk. The environment says how to reach a bucket, as it does for AWS's own tools.
///
/// # Errors
/// [`Error::NotFound`] for other URLs; [`Error::Io`] when the bucket cannot be reached as the environment says.
pub fn vfs_at(path: &Path) -> Result<Arc<dyn Vfs>> {
    match path.to_str().and_then(|path| path.split_once("://")) {
        None => Ok(Arc::new(DiskVfs::default())),
        #[cfg(feature = "s3")]
        Some(("s3", _)) => Ok(Arc::new(super::ObjectVfs::s3(path)?)),
        Some((scheme, _)) => {
            let reason = format!("no path: this build knows no store at {scheme}://");
            Err(Error::NotFound { path: path.to_owned(), reason })
        }
    }
}

/// Whether a path is the URL of a place that is not on this machine.
pub(crate) fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains("://"))
}
