//! Which blocks a store has: immutable versions, the newest counts. Specified in `FORMAT.md`.
//!
//! ```text
//! Version (blocks, up to where they cover the log) ─ Change ─▶ next Version ─▶ publish: write, sync, rename, sync the folder ─▶ load (anybody)
//! ```
//!
//! A rename is the one moment at which a store changes: before it the old version stands, whatever files lie about. On an
//! object store, where many may write, it is a conditional put (`shared`).

mod change;
mod collect;
mod persist;
mod shared;
mod version;

pub(crate) use change::Change;
pub(crate) use collect::collect_orphans;
pub(crate) use persist::{PublishError, load, newest, publish};
pub(crate) use shared::{Outcome, check_conditional_writes, publish_shared};
pub(crate) use version::{CatalogBlock, Covered, DeletedRows, Version};
