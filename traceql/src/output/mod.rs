//! Answers in the formats of others, and values in their words.

mod metrics;
mod proto;
mod tags;
mod tempo;

pub use metrics::{exemplars_to_prometheus, metrics_batch, metrics_to_prometheus, metrics_to_tempo};
pub use tags::{fixed_tag_values, tag_names_to_tempo, tag_values_to_tempo};
pub use tempo::{kind_word, search_to_tempo, status_word};
