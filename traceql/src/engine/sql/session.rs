//! DataFusion as SQL uses it: all of its functions and rules, and no way out: no files, no object stores, no catalogs
//! but ours.

use std::{num::NonZero, sync::Arc};

use datafusion::{
    catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, TableFunction},
    common::Result,
    execution::{SessionState, SessionStateBuilder, SessionStateDefaults},
    prelude::SessionConfig,
};

use super::{Asked, catalog::Tables, planner::KeyPlanner, search::SearchFunction};

/// What `information_schema` calls the place of the tables.
const CATALOG: &str = "traceql";
const SCHEMA: &str = "public";

/// A session for one statement.
pub(super) fn session(asked: &Asked) -> Result<SessionState> {
    let threads = asked.engine.options.partitions.or(std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false);
    let mut functions = SessionStateDefaults::default_table_functions();
    functions.push(Arc::new(TableFunction::new("traceql".to_owned(), Arc::new(SearchFunction(asked.clone())))));
    let mut planners = SessionStateDefaults::default_expr_planners();
    planners.insert(0, Arc::new(KeyPlanner));
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_catalog_list(catalogs(Tables(asked.clone()))?)
        .with_expr_planners(planners)
        .with_scalar_functions(SessionStateDefaults::default_scalar_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_function_list(functions)
        .build())
}

fn catalogs(tables: Tables) -> Result<Arc<dyn CatalogProviderList>> {
    let (catalogs, catalog) = (MemoryCatalogProviderList::new(), MemoryCatalogProvider::new());
    catalog.register_schema(SCHEMA, Arc::new(tables))?;
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(Arc::new(catalogs))
}
