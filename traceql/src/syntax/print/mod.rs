//! The tree as text, in two forms: [`canonical`] (`Display`, over several lines with `{:#}`), which parses to the same
//! tree again, and [`tempo`], the text that Tempo has in labels and results.

mod canonical;
mod leaf;
mod pretty;
mod tempo;

pub use tempo::TempoText;
