//! WIP
use super::Run;
use crate::{
    Result,
    ir::{MetricsFunction, Pipeline},
};
pub(super) struct Leaf<'m> {
    pub(super) pipeline: &'m Pipeline,
    pub(super) function: &'m MetricsFunction,
    pub(super) text: &'m String,
}
impl<'a> Run<'a> {
    pub(super) async fn compute(&mut self, _leaf: Leaf<'a>) -> Result<()> {
        Err(crate::Error::Execution("metrics are being built".to_owned()))
    }
}
