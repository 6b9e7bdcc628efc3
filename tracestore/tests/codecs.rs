//! Replays the corpora of the smaller codecs (`fuzz/seeds/codecs`), and cuts and changes of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/codecs.rs"]
mod codecs;
#[path = "support/forged.rs"]
mod forged;

use std::path::Path;

use codecs::{CODECS, feed};

#[test]
fn corpora_are_taken_or_refused() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/codecs");
    for codec in CODECS {
        let mut inputs = 0;
        for entry in std::fs::read_dir(seeds.join(codec)).unwrap() {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            feed(codec, &content);
            let step = (content.len() / 16).max(1);
            for at in (0..content.len()).step_by(step) {
                feed(codec, &content[..at]);
                let mut changed = content.clone();
                changed[at] = changed[at].wrapping_add(1);
                feed(codec, &changed);
            }
            inputs += 1;
        }
        assert!(inputs >= 3, "{codec} has {inputs} inputs");
    }
}
