//! Which attributes spans have: as the key list says where it says it exactly, else by looking at the spans.
//!
//! The key list knows every attribute that is stored. It says too much where spans are stored that queries do not see
//! (copies, hidden traces, deleted rows), and of resources and scopes, which need not have a span.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, BooleanBufferBuilder},
    buffer::BooleanBuffer,
};

use rayon::prelude::*;

use super::{Block, SpanReader, Values, keys::KeyEntry};
use crate::{
    Result,
    block::{
        column::{AttributeScope, SpanColumn},
        meta::RowGroupMeta,
    },
};

/// How many rows of a row group are looked at first: most attributes are found on few spans.
const FIRST_ROWS: usize = 256;

/// Names of attributes of some scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeNames {
    by_scope: BTreeMap<AttributeScope, BTreeSet<String>>,
}

impl AttributeNames {
    /// None yet, for attributes of these scopes.
    #[must_use]
    pub fn new(scopes: &[AttributeScope]) -> Self {
        Self { by_scope: scopes.iter().map(|scope| (*scope, BTreeSet::new())).collect() }
    }

    /// The names of a scope, ascending.
    pub fn of(&self, scope: AttributeScope) -> impl Iterator<Item = &str> {
        self.by_scope.get(&scope).into_iter().flatten().map(String::as_str)
    }

    /// Adds a name; one of a scope that was not asked for is passed over.
    pub fn insert(&mut self, scope: AttributeScope, name: &str) {
        if let Some(names) = self.by_scope.get_mut(&scope).filter(|names| !names.contains(name)) {
            names.insert(name.to_owned());
        }
    }

    fn lacks(&self, scope: AttributeScope, name: &str) -> bool {
        self.by_scope.get(&scope).is_some_and(|names| !names.contains(name))
    }
}

/// An attribute that is looked for.
struct Wanted<'a> {
    scope: AttributeScope,
    name: &'a str,
    entries: &'a [KeyEntry],
}

impl Block {
    /// Adds all attributes that are stored.
    pub(crate) fn add_stored_attributes(&self, names: &mut AttributeNames) -> Result<()> {
        for scope in AttributeScope::ALL {
            self.keys()?.of_scope(scope).for_each(|(name, _)| names.insert(scope, name));
        }
        Ok(())
    }

    /// Adds the attributes of all spans that queries see. `number` is the block's in the view.
    pub(crate) fn add_attributes(&self, number: u32, names: &mut AttributeNames) -> Result<()> {
        if !self.has_unseen_spans() {
            for scope in [AttributeScope::Span, AttributeScope::Event, AttributeScope::Link] {
                self.keys()?.of_scope(scope).for_each(|(name, _)| names.insert(scope, name));
            }
        }
        let mut wanted = self.wanted(names)?;
        for (row_group, meta) in self.meta().row_groups.iter().enumerate() {
            if !wanted.is_empty() && !self.hides_all_of(meta) {
                let reader = SpanReader::new(self, number, row_group)?;
                self.look_at(&reader, &mut wanted, names)?;
            }
        }
        Ok(())
    }

    /// Adds the attributes of some spans, given by ascending rows that queries see.
    pub(crate) fn add_attributes_of(&self, number: u32, rows: &[u32], names: &mut AttributeNames) -> Result<()> {
        let mut wanted = self.wanted(names)?;
        let mut rest = rows;
        for (row_group, meta) in self.meta().row_groups.iter().enumerate() {
            let end = meta.first_row + meta.rows;
            let (here, later) = rest.split_at(rest.partition_point(|row| u64::from(*row) < end));
            rest = later;
            if !here.is_empty() && !wanted.is_empty() {
                let mut reader = SpanReader::new(self, number, row_group)?;
                reader.intersect(&mask(meta, here));
                self.look_at(&reader, &mut wanted, names)?;
            }
        }
        Ok(())
    }

    /// Whether spans are stored that queries do not see.
    pub(crate) fn has_unseen_spans(&self) -> bool {
        self.meta().shadowed > 0 || self.hidden().spans() > 0
    }

    /// The attributes that are stored and not named yet.
    fn wanted(&self, names: &AttributeNames) -> Result<Vec<Wanted<'_>>> {
        let mut wanted = Vec::new();
        for scope in AttributeScope::ALL {
            let keys = self.keys()?.of_scope(scope).filter(|(name, _)| names.lacks(scope, name));
            wanted.extend(keys.map(|(name, entries)| Wanted { scope, name, entries }));
        }
        Ok(wanted)
    }

    /// Looks for what is wanted at the rows of a reader, a few first; what is found is named, and not wanted any more.
    fn look_at(&self, reader: &SpanReader<'_>, wanted: &mut Vec<Wanted<'_>>, names: &mut AttributeNames) -> Result<()> {
        let (row_group, selection) = (reader.row_group, reader.selection());
        let middle = selection.set_indices().nth(FIRST_ROWS).unwrap_or(selection.len());
        for part in [0..middle, middle..selection.len()] {
            let here = |wanted: &Wanted<'_>| wanted.entries.iter().any(|entry| is_in(entry, row_group));
            if part.is_empty() || !wanted.iter().any(here) {
                continue;
            }
            let mut reader = reader.clone();
            reader.keep_range(&part);
            let look = Look::new(self, reader, row_group, wanted)?;
            // Most are read in vain, columns of their own each.
            let found = wanted.par_iter().map(|attribute| look.finds(attribute)).collect::<Result<Vec<bool>>>()?;
            let mut found = found.into_iter();
            wanted.retain(|attribute| {
                let found = found.next().unwrap_or(false);
                if found {
                    names.insert(attribute.scope, attribute.name);
                }
                !found
            });
        }
        Ok(())
    }
}

/// Whether values of an entry may be on spans of a row group.
fn is_in(entry: &KeyEntry, row_group: usize) -> bool {
    entry.row_group < 0 || usize::try_from(entry.row_group) == Ok(row_group)
}

/// Rows of a block as a mask over the row group that they are in.
fn mask(meta: &RowGroupMeta, rows: &[u32]) -> BooleanBuffer {
    let mut mask = BooleanBufferBuilder::new(meta.rows as usize);
    mask.append_n(meta.rows as usize, false);
    let places = rows.iter().map(|row| u64::from(*row).saturating_sub(meta.first_row));
    places.filter(|place| *place < meta.rows).for_each(|place| mask.set_bit(place as usize, true));
    mask.finish()
}

/// A look at some rows of a row group.
struct Look<'a> {
    block: &'a Block,
    reader: SpanReader<'a>,
    row_group: usize,
    /// The resources and the scopes that the rows point to.
    owners: BTreeMap<AttributeScope, BTreeSet<usize>>,
}

impl<'a> Look<'a> {
    /// A look at the rows of a reader, for what is wanted.
    fn new(block: &'a Block, reader: SpanReader<'a>, row_group: usize, wanted: &[Wanted<'_>]) -> Result<Self> {
        let owned = wanted.iter().filter(|attribute| attribute.entries.iter().any(|entry| entry.row_group < 0));
        let scopes: BTreeSet<AttributeScope> = owned.map(|attribute| attribute.scope).collect();
        let owners = scopes.into_iter().map(|scope| Ok((scope, owners_of(&reader, scope)?))).collect::<Result<_>>()?;
        Ok(Self { block, reader, row_group, owners })
    }

    /// Whether some row has the attribute, of whatever type.
    fn finds(&self, wanted: &Wanted<'_>) -> Result<bool> {
        let Wanted { scope, name, entries } = wanted;
        let row_group = self.row_group;
        for entry in entries.iter().filter(|entry| is_in(entry, row_group)) {
            let found = if entry.row_group < 0 {
                self.owners_have(*scope, name, entry)?
            } else {
                let (key, value_type) = ((*name).to_owned(), entry.value_type);
                let column = SpanColumn::Attribute { scope: *scope, key, value_type };
                has_value(&self.reader.read(&column)?)
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn owners_have(&self, scope: AttributeScope, name: &str, entry: &KeyEntry) -> Result<bool> {
        let table = match scope {
            AttributeScope::Resource => self.block.resources()?,
            _ => self.block.scopes()?,
        };
        let values = table.attribute(self.block.keys()?, self.block.residual_file()?, name, entry.value_type)?;
        let (Some(values), Some(owners)) = (values, self.owners.get(&scope)) else { return Ok(false) };
        Ok(owners.iter().any(|owner| *owner < values.len() && values.is_valid(*owner)))
    }
}

/// The resources or scopes that the rows of a reader point to.
fn owners_of(reader: &SpanReader<'_>, scope: AttributeScope) -> Result<BTreeSet<usize>> {
    let column = match scope {
        AttributeScope::Resource => SpanColumn::Service,
        _ => SpanColumn::ScopeName,
    };
    let mut owners = BTreeSet::new();
    if let Values::Coded { codes, .. } = reader.read(&column)? {
        // Neighbours are of one trace, and often of one resource.
        let mut last = None;
        for code in codes.values().iter().filter_map(|code| usize::try_from(*code).ok()) {
            if last.replace(code) != Some(code) {
                owners.insert(code);
            }
        }
    }
    Ok(owners)
}

/// Whether there is a value; in lists, whether there is one in some list.
fn has_value(values: &Values) -> bool {
    match values {
        Values::Missing => false,
        Values::Plain(array) => match array.as_list_opt::<i32>() {
            Some(lists) => has_value(&Values::Plain(Arc::clone(lists.values()))),
            None => array.null_count() < array.len(),
        },
        Values::Coded { codes, values } => {
            let valid =
                |code: i32| usize::try_from(code).is_ok_and(|code| code < values.len() && values.is_valid(code));
            codes.iter().flatten().any(valid)
        }
    }
}
