//! Any bytes as an OTLP request, and as a file of requests: an error or spans, never a panic; what was taken can be
//! written as a block and read back.
#![no_main]

use std::{path::Path, sync::Arc};

use libfuzzer_sys::fuzz_target;
use tracestore::{
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
    otlp::MessageSource,
};

fuzz_target!(|data: &[u8]| {
    let mut builder = BlockBuilder::new();
    let _ = builder.push(&bytes::Bytes::copy_from_slice(data));
    if let Ok(source) = MessageSource::from_reader("input", std::io::Cursor::new(data.to_vec())) {
        for request in source.map_while(Result::ok) {
            let _ = builder.push(&request.bytes);
        }
    }
    let spans = builder.spans();
    if spans > 0 {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).expect("what was taken can be written");
        let block = Block::open(vfs, Path::new("block")).expect("what was written can be opened");
        let traces = (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).expect("and read"));
        assert_eq!(traces.map(|trace| trace.spans.len()).sum::<usize>(), spans);
    }
});
