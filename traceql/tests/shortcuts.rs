//! Answers do not depend on how the engine gets at them: with pruning and without, conditions pushed into the scan or
//! not, one partition or several, a file that is mapped, one that is read, or one on an object store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;

use std::{num::NonZero, path::Path, sync::Arc};

use object_store::memory::InMemory;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use traceql::{Engine, EngineOptions, SearchOptions, output::search_to_tempo};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{DiskVfs, MemoryVfs, ObjectVfs, ReadMode, Vfs},
    model::BlockId,
};

/// A block of some requests in a file system.
fn block(vfs: Arc<dyn Vfs>, dir: &Path, requests: &[ExportTraceServiceRequest]) -> Snapshot {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(&request.encode_to_vec().into()).unwrap();
    }
    builder.finish(vfs.as_ref(), dir, BlockId::generate()).unwrap();
    Snapshot::new(vec![Block::open(vfs, dir).unwrap()])
}

/// The same on an object store, with a cache in which little has room.
fn on_objects(requests: &[ExportTraceServiceRequest]) -> Snapshot {
    let vfs = ObjectVfs::with_cache(Arc::new(InMemory::new()), "mem://bucket", "", 10_000).unwrap();
    block(Arc::new(vfs), Path::new("mem://bucket/block"), requests)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn answers_do_not_depend_on_shortcuts(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        filters in prop::collection::vec(naive::query(), 6),
        pipelines in prop::collection::vec(naive::pipeline(), 6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let in_memory = block(Arc::new(MemoryVfs::default()), Path::new("block"), &requests);
        let on_disk = |mode, name: &str| block(Arc::new(DiskVfs::new(mode)), &folder.path().join(name), &requests);
        let options = EngineOptions::default();
        let (one, three) = (NonZero::new(1).unwrap(), NonZero::new(3).unwrap());
        let usual = Engine::new(in_memory.clone());
        let others = [
            ("without pruning", Engine::with_options(in_memory.clone(), options.with_shortcuts(false, true))),
            ("without pushdown", Engine::with_options(in_memory.clone(), options.with_shortcuts(true, false))),
            ("without both", Engine::with_options(in_memory.clone(), options.with_shortcuts(false, false))),
            ("one partition", Engine::with_options(in_memory.clone(), options.with_partitions(one))),
            ("three partitions", Engine::with_options(in_memory, options.with_partitions(three))),
            ("mapped", Engine::new(on_disk(ReadMode::Map, "mapped"))),
            ("read", Engine::new(on_disk(ReadMode::Read, "read"))),
            ("on an object store", Engine::new(on_objects(&requests))),
        ];
        for text in filters.iter().chain(&pipelines).filter(|text| traceql::compile(text).is_ok()) {
            for search in [SearchOptions::default().with_limit(1_000).with_spss(0), SearchOptions::default().with_limit(2)] {
                let answer = |engine: &Engine| {
                    let response = runtime.block_on(engine.search(text, &search)).unwrap();
                    search_to_tempo(&response)["traces"].to_string()
                };
                let expected = answer(&usual);
                for (name, other) in &others {
                    prop_assert_eq!(&answer(other), &expected, "{}: {}", name, text);
                }
            }
        }
    }
}
