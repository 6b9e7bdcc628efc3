//! Stored traces one after the other, for what looks at all spans of a range of time.

use super::window::Window;
use crate::{Result, Snapshot, model::Trace};

/// Visits the traces that may have a span that starts in a window, each whole and once. Shadowed copies of spans, and
/// spans outside of the window, are among theirs.
///
/// *Cost.* One row group at a time is held, decoded; those without a start in the window are not read.
///
/// # Errors
/// As [`Snapshot::whole`].
pub(crate) fn for_each_trace(snapshot: &Snapshot, window: &Window, visit: &mut dyn FnMut(&Trace)) -> Result<()> {
    for block in snapshot.whole()?.blocks() {
        for row_group in 0..block.row_groups() {
            let starts = block.starts_of_row_group(row_group)?;
            if starts.is_none_or(|(first, last)| window.overlaps(first, last)) {
                block.traces_of_row_group(row_group)?.iter().for_each(&mut *visit);
            }
        }
    }
    Ok(())
}
