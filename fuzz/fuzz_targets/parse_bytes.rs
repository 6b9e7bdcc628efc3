//! Any bytes as a query: errors within the text or a query with a meaning, never a panic; completions within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traceql::{Compiler, Verdict};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for strict in [false, true] {
        let compiler = Compiler::new().strict(strict);
        let report = compiler.check(text);
        for found in report.diagnostics.list() {
            assert!(text.get(found.span.start as usize..found.span.end as usize).is_some(), "{found:?}");
        }
        assert_eq!(compiler.compile(text).is_ok(), report.verdict() == Verdict::Valid);
        let _ = report.diagnostics.to_string();
    }
    let cursor = data.first().map_or(0, |byte| usize::from(*byte)) % (text.len() + 1);
    let completion = traceql::syntax::complete(text, cursor);
    assert!(text.get(completion.replace.start as usize..completion.replace.end as usize).is_some());
    let _ = traceql::ir::partial_condition(text);
});
