//! Files and streams of OTLP requests, recognised by their content.
//!
//! ```text
//! bytes ─▶ unpack (gzip, zstd, one in the other) ─▶ recognise ─▶ one message | varint-delimited | framed | JSON ─▶ requests
//! ```
//!
//! Only one request is held at a time (a JSON document, or a file that is a single message, is one request).

mod recognise;
mod unpack;
mod window;

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use self::{
    recognise::{Framing, recognise},
    unpack::{is_packed, unpack, unpack_message},
    window::Window,
};
use super::json::request_from_json;
use crate::{Error, Result};

/// The largest request that is taken, unpacked.
pub(super) const MAX_MESSAGE: usize = 256 << 20;

/// A sequence of encoded `ExportTraceServiceRequest`s from one file or stream.
#[derive(Debug)]
pub struct MessageSource {
    name: String,
    framing: Framing,
    input: Input,
    /// Bytes taken from the file, still packed.
    taken: Arc<AtomicU64>,
    failed: bool,
}

enum Input {
    Binary(Window),
    Json(Box<serde_json::StreamDeserializer<'static, serde_json::de::IoRead<Window>, serde_json::Value>>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Binary(_) => "Binary",
            Self::Json(_) => "Json",
        })
    }
}

/// Counts what passes.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl MessageSource {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Otlp`] when the content is nothing that OTLP is written as.
    pub fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Self::from_reader("standard input", std::io::stdin());
        }
        let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        Self::from_reader(&path.display().to_string(), file)
    }

    /// Reads from anything; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`MessageSource::open`].
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let reader = Box::new(Counted(reader, Arc::clone(&taken)));
        let mut window = unpack(reader).map_err(|error| unreadable(name, 0, &error))?;
        let framing = recognise(&mut window).map_err(|error| unreadable(name, 0, &error))?;
        let framing = framing.map_err(|reason| Error::Otlp { input: name.to_owned(), offset: 0, reason })?;
        let input = match framing {
            Framing::Json => Input::Json(Box::new(serde_json::Deserializer::from_reader(window).into_iter())),
            _ => Input::Binary(window),
        };
        Ok(Self { name: name.to_owned(), framing, input, taken, failed: false })
    }

    /// How many bytes of the file were taken so far, as they are in the file.
    #[must_use]
    pub fn bytes_taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The file's name, for errors about what is in it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn error(&self, offset: u64, reason: impl Into<String>) -> Error {
        Error::Otlp { input: self.name.clone(), offset, reason: reason.into() }
    }

    fn read(&mut self) -> Result<Option<Request>> {
        let window = match &mut self.input {
            Input::Binary(window) => window,
            Input::Json(values) => {
                let offset = values.byte_offset() as u64;
                let value = values.next();
                let end = values.byte_offset() as u64;
                return match value {
                    None => Ok(None),
                    Some(Err(error)) => Err(self.error(end, format!("this is no JSON: {error}"))),
                    Some(Ok(json)) => match request_from_json(&json) {
                        Ok(request) => Ok(Some(Request { offset, bytes: request.into() })),
                        Err(reason) => Err(self.error(offset, reason)),
                    },
                };
            }
        };
        let offset = window.offset();
        let framing = self.framing;
        match read_binary(window, framing) {
            Ok(bytes) => Ok(bytes.map(|(offset, bytes)| Request { offset, bytes })),
            Err((at, reason)) => Err(self.error(at.unwrap_or(offset), reason)),
        }
    }
}

/// A request and where it starts in the unpacked input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Offset of its first byte.
    pub offset: u64,
    /// The protobuf message.
    pub bytes: Bytes,
}

/// A failure and its place, where that is another than the start of the message.
type Failure = (Option<u64>, String);

fn read_binary(window: &mut Window, framing: Framing) -> Result<Option<(u64, Bytes)>, Failure> {
    let unreadable = |error: std::io::Error| (None, format!("the input cannot be unpacked: {error}"));
    if window.peek(1).map_err(unreadable)?.is_empty() {
        return Ok(None);
    }
    let len = match framing {
        Framing::Single => {
            let offset = window.offset();
            let bytes = window.take_all(MAX_MESSAGE).map_err(unreadable)?;
            let bytes = bytes.ok_or_else(|| (None, format!("a message is larger than {MAX_MESSAGE} bytes")))?;
            return Ok(Some((offset, bytes)));
        }
        Framing::Delimited => window.varint().map_err(unreadable)?,
        _ => window.take(4).map_err(unreadable)?.map(|len| len.iter().fold(0, |len, byte| len << 8 | u64::from(*byte))),
    };
    let len =
        len.ok_or_else(|| (Some(window.offset()), "the file is cut short within the length of a message".into()))?;
    let too_large = || (None, format!("a message of {len} bytes is larger than {MAX_MESSAGE} bytes"));
    let len = usize::try_from(len).ok().filter(|len| *len <= MAX_MESSAGE).ok_or_else(too_large)?;
    let offset = window.offset();
    let bytes = window.take(len).map_err(unreadable)?;
    let bytes = bytes.ok_or_else(|| {
        let end = window.offset();
        (
            Some(end),
            format!("the file is cut short: a message of {len} bytes starts at byte {offset} and ends at {end}"),
        )
    })?;
    if framing == Framing::Framed && is_packed(&bytes) {
        let bytes =
            unpack_message(&bytes).map_err(|error| (Some(offset), format!("a message cannot be unpacked: {error}")))?;
        return Ok(Some((offset, bytes)));
    }
    Ok(Some((offset, bytes)))
}

impl Iterator for MessageSource {
    type Item = Result<Request>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let request = self.read();
        self.failed = request.is_err();
        request.transpose()
    }
}

fn unreadable(name: &str, offset: u64, error: &std::io::Error) -> Error {
    Error::Otlp { input: name.to_owned(), offset, reason: format!("the input cannot be unpacked: {error}") }
}
