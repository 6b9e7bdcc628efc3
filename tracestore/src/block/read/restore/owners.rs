//! Resources and instrumentation scopes as owned values, read once for the whole block.

use std::sync::Arc;

use arrow::array::Array;

use super::{
    ranges::RowRanges,
    rows::{Attributes, Rows, take},
};
use crate::{
    Result,
    block::{column::AttributeScope, read::Block, schema::columns},
    model::{Resource, Scope},
    otlp::entity_refs_from_json,
};

impl Block {
    pub(super) fn restored_resources(&self) -> Result<&[Arc<Resource>]> {
        self.restored_resources_with(|| {
            let owners = self.resources()?;
            let rows = Rows { file: owners.file(), ranges: &RowRanges::one(0..owners.len()) };
            let (present, urls) = (rows.bool("present")?, rows.texts("schema_url")?);
            let (dropped, entities) = (rows.u32(columns::DROPPED_ATTRIBUTES)?, rows.texts("entity_refs")?);
            let mut attributes = Attributes::new();
            self.add_residual(&mut attributes, AttributeScope::Resource, 0, rows.ranges)?;
            let resource = |(index, (present, dropped)): (usize, (bool, u32))| {
                let refs = entities.is_valid(index).then(|| entity_refs_from_json(entities.value(index))).transpose();
                Ok(Arc::new(Resource {
                    present,
                    attributes: take(&mut attributes, index),
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
            let mut attributes = Attributes::new();
            self.add_residual(&mut attributes, AttributeScope::Instrumentation, 0, rows.ranges)?;
            let scope = |(index, (present, dropped)): (usize, (bool, u32))| {
                Ok(Arc::new(Scope {
                    present,
                    name: names.value(index).to_owned(),
                    version: versions.value(index).to_owned(),
                    attributes: take(&mut attributes, index),
                    dropped_attributes_count: dropped,
                    schema_url: urls.value(index).to_owned(),
                }))
            };
            present.into_iter().zip(dropped).enumerate().map(scope).collect()
        })
    }
}
