//! How a store is opened.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{cut::CutPolicy, observer::IngestObserver, retention::RetentionPolicy};
use crate::{
    compact::{CompactionStrategy, TimeWindows},
    io::{DiskVfs, Vfs},
    wal::SyncMode,
};

/// How long folders that are no part of a store stay, when nothing else is said.
pub(super) const ORPHAN_GRACE: Duration = Duration::from_secs(60 * 60);

/// How a [`TraceStore`](super::TraceStore) works. The defaults suit most.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// When acknowledged requests are on stable storage.
    pub sync: SyncMode,
    /// When live data becomes a block.
    pub cut: CutPolicy,
    /// Live data may have this many bytes of requests, those of a block that is being written included; blocks in memory
    /// that queries make of it take about a fifth besides, and writing a block as much again for a while.
    pub memory_budget: usize,
    /// A segment of the log that has this many bytes is followed by another one.
    pub segment_bytes: u64,
    /// How long files that are no part of the store stay for those who may still read them.
    pub orphan_grace: Duration,
    /// Which blocks are merged; `None`: none, but for those that [`TraceStore::compact`](super::TraceStore::compact) is told
    /// to merge.
    pub compaction: Option<Arc<dyn CompactionStrategy>>,
    /// How often the store's own threads look whether something is due, and oftener if a sync is: one makes blocks of live
    /// data, one merges blocks. `None`: there are no threads, and the host calls
    /// [`TraceStore::step`](super::TraceStore::step).
    pub background: Option<Duration>,
    /// Who is given every request that is acknowledged; see [`MetricsGenerator`](crate::MetricsGenerator).
    pub observer: Option<Arc<dyn IngestObserver>>,
    /// What is kept; `None`: everything, but for what [`TraceStore::retain`](super::TraceStore::retain) is told to remove.
    pub retention: Option<RetentionPolicy>,
    /// How often it is looked what is kept no longer. What is over stays this long at most.
    pub retention_period: Duration,
    /// Where the store is. A path that is a URL, such as `s3://bucket/prefix`, says that itself, unless this is an object
    /// store already.
    pub vfs: Arc<dyn Vfs>,
    /// The folder of the log, on the local disk, of a store that is on an object store. It belongs to this store and one
    /// writer alone; who opens such a store without one may merge and delete, but takes no spans. Other stores have their
    /// log in their own folder.
    pub log: Option<PathBuf>,
}

impl Default for StoreOptions {
    /// Acknowledged is synced; 512 MiB of live data, 64 MiB per segment, an hour of grace, blocks merged by windows of time,
    /// everything kept, a look every second; on the local disk.
    fn default() -> Self {
        Self {
            sync: SyncMode::default(),
            cut: CutPolicy::default(),
            memory_budget: 512 << 20,
            segment_bytes: 64 << 20,
            orphan_grace: ORPHAN_GRACE,
            compaction: Some(Arc::new(TimeWindows::default())),
            background: Some(Duration::from_secs(1)),
            observer: None,
            retention: None,
            retention_period: Duration::from_secs(10 * 60),
            vfs: Arc::new(DiskVfs::default()),
            log: None,
        }
    }
}
