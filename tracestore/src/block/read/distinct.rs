//! The texts that a column of spans has anywhere in a block, where they are few: a condition that none of them meets rules
//! out all row groups at once. Comes from the dictionaries of the row groups; serves the scan.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::{ArrayRef, StringViewArray, StringViewBuilder};

use super::{Block, keys::owner_row_group};
use crate::{
    Error, Result,
    block::{AttributeScope, AttributeType, SpanColumn, schema::columns},
};

/// So many texts of so many bytes are kept of a column: a few MB for a block with a hundred columns that are asked for.
const MAX_TEXTS: usize = 512;
const MAX_BYTES: usize = 32 << 10;

/// What is known of columns, by their names; `None` for those with more texts, or others than those of dictionaries.
#[derive(Debug, Default)]
pub(super) struct DistinctTexts(Mutex<HashMap<String, Option<ArrayRef>>>);

impl DistinctTexts {
    /// What is known of a column, if it was asked for.
    fn of(&self, name: &str) -> Option<Option<ArrayRef>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl Block {
    /// The dictionary of a column in a row group, as texts, where the column is stored as one and nothing else.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(super) fn dictionary(&self, row_group: usize, column: &SpanColumn) -> Result<Option<StringViewArray>> {
        let Some(name) = stored_name(column) else { return Ok(None) };
        let file = self.span_file()?;
        let Some(index) = file.column(&name) else { return Ok(None) };
        let Some(values) = file.dictionary(row_group, index)? else { return Ok(None) };
        let mut texts = StringViewBuilder::with_capacity(values.len());
        for value in &values {
            let text = std::str::from_utf8(value);
            texts.append_value(text.map_err(|_| Error::corrupt(file.path(), 0, format!("`{name}` is no UTF-8")))?);
        }
        Ok(Some(texts.finish()))
    }

    /// All texts of a column, and perhaps some that no row has; `None` where they are many, or kept in another form, or far
    /// away. The first to ask reads the dictionaries of all row groups.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn distinct_texts(&self, column: &SpanColumn) -> Result<Option<ArrayRef>> {
        let Some(name) = stored_name(column) else { return Ok(None) };
        if let Some(known) = self.distinct().of(&name) {
            return Ok(known);
        }
        let texts = if self.span_file()?.is_held() { self.read_distinct_texts(column)? } else { None };
        self.distinct().0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, texts.clone());
        Ok(texts)
    }

    /// The same where somebody has asked before; nothing is read.
    pub(crate) fn known_texts(&self, column: &SpanColumn) -> Option<ArrayRef> {
        self.distinct().of(&stored_name(column)?).flatten()
    }

    fn read_distinct_texts(&self, column: &SpanColumn) -> Result<Option<ArrayRef>> {
        let (mut texts, mut bytes) = (BTreeSet::new(), 0);
        for row_group in 0..self.meta().row_groups.len() {
            if self.is_absent(row_group, column)? {
                continue;
            }
            let Some(dictionary) = self.dictionary(row_group, column)? else { return Ok(None) };
            for text in dictionary.iter().flatten() {
                if !texts.contains(text) {
                    bytes += text.len();
                    texts.insert(text.to_owned());
                }
            }
            if texts.len() > MAX_TEXTS || bytes > MAX_BYTES {
                return Ok(None);
            }
        }
        Ok(Some(Arc::new(StringViewArray::from_iter_values(texts))))
    }

    /// Whether no row of a row group has a value in a column.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(super) fn is_absent(&self, row_group: usize, column: &SpanColumn) -> Result<bool> {
        let SpanColumn::Attribute { scope, key, value_type } = column else { return Ok(false) };
        Ok(self.keys()?.entry(*scope, key, *value_type, owner_row_group(*scope, row_group)).is_none())
    }
}

/// The file's column behind a column of texts that every row group has for itself.
fn stored_name(column: &SpanColumn) -> Option<String> {
    match column {
        SpanColumn::Name => Some(columns::NAME.to_owned()),
        SpanColumn::StatusMessage => Some(columns::STATUS_MESSAGE.to_owned()),
        SpanColumn::Attribute { scope: AttributeScope::Span, value_type: AttributeType::String, .. } => {
            Some(column.name())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        common::v1::{AnyValue, KeyValue, any_value::Value},
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };
    use prost::Message;

    use super::*;
    use crate::{
        block::BlockBuilder,
        io::{MemoryVfs, Vfs},
        model::BlockId,
    };

    fn column(key: &str) -> SpanColumn {
        let (scope, value_type) = (AttributeScope::Span, AttributeType::String);
        SpanColumn::Attribute { scope, key: key.into(), value_type }
    }

    fn texts(block: &Block, column: &SpanColumn) -> Option<Vec<String>> {
        // The second answer is the one that was kept.
        let first = block.distinct_texts(column).unwrap();
        assert_eq!(first, block.distinct_texts(column).unwrap());
        Some(first?.as_string_view().iter().flatten().map(str::to_owned).collect())
    }

    fn span(number: u8) -> Span {
        let attribute = |key: &str, text: String| KeyValue {
            key: key.into(),
            value: Some(AnyValue { value: Some(Value::StringValue(text)) }),
            ..KeyValue::default()
        };
        Span {
            trace_id: vec![number + 1; 16],
            span_id: vec![1; 8],
            name: format!("name {}", number % 3),
            attributes: vec![attribute("few", (number % 2).to_string()), attribute("long", "x".repeat(40_000))],
            ..Span::default()
        }
    }

    #[test]
    fn few_texts_are_known_and_many_are_not() {
        let scope_spans = vec![ScopeSpans { spans: (0..60).map(span).collect(), ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let mut builder = BlockBuilder::new();
        builder.push(&ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()).unwrap();
        let (vfs, dir): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), std::path::Path::new("block"));
        builder.finish(vfs.as_ref(), dir, BlockId::generate()).unwrap();
        let block = Block::open(vfs, dir).unwrap();
        let known = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(texts(&block, &SpanColumn::Name), known(&["name 0", "name 1", "name 2"]));
        assert_eq!(texts(&block, &column("few")), known(&["0", "1"]));
        assert_eq!(texts(&block, &column("none")), known(&[]));
        assert_eq!(texts(&block, &column("long")), None);
        assert_eq!(texts(&block, &SpanColumn::Service), None);
    }
}
