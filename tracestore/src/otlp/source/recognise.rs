//! What a stream is, told by walking its first bytes the way each form would be read.

use std::io;

use super::{MAX_MESSAGE, unpack::is_packed, window::Window};

/// How requests follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The stream is one message.
    Single,
    /// A variable-length number of bytes before each message.
    Delimited,
    /// Four bytes, most significant first, before each message: the Collector's file exporter.
    Framed,
    /// JSON documents, one after the other.
    Json,
}

/// How far to look.
const LOOK: usize = 64 << 10;

/// The form of the stream, or what it seems to be instead.
pub(super) fn recognise(window: &mut Window) -> io::Result<Result<Framing, String>> {
    let ends = window.ends_within(LOOK)?;
    let head = window.peek(LOOK)?;
    if head.is_empty() {
        return Ok(Ok(Framing::Delimited));
    }
    if is_json(head) {
        return Ok(Ok(Framing::Json));
    }
    for (framing, fits) in [
        (Framing::Single, walk_single(head, ends)),
        (Framing::Delimited, walk_delimited(head)),
        (Framing::Framed, walk_framed(head)),
    ] {
        if fits {
            return Ok(Ok(framing));
        }
    }
    Ok(Err(format!("this {}, not OTLP traces", seems(head))))
}

/// Whether the text begins as a JSON object does.
fn is_json(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some(inner) = text.strip_prefix(b"{") else { return false };
    matches!(inner.trim_ascii_start().first(), Some(b'"' | b'}') | None)
}

/// A number in variable-length form, and what follows it.
fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Whether `message`, of which perhaps only the beginning is at hand, begins as a request of `len` bytes does: with
/// resource spans that begin with a field of their own.
fn begins_request(message: &[u8], len: usize) -> bool {
    let Some(rest) = message.strip_prefix(&[0x0a]) else { return message.is_empty() };
    let Some((inner_len, inner)) = varint(rest) else { return rest.len() < 10 };
    let header = message.len() - inner.len();
    let first = inner.first().filter(|_| inner_len > 0);
    let fits = header.checked_add(inner_len).is_some_and(|end| end <= len);
    fits && first.is_none_or(|tag| matches!(tag, 0x0a | 0x12 | 0x1a))
}

/// Whether the stream is resource spans after resource spans.
fn walk_single(head: &[u8], ends: bool) -> bool {
    let mut rest = head;
    let mut fields = 0;
    while !rest.is_empty() {
        if !begins_request(rest, usize::MAX) {
            return false;
        }
        let Some((len, inner)) = rest.get(1..).and_then(varint) else { return fields > 0 };
        fields += 1;
        match inner.get(len..) {
            Some(after) => rest = after,
            // The field goes on past what is at hand: cut short if the stream ends there, else it may well be.
            None => return fields == 1 || !ends || len <= MAX_MESSAGE,
        }
    }
    true
}

fn walk_delimited(head: &[u8]) -> bool {
    let mut rest = head;
    while let Some((len, message)) = varint(rest) {
        if len > MAX_MESSAGE || len > 0 && !begins_request(message.get(..len).unwrap_or(message), len) {
            return false;
        }
        match message.get(len..) {
            Some(after) => rest = after,
            None => return true,
        }
    }
    rest.len() < 10
}

fn walk_framed(head: &[u8]) -> bool {
    let mut rest = head;
    let mut messages = 0;
    while let Some((len, message)) = rest.split_first_chunk::<4>() {
        let len = u32::from_be_bytes(*len) as usize;
        let content = message.get(..len).unwrap_or(message);
        if len > MAX_MESSAGE || len > 0 && !is_packed(content) && !begins_request(content, len) {
            return false;
        }
        messages += 1;
        match message.get(len..) {
            Some(after) => rest = after,
            None => return true,
        }
    }
    messages > 0
}

/// What bytes seem to be, as the rest of a sentence.
fn seems(head: &[u8]) -> String {
    let start = head.trim_ascii_start();
    let known: [(&[u8], &str); 6] = [
        (b"PAR1", "looks like a Parquet file"),
        (b"<", "looks like HTML or XML"),
        (b"[", "looks like a JSON list (of Zipkin or Jaeger spans?)"),
        (b"{", "looks like JSON that breaks off"),
        (b"PK\x03\x04", "looks like a zip archive"),
        (b"\x7fELF", "looks like a program"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*what).to_owned();
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
    match head.iter().take(512).all(printable) {
        true => "looks like plain text".to_owned(),
        false => "is binary data of an unknown kind".to_owned(),
    }
}
