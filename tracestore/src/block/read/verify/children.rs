//! Events and links: in order of the spans, as many as the row groups say.

use arrow::{
    array::{Array, AsArray, PrimitiveArray},
    datatypes::UInt32Type,
};

use super::{super::ParquetFile, Block, require};
use crate::{Result, block::meta::RowGroupMeta};

impl Block {
    pub(super) fn verify_children(&self) -> Result<()> {
        if let Some(file) = self.event_file()? {
            self.verify_owners(file, |group| (group.first_event, group.events))?;
        }
        let Some(file) = self.link_file()? else { return Ok(()) };
        self.verify_owners(file, |group| (group.first_link, group.links))?;
        let (traces, ids) = (numbers(file, "trace")?, file.read_all("trace_id")?);
        let is_right = |link: usize| match traces.is_null(link) {
            true => !ids.is_null(link),
            false => u64::from(traces.value(link)) < self.meta().traces && ids.is_null(link),
        };
        let wrong = (0..traces.len()).find(|link| !is_right(*link));
        require(wrong.is_none(), file, || format!("link {} points to no trace", wrong.unwrap_or(0)))
    }

    /// The spans that rows belong to ascend, within those of the row group.
    fn verify_owners(&self, file: &ParquetFile, within: impl Fn(&RowGroupMeta) -> (u64, u64)) -> Result<()> {
        let spans = numbers(file, "span")?;
        for (index, group) in self.meta().row_groups.iter().enumerate() {
            let (first, count) = within(group);
            let here = spans.values().get(first as usize..(first + count) as usize).unwrap_or(&[]);
            let is_right = here.len() as u64 == count
                && here.is_sorted()
                && here.iter().all(|span| (group.first_row..group.first_row + group.rows).contains(&u64::from(*span)));
            require(is_right, file, || format!("the rows of row group {index} are not in order of its spans"))?;
        }
        Ok(())
    }
}

fn numbers(file: &ParquetFile, name: &str) -> Result<PrimitiveArray<UInt32Type>> {
    let array = file.read_all(name)?;
    let array = array.as_primitive_opt::<UInt32Type>().cloned();
    array.ok_or_else(|| crate::Error::corrupt(file.path(), 0, format!("`{name}` is no column of numbers")))
}
