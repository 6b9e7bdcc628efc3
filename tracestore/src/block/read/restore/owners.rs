//! Resources and instrumentation scopes as owned values, read once for the whole block.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::Array;

use super::{ranges::RowRanges, rows::Rows};
use crate::{
    Result,
    block::{column::AttributeScope, read::Block, schema::columns},
    model::{KeyValue, Resource, Scope},
    otlp::entity_refs_from_json,
};

impl Block {
    /// The attributes of resources or scopes, by their rows.
    fn owner_attributes(&self, scope: AttributeScope, owners: &RowRanges) -> Result<BTreeMap<u32, Vec<KeyValue>>> {
        let mut lists: BTreeMap<u32, Vec<KeyValue>> = BTreeMap::new();
        // The runs are in the order of the keys, and their rows in that of owners and occurrences.
        for (key, run) in self.residual_runs(scope, 0)? {
            let mut entries = Vec::new();
            self.add_residual(&mut entries, 0, run, owners)?;
            for entry in entries {
                lists.entry(entry.owner).or_default().push(KeyValue { key: key.to_owned(), value: entry.value });
            }
        }
        Ok(lists)
    }

    pub(super) fn restored_resources(&self) -> Result<&[Arc<Resource>]> {
        self.restored_resources_with(|| {
            let owners = self.resources()?;
            let rows = Rows { file: owners.file(), ranges: &RowRanges::one(0..owners.len()) };
            let (present, urls) = (rows.bool("present")?, rows.texts("schema_url")?);
            let (dropped, entities) = (rows.u32(columns::DROPPED_ATTRIBUTES)?, rows.texts("entity_refs")?);
            let mut attributes = self.owner_attributes(AttributeScope::Resource, rows.ranges)?;
            let resource = |(index, (present, dropped)): (usize, (bool, u32))| {
                let refs = entities.is_valid(index).then(|| entity_refs_from_json(entities.value(index))).transpose();
                Ok(Arc::new(Resource {
                    present,
                    attributes: attributes.remove(&(index as u32)).unwrap_or_default(),
                    dropped_attributes_count: dropped,
                    entity_refs: refs.map_err(|_| rows.wrong("entity_refs"))?.unwrap_or_default(),
                    schema_url: urls.value(index).to_owned(),
                }))
            };
            present.into_iter().zip(dropped).enumerate().map(resource).collect()
        })
    }

    pub(super) fn restored_scopes(&self) -> Result<&[Arc<Scope>]> {
        self.restored_scopes_with(|| {
            let owners = self.scopes()?;
            let rows = Rows { file: owners.file(), ranges: &RowRanges::one(0..owners.len()) };
            let (present, urls) = (rows.bool("present")?, rows.texts("schema_url")?);
            let (names, versions) = (rows.texts("name")?, rows.texts("version")?);
            let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
            let mut attributes = self.owner_attributes(AttributeScope::Instrumentation, rows.ranges)?;
            let scope = |(index, (present, dropped)): (usize, (bool, u32))| {
                Ok(Arc::new(Scope {
                    present,
                    name: names.value(index).to_owned(),
                    version: versions.value(index).to_owned(),
                    attributes: attributes.remove(&(index as u32)).unwrap_or_default(),
                    dropped_attributes_count: dropped,
                    schema_url: urls.value(index).to_owned(),
                }))
            };
            present.into_iter().zip(dropped).enumerate().map(scope).collect()
        })
    }
}
