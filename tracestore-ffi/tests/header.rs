//! `include/tracestore.h` is what cbindgen makes of the sources.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{env, fs, path::Path};

#[test]
fn the_header_is_that_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_config(config).with_src(root.join("src/lib.rs")).generate().unwrap();
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).unwrap();
    let path = root.join("include/tracestore.h");
    if env::var_os("UPDATE_HEADER").is_some() {
        fs::write(&path, &header).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == header,
        "include/tracestore.h is not what the sources say; `UPDATE_HEADER=1 cargo test --workspace --test header` \
         writes it, and what has changed in it changes the ABI (CHANGELOG.md)"
    );
}
