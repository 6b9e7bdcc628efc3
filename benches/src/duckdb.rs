//! The yardstick: DuckDB over the Parquet files of the same block. What is asked of it is in `yardstick.py`.

use std::{collections::HashMap, path::Path, process::Command};

use tracestore::Snapshot;

use crate::{Result, cold::output_of, report::QueryFigures};

/// Adds DuckDB's medians to the figures of what SQL can say.
pub(crate) fn add(queries: &mut [QueryFigures], python: &Path, store: &Path, repeat: usize) -> Result<()> {
    let snapshot = Snapshot::open(&[store.to_owned()])?;
    let [block] = snapshot.blocks() else { return Err("DuckDB is asked about one block, and there are more".into()) };
    let mut child = Command::new(python);
    child.args(["-c", include_str!("yardstick.py")]).arg(block.path()).arg(repeat.to_string());
    child.args(queries.iter().map(|figures| &figures.query));
    let answers: HashMap<String, (f64, usize)> = output_of(&mut child)?;
    for figures in queries {
        let Some((median, rows)) = answers.get(&figures.query).copied() else { continue };
        // Rows of series are not series; those of searches are traces.
        if figures.kind == "search" && figures.results != Some(rows) {
            return Err(format!("DuckDB finds {rows} traces for {}, not {:?}", figures.query, figures.results).into());
        }
        figures.duckdb_ms = Some(median);
    }
    Ok(())
}
