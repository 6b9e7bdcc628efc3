//! Printing and parsing are inverses; no text makes the parser panic; what is hostile is refused in a small stack.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod language;

use language::{generate, without_places};
use proptest::prelude::*;
use traceql::{Compiler, Verdict, ir};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(query in generate::query()) {
        let query = query.0;
        for text in [query.to_string(), format!("{query:#}")] {
            let report = Compiler::new().max_length(1 << 20).check(&text);
            prop_assert!(report.query.is_some(), "{}\n{}", text, report.diagnostics);
            let again = report.query.unwrap();
            prop_assert!(without_places(&again) == without_places(&query), "{}\nis read as\n{}", text, again);
            // A formatted query is formatted already.
            prop_assert_eq!(again.to_string(), query.to_string());
        }
    }

    #[test]
    fn folding_is_done_once(query in generate::query()) {
        let folded = ir::fold(&query.0);
        let text = folded.to_string();
        let report = Compiler::new().max_length(1 << 20).check(&text);
        prop_assert!(report.query.is_some(), "{}\n{}", text, report.diagnostics);
        let again = ir::fold(&report.query.unwrap());
        prop_assert!(without_places(&again) == without_places(&folded), "{}\nis folded again to\n{}", text, again);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        speaks_of_the_text(&text)?;
        speaks_of_the_text(&format!("{{ {text} }}"))?;
        speaks_of_the_text(&format!("{{ }} | {text}"))?;
    }

    #[test]
    fn no_soup_of_tokens_makes_it_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "(", ")", ".a", "span.b", "event:name", "name", "nil", "=", "!=", "=~", "!~", "<", ">=", "&&",
                "||", "!", "-", "+", "*", "/", "%", "^", "1", "1.5", "2s", "\"x\"", "`[`", "true", "error", "client",
                "|", ">>", "~", "&>>", "!<", "parent.x", "parent", "duration", "&", "'", "\"", "//", "/*", "with", "by",
                "select", "coalesce", "count()", "avg", "rate()", "compare", "topk(2)", ",", "http.method", "sum(",
                "quantile_over_time", "minInt", "foo", "({ } | rate())", "({ } | count())", "({ } | by(.a))",
            ]),
            0..20,
        )
    ) {
        let text = tokens.join(" ");
        speaks_of_the_text(&text)?;
        if let Ok(query) = traceql::parse(&text) {
            let printed = query.to_string();
            prop_assert_eq!(traceql::parse(&printed).unwrap().to_string(), printed);
        }
    }
}

/// Every diagnostic is about a place in the text; what is no error is a query.
fn speaks_of_the_text(text: &str) -> Result<(), TestCaseError> {
    for strict in [false, true] {
        let report = Compiler::new().strict(strict).check(text);
        for found in report.diagnostics.list() {
            let (start, end) = (found.span.start as usize, found.span.end as usize);
            prop_assert!(text.get(start..end).is_some(), "{:?} in {:?}", found, text);
            let related =
                found.related.as_ref().map_or(Some(""), |(span, _)| text.get(span.start as usize..span.end as usize));
            prop_assert!(related.is_some(), "{:?} in {:?}", found, text);
        }
        let compiled = Compiler::new().strict(strict).compile(text).is_ok();
        prop_assert_eq!(compiled, report.verdict() == Verdict::Valid, "{:?}", text);
        prop_assert!(report.diagnostics.to_string().len() < 100_000);
    }
    Ok(())
}

fn in_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn hostile_queries_are_refused_in_a_small_stack() {
    in_a_small_stack(|| {
        let many = 100_000;
        let queries = [
            format!("{{ {}.a{} }}", "(".repeat(many), ")".repeat(many)),
            format!("{}{{ }}{}", "(".repeat(many), ")".repeat(many)),
            format!("{}{{ }} | rate(){}", "(".repeat(many), ")".repeat(many)),
            format!("{{ }} | rate() > {}1{}", "(".repeat(many), ")".repeat(many)),
            "(".repeat(many),
            "{".repeat(many),
            "|".repeat(many),
            "||".repeat(many / 2),
            "{ || ".repeat(many / 5),
            format!("{{ {} }}", ".a || ".repeat(200_000)),
            format!("{{ {}.a }}", "!".repeat(10_000)),
            format!("{{ {}.a = 1 }}", "-".repeat(10_000)),
            format!("{{ {}1 = 1 }}", "1 + ".repeat(5_000)),
            format!("{{ }} | rate() > {}1", "1 + ".repeat(5_000)),
            format!("{{ }} | rate() > {}1", "-".repeat(5_000)),
            format!("{{ }} | {}1 > 1", "count() + ".repeat(5_000)),
            format!("{{ }} | rate() {}", "> 1 ".repeat(5_000)),
            format!("({{ }} | rate()) {}", "+ 1 ".repeat(5_000)),
            format!("{}{{ }}", "{ } >> ".repeat(5_000)),
            format!("{}{{ }}", "{ } && { } || ".repeat(5_000)),
            format!("{{ {}.a }}", ".a && .b || ".repeat(5_000)),
            format!("{{ {}.a }}", ".a = ".repeat(5_000)),
            format!("{{ .a{} }}", " = nil".repeat(15_000)),
            format!("{{ }} | by(.a{})", " != nil".repeat(15_000)),
            format!("{{ .a =~ \"{}\" }}", "(".repeat(5_000)),
            format!("{{ .a =~ \"{}\" }}", "(a{100}".repeat(50)),
            format!("{{ .a =~ \"{}\" }}", "a".repeat(50_000)),
        ];
        for query in &queries {
            let error = traceql::compile(query).expect_err(&query[..40.min(query.len())]);
            assert!(error.to_string().len() < 20_000, "{}", error.to_string().len());
        }
    });
}

#[test]
fn what_is_within_the_limits_goes_through_in_a_small_stack() {
    in_a_small_stack(|| {
        let (deep, tree) = (1_000, 500);
        let queries = [
            format!("{{ {}.a{} }}", "(".repeat(deep), ")".repeat(deep)),
            format!("{}{{ }}{}", "(".repeat(deep), ")".repeat(deep)),
            format!("{}{{ }} | rate(){}", "(".repeat(deep), ")".repeat(deep)),
            format!("{{ }} | rate() > {}1{}", "(".repeat(deep), ")".repeat(deep)),
            format!("{{ {}.a }}", "!".repeat(tree - 2)),
            format!("{{ {}.a{} }}", "!(".repeat(tree - 2), ")".repeat(tree - 2)),
            format!("{{ {}.a = 1 }}", "1 + ".repeat(tree - 2)),
            format!("{{ {}1{} = 1 }}", "1 + (".repeat(tree - 2), ")".repeat(tree - 2)),
            format!("{{ {}.a }}", ".a && .b || ".repeat(tree / 2 - 2)),
            format!("{}{{ }}", "{ } >> ".repeat(tree - 2)),
            format!("{}{{ }}{}", "{ } >> (".repeat(tree - 2), ")".repeat(tree - 2)),
            format!("{{ }} | rate() {}", "> 1 ".repeat(tree - 2)),
            // Chains are as long as they like.
            format!("{{ {}.a = 1 }}", ".a = 1 || ".repeat(12_000)),
            format!("{}{{ }}", "{ } || ".repeat(18_000)),
            format!("{{ }}{}", " | { }".repeat(20_000)),
        ];
        for query in &queries {
            let start = &query[..40];
            let parsed = traceql::parse(query).unwrap_or_else(|error| panic!("{start}: {error}"));
            let printed = parsed.to_string();
            // Parentheses that say how an operator groups make it longer than a query may be.
            let again = Compiler::new().max_length(1 << 20).parse(&printed).unwrap();
            assert_eq!(again.to_string(), printed, "{start}");
            assert!(!format!("{parsed:#}").is_empty());
            assert_eq!(parsed.clone(), parsed);
            assert!(traceql::compile(query).is_ok());
        }
    });
}
