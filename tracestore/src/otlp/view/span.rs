//! Views of spans, events and links.

use super::{
    value::KeyValueView,
    wire::{Fields, WireError, bytes, fixed32, fixed64, text, varint},
};

/// A `Span` message.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields of OTLP's message, under its names")]
pub struct SpanView<'a> {
    message: &'a [u8],
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
    pub parent_span_id: &'a [u8],
    pub trace_state: &'a str,
    pub flags: u32,
    pub name: &'a str,
    pub kind: i32,
    pub start_time_unix_nano: u64,
    pub end_time_unix_nano: u64,
    pub dropped_attributes_count: u32,
    pub dropped_events_count: u32,
    pub dropped_links_count: u32,
    pub status: Option<StatusView<'a>>,
}

/// A span's `Status` message.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields of OTLP's message, under its names")]
pub struct StatusView<'a> {
    pub message: &'a str,
    pub code: i32,
}

/// An `Event` message.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields of OTLP's message, under its names")]
pub struct EventView<'a> {
    message: &'a [u8],
    pub time_unix_nano: u64,
    pub name: &'a str,
    pub dropped_attributes_count: u32,
}

/// A `Link` message.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields of OTLP's message, under its names")]
pub struct LinkView<'a> {
    message: &'a [u8],
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
    pub trace_state: &'a str,
    pub dropped_attributes_count: u32,
    pub flags: u32,
}

/// An enum's number: protobuf sends it as a 64-bit varint and keeps the lower 32 bits.
fn enumeration(number: u64) -> i32 {
    (number as u32).cast_signed()
}

impl<'a> SpanView<'a> {
    /// Reads a span; its attributes, events and links are not looked at.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.trace_id = bytes(raw, at)?,
                (2, raw, at) => view.span_id = bytes(raw, at)?,
                (3, raw, at) => view.trace_state = text(raw, at)?,
                (4, raw, at) => view.parent_span_id = bytes(raw, at)?,
                (5, raw, at) => view.name = text(raw, at)?,
                (6, raw, at) => view.kind = enumeration(varint(raw, at)?),
                (7, raw, at) => view.start_time_unix_nano = fixed64(raw, at)?,
                (8, raw, at) => view.end_time_unix_nano = fixed64(raw, at)?,
                (10, raw, at) => view.dropped_attributes_count = varint(raw, at)? as u32,
                (12, raw, at) => view.dropped_events_count = varint(raw, at)? as u32,
                (14, raw, at) => view.dropped_links_count = varint(raw, at)? as u32,
                // A status given twice is merged: later fields win.
                (15, raw, at) => {
                    let status = view.status.unwrap_or_default();
                    view.status = Some(status.merge(bytes(raw, at)?)?);
                }
                (16, raw, at) => view.flags = fixed32(raw, at)?,
                _ => {}
            }
        }
        Ok(view)
    }

    /// Checks attributes, events and links to the last byte: reading them afterwards cannot fail.
    ///
    /// # Errors
    /// When one of them cannot be decoded.
    pub fn validate(&self) -> Result<(), WireError> {
        self.attributes().try_for_each(|attribute| attribute?.validate())?;
        for event in self.events() {
            event?.attributes().try_for_each(|attribute| attribute?.validate())?;
        }
        for link in self.links() {
            link?.attributes().try_for_each(|attribute| attribute?.validate())?;
        }
        Ok(())
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(9).map(|message| KeyValueView::parse(message?))
    }

    /// The events in their order.
    pub fn events(&self) -> impl Iterator<Item = Result<EventView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(11).map(|message| EventView::parse(message?))
    }

    /// The links in their order.
    pub fn links(&self) -> impl Iterator<Item = Result<LinkView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(13).map(|message| LinkView::parse(message?))
    }
}

impl<'a> StatusView<'a> {
    fn merge(mut self, message: &'a [u8]) -> Result<Self, WireError> {
        for field in Fields::new(message) {
            match field? {
                (2, raw, at) => self.message = text(raw, at)?,
                (3, raw, at) => self.code = enumeration(varint(raw, at)?),
                _ => {}
            }
        }
        Ok(self)
    }
}

impl<'a> EventView<'a> {
    /// Reads an event; its attributes are not looked at.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.time_unix_nano = fixed64(raw, at)?,
                (2, raw, at) => view.name = text(raw, at)?,
                (4, raw, at) => view.dropped_attributes_count = varint(raw, at)? as u32,
                _ => {}
            }
        }
        Ok(view)
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(3).map(|message| KeyValueView::parse(message?))
    }
}

impl<'a> LinkView<'a> {
    /// Reads a link; its attributes are not looked at.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.trace_id = bytes(raw, at)?,
                (2, raw, at) => view.span_id = bytes(raw, at)?,
                (3, raw, at) => view.trace_state = text(raw, at)?,
                (5, raw, at) => view.dropped_attributes_count = varint(raw, at)? as u32,
                (6, raw, at) => view.flags = fixed32(raw, at)?,
                _ => {}
            }
        }
        Ok(view)
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(4).map(|message| KeyValueView::parse(message?))
    }
}
