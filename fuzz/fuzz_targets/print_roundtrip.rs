//! Whatever parses prints as text that parses to the same: on one line, on several, and with its constants folded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traceql::{Compiler, ir, syntax::TempoText};

fuzz_target!(|text: &str| {
    let Some(tree) = Compiler::new().check(text).query else { return };
    // Parentheses that say how operators group can make it longer than what was typed.
    let long = Compiler::new().max_length(1 << 22).max_parentheses(10_000);
    let canonical = tree.to_string();
    for printed in [canonical.clone(), format!("{tree:#}")] {
        let again = long.check(&printed);
        let again = again.query.unwrap_or_else(|| panic!("{printed:?} does not parse:\n{}", again.diagnostics));
        assert_eq!(again.to_string(), canonical, "{printed:?}");
    }
    let folded = ir::fold(&tree);
    let printed = folded.to_string();
    let again = long.check(&printed);
    let again = again.query.unwrap_or_else(|| panic!("{printed:?} does not parse:\n{}", again.diagnostics));
    assert_eq!(ir::fold(&again).to_string(), printed);
    let _ = TempoText(&folded).to_string();
});
