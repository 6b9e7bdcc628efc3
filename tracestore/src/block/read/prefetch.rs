//! What a scan will read of a file that is far away, fetched together and not column by column.

use super::SpanReader;
use crate::{
    Result,
    block::{
        column::{AttributeScope, SpanColumn},
        schema::columns,
    },
};

impl SpanReader<'_> {
    /// Fetches what is behind some columns in `spans.parquet`; nothing is done where that is at hand. What is not foreseen
    /// is fetched when it is read.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`], [`crate::Error::Io`] when the file cannot be opened.
    pub(crate) fn prefetch<'c>(&self, wanted: impl IntoIterator<Item = &'c SpanColumn>) -> Result<()> {
        let file = self.block.span_file()?;
        if file.is_held() {
            return Ok(());
        }
        let mut names = Vec::new();
        wanted.into_iter().for_each(|column| stored(column, &mut names));
        names.sort_unstable();
        names.dedup();
        file.prefetch(self.row_group, names.iter().map(String::as_str));
        Ok(())
    }
}

/// Adds the columns of `spans.parquet` that a column is read from.
fn stored(column: &SpanColumn, names: &mut Vec<String>) {
    let plain: &[&str] = match column {
        SpanColumn::Trace
        | SpanColumn::TraceIdText
        | SpanColumn::TraceHash
        | SpanColumn::TraceStart
        | SpanColumn::TraceDuration
        | SpanColumn::RootName
        | SpanColumn::RootService => &[columns::TRACE],
        SpanColumn::StartTime => &[columns::START_TIME],
        SpanColumn::Duration => &[columns::DURATION],
        SpanColumn::Name => &[columns::NAME],
        SpanColumn::Kind => &[columns::KIND],
        SpanColumn::Status => &[columns::STATUS_CODE],
        SpanColumn::StatusMessage => &[columns::STATUS_MESSAGE],
        SpanColumn::SpanId | SpanColumn::SpanIdText => &[columns::SPAN_ID],
        SpanColumn::ParentIdText => &[columns::PARENT_OFFSET, columns::SPAN_ID, columns::PARENT_SPAN_ID],
        SpanColumn::ParentOffset | SpanColumn::HasParent | SpanColumn::ChildCount => &[columns::PARENT_OFFSET],
        SpanColumn::Descendants => &[columns::DESCENDANTS],
        SpanColumn::MissingParent => &[columns::PARENT_SPAN_ID],
        SpanColumn::NestedSetLeft | SpanColumn::NestedSetRight | SpanColumn::NestedSetParent => {
            &[columns::PARENT_OFFSET, columns::ROW_FLAGS]
        }
        SpanColumn::SpanHash => &[columns::TRACE, columns::SPAN_ID],
        SpanColumn::Service | SpanColumn::Attribute { scope: AttributeScope::Resource, .. } => &[columns::RESOURCE],
        SpanColumn::ScopeName
        | SpanColumn::ScopeVersion
        | SpanColumn::Attribute { scope: AttributeScope::Instrumentation, .. } => &[columns::SCOPE],
        SpanColumn::Attribute { scope: AttributeScope::Span, .. } => return names.push(column.name()),
        SpanColumn::OfParent(of_parent) => {
            stored(of_parent, names);
            &[columns::PARENT_OFFSET]
        }
        _ => &[],
    };
    names.extend(plain.iter().map(|name| (*name).to_owned()));
}
