//! A reader that can look ahead and knows how far it is.

use std::io::{self, Read};

use bytes::{Buf, Bytes, BytesMut};

/// How much is read at a time.
const STEP: usize = 64 << 10;

/// The rest of a stream.
pub(super) struct Window {
    reader: Box<dyn Read + Send>,
    buffer: BytesMut,
    offset: u64,
}

impl Window {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: BytesMut::new(), offset: 0 }
    }

    /// Bytes that were taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until `len` bytes are at hand, or the stream ends. Never makes room for more than has arrived.
    fn fill(&mut self, len: usize) -> io::Result<()> {
        while self.buffer.len() < len {
            let old = self.buffer.len();
            self.buffer.resize(old + STEP.max((len - old).min(16 * STEP)), 0);
            let free = self.buffer.get_mut(old..).unwrap_or_default();
            let read = match self.reader.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
                other => other.map(Some),
            };
            self.buffer.truncate(old + read.as_ref().ok().copied().flatten().unwrap_or(0));
            if read? == Some(0) {
                break;
            }
        }
        Ok(())
    }

    /// The next bytes, at most `len`, fewer only at the end of the stream.
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        self.fill(len)?;
        Ok(self.buffer.get(..len).unwrap_or(&self.buffer))
    }

    /// Whether the stream ends within the next `len` bytes.
    pub(super) fn ends_within(&mut self, len: usize) -> io::Result<bool> {
        self.fill(len + 1)?;
        Ok(self.buffer.len() <= len)
    }

    /// Takes `len` bytes; `None` (and everything taken) if there are fewer.
    pub(super) fn take(&mut self, len: usize) -> io::Result<Option<Bytes>> {
        self.fill(len)?;
        let whole = self.buffer.len() >= len;
        let taken = self.buffer.split_to(len.min(self.buffer.len()));
        self.offset += taken.len() as u64;
        // A copy of exact size: the buffer's spare room would stay with the message.
        Ok(whole.then(|| Bytes::copy_from_slice(&taken)))
    }

    /// Takes all that is left; `None` if it is more than `max`.
    pub(super) fn take_all(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        self.fill(max.saturating_add(1))?;
        if self.buffer.len() > max {
            return Ok(None);
        }
        self.take(self.buffer.len())
    }

    /// Takes a number in protobuf's variable-length form; `None` if it is none, or cut short.
    pub(super) fn varint(&mut self) -> io::Result<Option<u64>> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.take(1)?.and_then(|byte| byte.first().copied()) else { return Ok(None) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(1)?;
        let len = buffer.len().min(self.buffer.len());
        self.buffer.copy_to_slice(buffer.get_mut(..len).unwrap_or_default());
        self.offset += len as u64;
        Ok(len)
    }
}
