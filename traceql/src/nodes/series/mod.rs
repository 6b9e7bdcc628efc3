//! Series, counted: what every span adds to which value of which series.
//!
//! Input: rows of spans with their start, the columns that series are told apart by, and the one that is aggregated; from
//! the scan, or behind a pipeline (then a span may be there several times, and counts once). Output, for each partition
//! one batch: the cells of its series, see [`partial`]: what several partitions, and several processes, found is joined
//! by adding it up. Nothing depends on the order of rows: floats are summed exactly ([`exact`]).
//!
//! A batch is worked on column by column: the interval of each row, the code of each row's value for each label
//! ([`labels`]), the number of each combination of codes ([`groups`]), then the cells ([`state`]).

mod counter;
mod exact;
pub(crate) mod groups;
pub(crate) mod labels;
pub(crate) mod partial;
mod program;
pub(crate) mod rows;
pub(crate) mod samples;
pub(crate) mod state;

pub(crate) use program::{Measure, SeriesProgram};
