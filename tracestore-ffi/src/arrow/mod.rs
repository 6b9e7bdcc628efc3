//! Arrow's C data interface and C stream interface: record batches for whoever reads Arrow, without copies.
//!
//! ```text
//! Source (a stream's next batch) ─▶ stream ─▶ schema: fields as ArrowSchema; array: batches as ArrowArray ─▶ release
//! ```
//!
//! arrow-rs has the same behind a feature. Its callbacks end the process when there is a panic or a zero byte in a text
//! on the way; these give an error.

mod array;
mod schema;
mod stream;

pub use array::ArrowArray;
pub use schema::ArrowSchema;
pub use stream::ArrowArrayStream;
pub(crate) use stream::{Source, export};

#[cfg(test)]
mod tests;
