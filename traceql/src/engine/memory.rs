//! How much memory answers take, about: what allocators add is left out.

use super::{FieldValue, ServiceStats, SpanMatch, SpansetAttribute, SpansetMatch, TraceMatch, Value};
use crate::syntax::ast::Field;

/// What has parts elsewhere in memory.
pub(super) trait Heap: Sized {
    /// Bytes of these parts.
    fn heap(&self) -> usize;

    /// Bytes of all.
    fn size(&self) -> usize {
        size_of::<Self>() + self.heap()
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        let unused = self.capacity() - self.len();
        unused * size_of::<T>() + self.iter().map(Heap::size).sum::<usize>()
    }
}

impl Heap for String {
    fn heap(&self) -> usize {
        self.capacity()
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap)
    }
}

/// What has no such parts.
impl<T: Copy, U: Copy> Heap for (T, U) {
    fn heap(&self) -> usize {
        0
    }
}

impl Heap for Value {
    fn heap(&self) -> usize {
        match self {
            Self::String(text) | Self::Json(text) => text.heap(),
            Self::Array(values) => values.heap(),
            _ => 0,
        }
    }
}

impl Heap for FieldValue {
    fn heap(&self) -> usize {
        let name = match &self.field {
            Field::Attribute(attribute) => attribute.name.heap(),
            Field::Intrinsic(_) => 0,
        };
        name + self.value.heap()
    }
}

impl Heap for SpanMatch {
    fn heap(&self) -> usize {
        self.name.heap() + self.attributes.heap()
    }
}

impl Heap for SpansetAttribute {
    fn heap(&self) -> usize {
        self.name.heap() + self.value.heap()
    }
}

impl Heap for SpansetMatch {
    fn heap(&self) -> usize {
        self.spans.heap() + self.attributes.heap()
    }
}

impl Heap for ServiceStats {
    fn heap(&self) -> usize {
        self.service.heap()
    }
}

impl Heap for TraceMatch {
    fn heap(&self) -> usize {
        self.root_service.heap() + self.root_name.heap() + self.service_stats.heap() + self.spansets.heap()
    }
}
