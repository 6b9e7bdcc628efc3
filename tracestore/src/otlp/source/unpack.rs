//! Compression around a whole stream or around one message.

use std::io::{self, BufReader, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use super::{MAX_MESSAGE, window::Window};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// How many layers of compression are taken off.
const MAX_LAYERS: usize = 3;
/// The largest zstd window, as a power of two: 128 MiB, what `zstd --long` makes.
const MAX_WINDOW_LOG: u32 = 27;

/// Whether bytes start as gzip or zstd do.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(GZIP) || bytes.starts_with(ZSTD)
}

/// Takes compression off a stream.
pub(super) fn unpack(reader: Box<dyn Read + Send>) -> io::Result<Window> {
    let mut window = Window::new(reader);
    for _ in 0..MAX_LAYERS {
        let head = window.peek(4)?;
        let reader: Box<dyn Read + Send> = if head.starts_with(ZSTD) {
            Box::new(zstd_reader(window)?)
        } else if head.starts_with(GZIP) {
            Box::new(MultiGzDecoder::new(BufReader::new(window)))
        } else {
            break;
        };
        window = Window::new(reader);
    }
    Ok(window)
}

/// Takes compression off one message.
pub(super) fn unpack_message(bytes: &Bytes) -> io::Result<Bytes> {
    let mut unpacked = Vec::new();
    let reader: Box<dyn Read> = if bytes.starts_with(ZSTD) {
        Box::new(zstd_reader(io::Cursor::new(bytes.clone()))?)
    } else {
        Box::new(MultiGzDecoder::new(io::Cursor::new(bytes.clone())))
    };
    reader.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() > MAX_MESSAGE {
        return Err(io::Error::other(format!("it is larger than {MAX_MESSAGE} bytes")));
    }
    Ok(unpacked.into())
}

fn zstd_reader<R: Read>(reader: R) -> io::Result<zstd::Decoder<'static, BufReader<R>>> {
    let mut decoder = zstd::Decoder::new(reader)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    Ok(decoder)
}
