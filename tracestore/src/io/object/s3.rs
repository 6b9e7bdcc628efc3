//! `s3://bucket/prefix` as a place for stores. Keys, region, endpoint and the rest come from the environment, under the
//! names that AWS's own tools use (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, ...).

use std::{path::Path, sync::Arc};

use object_store::aws::AmazonS3Builder;

use super::{ObjectVfs, wrong};
use crate::{Error, Result};

impl ObjectVfs {
    /// A prefix of a bucket: `root` is `s3://bucket/prefix`, or a path below that.
    ///
    /// # Errors
    /// [`Error::NotFound`] for anything else; [`Error::Io`] when the environment does not say how to reach it.
    pub fn s3(root: &Path) -> Result<Self> {
        let no_bucket = || Error::NotFound {
            path: root.to_owned(),
            reason: "no place in an object store: `s3://bucket/prefix` is one".to_owned(),
        };
        let url = root.to_str().and_then(|url| url.strip_prefix("s3://")).ok_or_else(no_bucket)?;
        let (bucket, prefix) = url.split_once('/').unwrap_or((url, ""));
        if bucket.is_empty() {
            return Err(no_bucket());
        }
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let store = store.map_err(|error| wrong("open", root, error))?;
        Self::new(Arc::new(store), root, prefix)
    }
}
