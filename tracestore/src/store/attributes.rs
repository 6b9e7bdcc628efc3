//! Which attributes spans have, and how many spans have which value, where blocks know it without a look at every span.

use std::sync::Arc;

use rayon::prelude::*;

use super::Snapshot;
use crate::{
    Error, Result,
    block::{AttributeNames, Block, Counted, SpanColumn, ValueCounts},
};

impl Snapshot {
    /// Adds the attributes of all spans that queries see, in a [whole view](Snapshot::whole).
    ///
    /// *Cost.* That of the key lists, but for attributes of which these say too much: where a block has copies of spans
    /// or hidden traces, and for resources and scopes, one span after the other is looked at until each is found.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn add_attributes(&self, names: &mut AttributeNames) -> Result<()> {
        let add = |(number, block): (u32, &Arc<Block>)| block.add_attributes(number, names);
        // Those first whose key lists say exactly what spans have: what is named then is not looked for.
        let (exact, others): (Vec<_>, Vec<_>) =
            (0..).zip(self.blocks()).partition(|(_, block)| !block.has_unseen_spans());
        exact.into_iter().chain(others).try_for_each(add)
    }

    /// Adds the attributes of some spans of a block (its number in this view), given by ascending rows.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Internal`] when there is no such block.
    pub fn add_attributes_of(&self, block: u32, rows: &[u32], names: &mut AttributeNames) -> Result<()> {
        let found = self.blocks().get(block as usize);
        let found = found.ok_or_else(|| Error::Internal(format!("there is no block {block} in the view")))?;
        found.add_attributes_of(block, rows, names)
    }

    /// Adds all attributes that are stored, perhaps only on spans that queries do not see: every other attribute is on
    /// no span.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn add_stored_attributes(&self, names: &mut AttributeNames) -> Result<()> {
        self.blocks().iter().try_for_each(|block| block.add_stored_attributes(names))
    }

    /// How many spans have which value of a column, over all spans that queries see; `None` where blocks do not keep the
    /// column as codes, so that every span is to be looked at.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn count_values(&self, column: &SpanColumn) -> Result<Option<Vec<ValueCounts>>> {
        if !column.may_be_coded() {
            return Ok(None);
        }
        let row_groups = (0..).zip(self.blocks()).flat_map(|(number, block)| {
            let row_groups = block.meta().row_groups.iter().enumerate();
            row_groups.map(move |(row_group, _)| (number, block, row_group))
        });
        let row_groups: Vec<_> = row_groups.collect();
        // As long as nothing is coded, nothing more is read.
        let parts = row_groups.into_par_iter().map(|(number, block, row_group)| {
            match block.count_codes(number, row_group, column)? {
                Counted::Nothing => Ok(None),
                Counted::Values(counts) => Ok(Some(counts)),
                Counted::Uncoded => Err(Stop::Uncoded),
            }
        });
        match parts.collect::<Result<Vec<_>, Stop>>() {
            Ok(parts) => Ok(Some(ValueCounts::join(parts.into_iter().flatten().collect()))),
            Err(Stop::Uncoded) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// Why counting ends early.
enum Stop {
    Uncoded,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
