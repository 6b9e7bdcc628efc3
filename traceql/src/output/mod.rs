//! Answers as JSON of our own, and in the formats of others.

mod json;
mod metrics;
mod proto;
mod tags;
mod tempo;

pub use json::{
    metrics_to_json, search_to_json, series_to_json, tag_names_to_json, tag_value_to_json, tag_values_to_json,
    trace_match_to_json,
};
pub use metrics::{exemplars_to_prometheus, metrics_batch, metrics_to_prometheus, metrics_to_tempo};
pub use tags::{fixed_tag_values, tag_names_to_tempo, tag_values_to_tempo};
pub use tempo::{kind_word, search_to_tempo, status_word};
