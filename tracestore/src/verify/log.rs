//! The log: what is missing of it, and whether its records are requests.

use super::VerifyReport;
use crate::{catalog::Version, io::Vfs, otlp::check_request, store::Layout, wal};

pub(super) fn check(vfs: &dyn Vfs, layout: &Layout, version: &Version, report: &mut VerifyReport) {
    let replay = wal::replay(vfs, &layout.wal, version.first_segment, version.covered);
    let Some(replay) = report.note(&layout.wal, replay) else { return };
    for (_, path) in &replay.segments {
        report.read(vfs.size(path).ok().flatten().unwrap_or(0) as usize);
    }
    report.requests += replay.records.len() as u64;
    report.torn_bytes += replay.torn_bytes;
    report.damage.extend(replay.damage);
    for record in &replay.records {
        if let (Err(error), Some((_, path))) = (check_request(&record.payload), replay.segments.get(record.segment)) {
            report.damaged(path, 0, format!("record {} holds no request: {error}", record.sequence));
        }
    }
}
