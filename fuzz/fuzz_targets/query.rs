//! Any text as a query: an error within the text or a query that prints as itself, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match traceql::compile(text) {
    Ok(_) => {
        let printed = traceql::parse(text).expect("it compiled").to_string();
        assert_eq!(traceql::parse(&printed).expect("what is printed can be parsed").to_string(), printed);
    }
    Err(error) => assert!(error.list().iter().all(|found| found.span.start <= found.span.end)),
});
