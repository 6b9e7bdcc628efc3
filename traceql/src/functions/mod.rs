//! Functions that DataFusion does not have, or has with another meaning: arithmetic without errors, IEEE comparisons,
//! anchored patterns, conditions on elements of lists.

mod list;
mod matches;
mod number;
mod plain;
mod quantifier;
mod unfold;

pub(crate) use list::{many, single};
pub(crate) use matches::matches;
pub(crate) use number::{arithmetic, compare_numbers, negate};
pub(crate) use plain::{plain_json, plain_json_column};
pub(crate) use quantifier::Quantifier;
pub(crate) use unfold::{Dimension, Unfolded, unfold};
