//! Answers in the formats of others, and values in their words.

mod tags;
mod tempo;

pub use tags::{fixed_tag_values, tag_names_to_tempo, tag_values_to_tempo};
pub use tempo::{kind_word, search_to_tempo, status_word};
