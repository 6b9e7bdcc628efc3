//! The memory map, and the only `unsafe` of this crate.
#![allow(unsafe_code, reason = "mapping a file is unsafe: see the safety comment")]

use std::{fs::File, io};

use bytes::Bytes;
use memmap2::Mmap;

/// Maps a whole file for reading.
pub(super) fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: a map is sound as long as nobody changes or shortens the file while it is mapped. The files that reach
    // this function belong to published blocks, which nobody writes to again: a block is replaced by a new folder, and
    // deleting a file leaves its pages valid. The caller has compared the size with the block's meta data. A file
    // shortened by a foreign hand afterwards would end the process with SIGBUS: `ReadMode::Read` is for such places.
    let map = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
