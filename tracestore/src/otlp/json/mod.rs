//! OTLP's JSON: requests in, traces and single values out. Ids are hexadecimal, 64-bit integers are text, as the OTLP
//! specification says.

mod decode;
mod encode;
mod value;

pub(super) use decode::request_from_json;
pub use encode::traces_to_json;
pub(crate) use value::{entity_refs_from_json, entity_refs_json, value_from_text, value_json};
