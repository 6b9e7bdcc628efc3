//! The names of attributes.

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch, UInt32Array},
        datatypes::UInt32Type,
    },
    physical_plan::execute_stream,
};
use futures::TryStreamExt;
use tracestore::{
    Snapshot,
    block::{AttributeNames, AttributeScope, SpanColumn},
};

use super::{TagOptions, TagScope, selection::Selection};
use crate::{
    Error, Result,
    engine::{Engine, background::run_blocking},
    syntax::ast::{Attribute, Field, Intrinsic},
};

/// Every span has it (SEMANTICS.md V1).
const SERVICE: (AttributeScope, &str) = (AttributeScope::Resource, "service.name");

/// The names of attributes and intrinsics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagNames {
    /// The names by scope, in the order of [`TagScope::ALL`]; scopes without names are left out.
    pub scopes: Vec<ScopeNames>,
}

/// The names of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeNames {
    /// The scope.
    pub scope: TagScope,
    /// Its names, ascending: the keys of attributes as they are, intrinsics as a query writes them.
    pub names: Vec<String>,
}

impl ScopeNames {
    /// The names as a query writes them: with their scope, quoted where they must be.
    pub fn fields(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| match self.scope.attributes() {
            Some(scope) => Field::Attribute(Attribute { scope, name: name.clone() }).to_string(),
            None => name.clone(),
        })
    }
}

impl Engine {
    /// The names of the attributes that spans have, also of those with values that cannot be queried, and of the
    /// intrinsics.
    ///
    /// # Errors
    /// [`Error::Limit`] for a query that is nested too deep; [`Error::Store`] when data cannot be read.
    pub async fn tag_names(&self, options: &TagOptions) -> Result<TagNames> {
        let stored: Vec<AttributeScope> = options.scopes().filter_map(TagScope::stored).collect();
        let names = match stored.as_slice() {
            [] => AttributeNames::default(),
            scopes => self.attribute_names(scopes, options).await?,
        };
        let scopes = options.scopes().map(|scope| {
            let mut names: Vec<String> = match scope.stored() {
                Some(stored) => names.of(stored).map(str::to_owned).collect(),
                None => intrinsics(),
            };
            names.truncate(options.limit.unwrap_or(usize::MAX));
            ScopeNames { scope, names }
        });
        Ok(TagNames { scopes: scopes.filter(|scope| !scope.names.is_empty()).collect() })
    }

    async fn attribute_names(&self, scopes: &[AttributeScope], options: &TagOptions) -> Result<AttributeNames> {
        let view = self.view().await?;
        let selection = Selection::new(options, &view)?;
        let mut names = AttributeNames::new(scopes);
        if !selection.is_everything() {
            self.find_names(&view, &selection, &mut names).await?;
        } else if view.blocks().iter().any(|block| block.spans() > 0) {
            names.insert(SERVICE.0, SERVICE.1);
            return run_blocking(move || {
                view.add_attributes(&mut names)?;
                Ok(names)
            })
            .await;
        }
        Ok(names)
    }

    /// Adds the names on the spans that are meant, until there are no others.
    async fn find_names(&self, view: &Snapshot, selection: &Selection, names: &mut AttributeNames) -> Result<()> {
        let mut all = names.clone();
        all.insert(SERVICE.0, SERVICE.1);
        view.add_stored_attributes(&mut all)?;
        let plan = self.scan(view, selection, &[SpanColumn::Block, SpanColumn::Row]).await?;
        let mut batches = execute_stream(plan, self.session.task())?;
        while *names != all
            && let Some(batch) = batches.try_next().await?
        {
            for (block, rows) in rows_by_block(&batch)? {
                names.insert(SERVICE.0, SERVICE.1);
                view.add_attributes_of(block, &rows, names)?;
            }
        }
        Ok(())
    }
}

/// The rows of a batch, which come block by block and ascending, as a scan delivers them.
fn rows_by_block(batch: &RecordBatch) -> Result<Vec<(u32, Vec<u32>)>> {
    let column = |column: SpanColumn| -> Result<UInt32Array> {
        let array = batch.column_by_name(&column.name()).and_then(|array| array.as_primitive_opt::<UInt32Type>());
        array.cloned().ok_or_else(|| Error::Execution(format!("the plan gave no column `{}`", column.name())))
    };
    let (blocks, rows) = (column(SpanColumn::Block)?, column(SpanColumn::Row)?);
    let mut parts: Vec<(u32, Vec<u32>)> = Vec::new();
    for (block, row) in blocks.values().iter().zip(rows.values()) {
        match parts.last_mut().filter(|(last, rows)| last == block && rows.last().is_none_or(|last| last < row)) {
            Some((_, rows)) => rows.push(*row),
            None => parts.push((*block, vec![*row])),
        }
    }
    Ok(parts)
}

/// All that have values.
fn intrinsics() -> Vec<String> {
    let intrinsics = Intrinsic::ALL.into_iter().filter(|intrinsic| *intrinsic != Intrinsic::Parent);
    let mut names: Vec<String> = intrinsics.map(|intrinsic| intrinsic.to_string()).collect();
    names.sort_unstable();
    names
}
