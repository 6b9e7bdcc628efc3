//! JSON as it is printed: one document for people and programs, or an object per line.

use std::io::Write;

use serde_json::Value as Json;

use crate::exit::Failure;

/// One document, over several lines.
pub(crate) fn document(out: &mut impl Write, document: &Json) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    Ok(writeln!(out)?)
}

/// An object per line.
pub(crate) fn lines(out: &mut impl Write, objects: impl Iterator<Item = Json>) -> Result<(), Failure> {
    for object in objects {
        serde_json::to_writer(&mut *out, &object)?;
        writeln!(out)?;
    }
    Ok(())
}
