//! How SQL shows what the span table holds. These functions stand in views; statements cannot call them.

mod elements;
mod json;
mod shown;
mod time;

pub(super) use elements::has_elements;
pub(super) use json::{attributes_json, json_text};
pub(super) use shown::{Shown, kind_word, status_word, timestamp};
pub(super) use time::{timestamp_after, timestamp_type, timestamps};
