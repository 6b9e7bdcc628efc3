//! Answers in the formats of others, and values in their words.

mod tempo;

pub use tempo::{kind_word, search_to_tempo, status_word};
