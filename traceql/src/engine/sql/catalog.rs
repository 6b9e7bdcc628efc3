//! Which tables there are. Each is made when a statement asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::{SchemaProvider, TableProvider},
    common::Result,
};

use super::{Asked, columns::view_table, keys, parts, spans, traces::Traces};

/// The tables, in the order of the documentation.
pub(super) const TABLES: [&str; 5] = ["spans", "traces", "events", "links", "attribute_keys"];

/// The tables, as one statement sees them.
#[derive(Debug)]
pub(super) struct Tables(pub(super) Asked);

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        TABLES.map(str::to_owned).to_vec()
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.contains(&name)
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(Some(match name {
            "spans" => view_table(spans::plan(&self.0)?),
            "traces" => Arc::new(Traces::new(self.0.view.clone())),
            "events" => view_table(parts::events(&self.0)?),
            "links" => view_table(parts::links(&self.0)?),
            "attribute_keys" => keys::table(&self.0.view)?,
            _ => return Ok(None),
        }))
    }
}
