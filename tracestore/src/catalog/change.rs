//! From one version to the next. Pure.

use std::collections::BTreeSet;

use super::version::{AuditEntry, CatalogBlock, Covered, RemovedBlock, Version};

/// How many entries of the audit a version carries.
pub(super) const AUDIT_KEPT: usize = 1000;

/// What is to become of a version: all of it, or nothing. Whoever made it may have seen an older version than the one it
/// is applied to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// Blocks that become part of the store.
    pub(crate) add: Vec<CatalogBlock>,
    /// Blocks that are left out, exactly as they are.
    pub(crate) remove: Vec<CatalogBlock>,
    /// Blocks that get other deleted rows: as they are, and as they will be.
    pub(crate) replace: Vec<(CatalogBlock, CatalogBlock)>,
    /// How far the blocks that are added cover a log.
    pub(crate) covered: Option<(String, Covered)>,
    /// What somebody asked for: action, detail, spans.
    pub(crate) audit: Option<(String, String, u64)>,
    /// Removed blocks of which nothing is left.
    pub(crate) forget: Vec<String>,
}

impl Change {
    /// The version after `version`; `None` if a block that is to go or to be replaced is not there any more, or is not
    /// what it was, or if a block that traces are gathered beside has come since. `now` is in ms since 1970.
    pub(crate) fn apply(&self, version: &Version, now: u64) -> Option<Version> {
        if self.gathers() && !version.gathered().all(|block| self.takes(block)) {
            return None;
        }
        let mut next = version.clone();
        next.number += 1;
        for block in &self.remove {
            next.blocks.remove(next.blocks.iter().position(|other| other == block)?);
            next.removed.push(RemovedBlock { folder: block.folder.clone(), removed: now });
        }
        for (before, after) in &self.replace {
            *next.blocks.iter_mut().find(|other| *other == before)? = after.clone();
        }
        next.blocks.extend(self.add.iter().cloned());
        if let Some((log, covered)) = &self.covered {
            let before = next.logs.entry(log.clone()).or_default();
            before.records = before.records.max(covered.records);
            before.first_segment = before.first_segment.max(covered.first_segment);
        }
        next.removed.retain(|block| !self.forget.contains(&block.folder));
        if let Some((action, detail, spans)) = self.audit.clone() {
            next.audit.push(AuditEntry { version: next.number, time: now, action, detail, spans });
            next.audit.drain(..next.audit.len().saturating_sub(AUDIT_KEPT));
        }
        Some(next)
    }

    /// Whether blocks become such that no trace lies in two of them.
    fn gathers(&self) -> bool {
        self.replace.iter().any(|(before, after)| after.gathered && !before.gathered)
    }

    /// Whether a block goes or is replaced.
    fn takes(&self, block: &CatalogBlock) -> bool {
        self.remove.contains(block) || self.replace.iter().any(|(before, _)| before == block)
    }

    /// Whether a version has what the change does: told from the version alone, for those who do not know what became of
    /// it. A log has one writer, so that what is covered of it says all.
    pub(crate) fn is_in(&self, version: &Version) -> bool {
        let is_there = |folder: &str| version.blocks.iter().any(|block| block.folder == folder);
        let was_there = |folder: &str| version.removed.iter().any(|block| block.folder == folder);
        if version.number == 0 {
            return false;
        }
        if let Some((log, covered)) = &self.covered {
            let found = version.covered(log);
            return found.records >= covered.records && found.first_segment >= covered.first_segment;
        }
        // Names of blocks, and of files of deleted rows, are new: one that a version knows says that the change was made,
        // whatever others have made of it since. If none is known, none is used any more.
        let is_known = |folder: &str| is_there(folder) || was_there(folder);
        let file = |block: &CatalogBlock| block.deleted.as_ref().map(|rows| rows.file.clone());
        let new_files = self.replace.iter().filter(|(before, after)| file(before) != file(after));
        let new_files: BTreeSet<String> = new_files.filter_map(|(_, after)| file(after)).collect();
        if !self.add.is_empty() || !new_files.is_empty() {
            return self.add.iter().any(|block| is_known(&block.folder))
                || version.blocks.iter().filter_map(file).any(|file| new_files.contains(&file));
        }
        self.remove.iter().all(|block| !is_there(&block.folder))
            && self.replace.iter().all(|(_, after)| version.blocks.contains(after))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::version::DeletedRows, *};

    fn version(folders: &[&str]) -> Version {
        Version {
            number: 7,
            blocks: folders.iter().map(|folder| CatalogBlock::new(*folder)).collect(),
            ..Version::default()
        }
    }

    #[test]
    fn a_merge_replaces_its_inputs_and_remembers_them() {
        let change = Change {
            add: vec![CatalogBlock { level: 1, ..CatalogBlock::new("ab") }],
            remove: vec![CatalogBlock::new("a"), CatalogBlock::new("b")],
            ..Change::default()
        };
        let next = change.apply(&version(&["a", "b", "c"]), 5).unwrap();
        assert_eq!(next.number, 8);
        assert_eq!(next.blocks.iter().map(|block| block.folder.as_str()).collect::<Vec<_>>(), ["c", "ab"]);
        assert_eq!(
            next.removed.iter().map(|block| (block.folder.as_str(), block.removed)).collect::<Vec<_>>(),
            [("a", 5), ("b", 5)]
        );
        // Somebody else was faster: once done it cannot be done again.
        assert_eq!(change.apply(&next, 6), None);
        let forgotten = Change { forget: vec!["a".into()], ..Change::default() }.apply(&next, 6).unwrap();
        assert_eq!(forgotten.removed.iter().map(|block| block.folder.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_block_whose_deleted_rows_have_changed_is_another_block() {
        let deleted = |file: &str| {
            let rows = DeletedRows { file: file.into(), size: 1, checksum: "0".into(), rows: 1 };
            CatalogBlock { deleted: Some(rows), ..CatalogBlock::new("a") }
        };
        let delete = |before: &CatalogBlock, file| Change {
            replace: vec![(before.clone(), deleted(file))],
            audit: Some(("delete".into(), file.into(), 1)),
            ..Change::default()
        };
        let first = delete(&CatalogBlock::new("a"), "1").apply(&version(&["a"]), 1).unwrap();
        assert_eq!(first.blocks, [deleted("1")]);
        assert_eq!(delete(&CatalogBlock::new("a"), "2").apply(&first, 2), None);
        let second = delete(&deleted("1"), "2").apply(&first, 2).unwrap();
        assert_eq!(
            second.audit.iter().map(|entry| (entry.version, entry.detail.as_str())).collect::<Vec<_>>(),
            [(8, "1"), (9, "2")]
        );
        let merge = Change { remove: vec![CatalogBlock::new("a")], ..Change::default() };
        assert_eq!(merge.apply(&second, 3), None);
    }

    #[test]
    fn traces_are_gathered_from_all_gathered_blocks_or_not_at_all() {
        let gathered = |folder: &str| CatalogBlock { gathered: true, ..CatalogBlock::new(folder) };
        let gather = |folders: &[&str]| Change {
            replace: folders.iter().map(|folder| (CatalogBlock::new(*folder), gathered(folder))).collect(),
            ..Change::default()
        };
        let first = gather(&["a", "b"]).apply(&version(&["a", "b", "c", "d"]), 1).unwrap();
        assert_eq!(first.gathered().count(), 2);
        // Nobody has looked whether `a` and `c` share a trace.
        assert_eq!(gather(&["c", "d"]).apply(&first, 2), None);
        let mut all = gather(&["c", "d"]);
        all.replace.extend(["a", "b"].map(|folder| (gathered(folder), gathered(folder))));
        assert_eq!(all.apply(&first, 2).unwrap().gathered().count(), 4);
        // Other changes of some of them are as good as ever.
        let merge =
            Change { add: vec![gathered("ab")], remove: vec![gathered("a"), gathered("b")], ..Change::default() };
        let merged = merge.apply(&first, 2).unwrap();
        assert_eq!(merged.gathered().count(), 1);
        assert_eq!(all.apply(&merged, 3), None);
    }

    #[test]
    fn a_version_tells_whether_a_change_is_in_it() {
        let merge = Change {
            add: vec![CatalogBlock::new("ab")],
            remove: vec![CatalogBlock::new("a"), CatalogBlock::new("b")],
            ..Change::default()
        };
        let before = version(&["a", "b"]);
        let after = merge.apply(&before, 5).unwrap();
        assert!(!merge.is_in(&before));
        assert!(merge.is_in(&after));
        // Merged again since, and still known.
        let again =
            Change { add: vec![CatalogBlock::new("abc")], remove: vec![CatalogBlock::new("ab")], ..merge.clone() };
        let again = Change { remove: vec![CatalogBlock::new("ab")], ..again }.apply(&after, 6).unwrap();
        assert!(merge.is_in(&again));
        // Somebody else has merged the same blocks.
        let other = Change { add: vec![CatalogBlock::new("ba")], ..merge.clone() }.apply(&before, 5).unwrap();
        assert!(!merge.is_in(&other));
        assert!(!Change::default().is_in(&Version::default()));
        assert!(Change::default().is_in(&before));

        // A flush is there when its log is covered, whatever became of its block since.
        let covered = |records| Some(("x".to_owned(), Covered { records, first_segment: 2 }));
        let flush =
            |records| Change { add: vec![CatalogBlock::new("f")], covered: covered(records), ..Change::default() };
        let flushed = Change { add: Vec::new(), ..flush(5) }.apply(&before, 7).unwrap();
        assert!(flush(5).is_in(&flushed));
        assert!(!flush(6).is_in(&flushed));
        assert!(!flush(5).is_in(&before));
    }

    #[test]
    fn a_change_that_others_have_built_upon_is_still_known() {
        let rows = |file: &str| Some(DeletedRows { file: file.into(), size: 1, checksum: "0".into(), rows: 1 });
        let delete = |before: &CatalogBlock, file: &str| {
            (before.clone(), CatalogBlock { deleted: rows(file), ..before.clone() })
        };
        let entry = |version: &Version, folder: &str| {
            version.blocks.iter().find(|block| block.folder == folder).unwrap().clone()
        };
        // Traces of two blocks are gathered in a third; then somebody deletes spans of one of the two.
        let moved = |folder: &str| {
            let (before, after) = delete(&CatalogBlock::new(folder), folder);
            (before, CatalogBlock { gathered: true, ..after })
        };
        let new = CatalogBlock { gathered: true, ..CatalogBlock::new("ab") };
        let gather = Change { add: vec![new], replace: vec![moved("a"), moved("b")], ..Change::default() };
        let gathered = gather.apply(&version(&["a", "b"]), 1).unwrap();
        let later = Change { replace: vec![delete(&entry(&gathered, "a"), "2")], ..Change::default() };
        let after = later.apply(&gathered, 2).unwrap();
        assert!(gather.is_in(&after), "its block is there, and would be taken for one that never was");
        // Spans of two blocks are deleted; then others of one of the two.
        let before = version(&["a", "b"]);
        let first = |folder: &str| delete(&CatalogBlock::new(folder), &format!("1{folder}"));
        let both = Change { replace: vec![first("a"), first("b")], ..Change::default() };
        let deleted = both.apply(&before, 1).unwrap();
        let later = Change { replace: vec![delete(&entry(&deleted, "a"), "2")], ..Change::default() };
        let after = later.apply(&deleted, 2).unwrap();
        assert!(both.is_in(&after), "its file is named, and would be removed");
        assert!(!both.is_in(&before));
        // Or the block is gathered, with the same rows.
        let same = entry(&deleted, "a");
        let gather =
            Change { replace: vec![(same.clone(), CatalogBlock { gathered: true, ..same })], ..Change::default() };
        assert!(!gather.is_in(&deleted));
        let after = gather.apply(&deleted, 2).unwrap();
        assert!(both.is_in(&after) && gather.is_in(&after));
    }

    #[test]
    fn logs_are_covered_each_by_itself_and_never_less() {
        let cover = |log: &str, records, first_segment| Change {
            covered: Some((log.into(), Covered { records, first_segment })),
            ..Change::default()
        };
        let mut version = version(&[]);
        for change in [cover("x", 5, 2), cover("y", 9, 9), cover("x", 4, 3)] {
            version = change.apply(&version, 0).unwrap();
        }
        assert_eq!(version.covered("x"), Covered { records: 5, first_segment: 3 });
        assert_eq!(version.covered("y"), Covered { records: 9, first_segment: 9 });
        assert_eq!(version.covered("z"), Covered::default());
    }
}
