//! Views of the request and its envelopes: resources and scopes around lists of spans.

use super::{
    value::KeyValueView,
    wire::{Fields, WireError, bytes, text, varint},
};
use crate::model::EntityRef;

/// An `ExportTraceServiceRequest` message (also a `TracesData`: they are encoded alike).
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    message: &'a [u8],
}

/// A `ResourceSpans` message.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceSpansView<'a> {
    message: &'a [u8],
    /// The encoded `Resource`, if there is one.
    pub resource: Option<&'a [u8]>,
    /// The schema URL.
    pub schema_url: &'a str,
}

/// A `ScopeSpans` message.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScopeSpansView<'a> {
    message: &'a [u8],
    /// The encoded `InstrumentationScope`, if there is one.
    pub scope: Option<&'a [u8]>,
    /// The schema URL.
    pub schema_url: &'a str,
}

/// A `Resource` message.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceView<'a> {
    message: &'a [u8],
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
}

/// An `InstrumentationScope` message.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScopeView<'a> {
    message: &'a [u8],
    /// The scope's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
}

impl<'a> RequestView<'a> {
    /// A view of an encoded request. Nothing is read yet.
    #[must_use]
    pub fn new(message: &'a [u8]) -> Self {
        Self { message }
    }

    /// The resources with their spans.
    pub fn resource_spans(&self) -> impl Iterator<Item = Result<ResourceSpansView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(1).map(|message| ResourceSpansView::parse(message?))
    }
}

impl<'a> ResourceSpansView<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.resource = Some(bytes(raw, at)?),
                (3, raw, at) => view.schema_url = text(raw, at)?,
                _ => {}
            }
        }
        Ok(view)
    }

    /// The scopes with their spans.
    pub fn scope_spans(&self) -> impl Iterator<Item = Result<ScopeSpansView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(2).map(|message| ScopeSpansView::parse(message?))
    }
}

impl<'a> ScopeSpansView<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.scope = Some(bytes(raw, at)?),
                (3, raw, at) => view.schema_url = text(raw, at)?,
                _ => {}
            }
        }
        Ok(view)
    }

    /// The encoded spans.
    pub fn spans(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        Fields::new(self.message).only(2)
    }
}

impl<'a> ResourceView<'a> {
    /// Reads a resource and checks it to the last byte.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            if let (2, raw, at) = field? {
                view.dropped_attributes_count = varint(raw, at)? as u32;
            }
        }
        view.attributes().try_for_each(|attribute| attribute?.validate())?;
        view.entity_refs()?;
        Ok(view)
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(1).map(|message| KeyValueView::parse(message?))
    }

    /// The references to entities.
    ///
    /// # Errors
    /// When one cannot be decoded.
    pub fn entity_refs(&self) -> Result<Vec<EntityRef>, WireError> {
        let entity = |message: &[u8]| {
            let mut entity = EntityRef::default();
            for field in Fields::new(message) {
                match field? {
                    (1, raw, at) => entity.schema_url = text(raw, at)?.to_owned(),
                    (2, raw, at) => entity.entity_type = text(raw, at)?.to_owned(),
                    (3, raw, at) => entity.id_keys.push(text(raw, at)?.to_owned()),
                    (4, raw, at) => entity.description_keys.push(text(raw, at)?.to_owned()),
                    _ => {}
                }
            }
            Ok(entity)
        };
        Fields::new(self.message).only(3).map(|message| entity(message?)).collect()
    }
}

impl<'a> ScopeView<'a> {
    /// Reads a scope and checks it to the last byte.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { message, ..Self::default() };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.name = text(raw, at)?,
                (2, raw, at) => view.version = text(raw, at)?,
                (4, raw, at) => view.dropped_attributes_count = varint(raw, at)? as u32,
                _ => {}
            }
        }
        view.attributes().try_for_each(|attribute| attribute?.validate())?;
        Ok(view)
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> + use<'a> {
        Fields::new(self.message).only(3).map(|message| KeyValueView::parse(message?))
    }
}
