//! Filters that are valid, and filters that are not; how they print; that no text makes the parser panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

/// Verdict, query, canonical text.
fn verdicts() -> Vec<(char, String, Option<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/traceql/verdicts.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let unescape = |text: &str| text.trim_end().replace('⏎', "\n");
    lines
        .map(|line| {
            let (query, printed) = line[3..].split_once(" → ").map_or((&line[3..], None), |(a, b)| (a, Some(b.trim())));
            (line.chars().next().unwrap(), unescape(query), printed.map(unescape))
        })
        .collect()
}

#[test]
fn every_filter_gets_its_verdict() {
    let verdicts = verdicts();
    let mut wrong = Vec::new();
    for (verdict, query, _) in &verdicts {
        let parsed = traceql::parse(query);
        let compiled = traceql::compile(query);
        let unsupported = |error: &traceql::syntax::Diagnostics| error.list()[0].code == "TQ0901";
        let found = match (&parsed, &compiled) {
            (_, Ok(_)) => 'V',
            (Err(error), _) if unsupported(error) => 'U',
            (Err(_), _) => 'P',
            (Ok(_), Err(_)) => 'I',
        };
        // Several filters in one query are valid TraceQL that is not supported yet.
        if found != *verdict && !(*verdict == 'V' && found == 'U' && query.contains("}|{")) {
            wrong.push(format!(
                "{verdict} expected, {found} found: {query}\n{}",
                compiled.err().map_or(String::new(), |e| e.to_string())
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), verdicts.len(), wrong.join("\n"));
    assert!(verdicts.len() > 180, "only {} verdicts", verdicts.len());
}

#[test]
fn canonical_texts_parse_to_themselves() {
    for (verdict, query, printed) in verdicts() {
        let Ok(parsed) = traceql::parse(&query) else { continue };
        let text = parsed.to_string();
        let again =
            traceql::parse(&text).unwrap_or_else(|error| panic!("{verdict} {query} prints as {text}:\n{error}"));
        assert_eq!(again.to_string(), text, "{query}");
        // Tempo folds constants and ids before it prints; this parser keeps what was written.
        let kept = |text: &str| {
            !text.chars().any(|c| c.is_ascii_digit())
                && !text.contains("true")
                && !text.contains("false")
                && !text.contains("trace:id")
        };
        if let Some(printed) = printed.filter(|printed| kept(printed)) {
            assert_eq!(text, printed, "{query}");
        }
    }
}

#[test]
fn errors_point_at_the_place() {
    let render = |query: &str| traceql::compile(query).unwrap_err().to_string();
    assert_eq!(
        render("{ http.method == \"GET\" }"),
        "error[TQ0204]: `http.method` lacks a scope or a leading dot\n   |\n 1 | { http.method == \"GET\" }\n   |   ^^^^^^^^^^^\n  \
         = help: write `.http.method`, or with its scope: `span.http.method`, `resource.http.method`"
    );
    assert_eq!(
        render("{ .a == 1 }"),
        "error[TQ0202]: `==` is no operator\n   |\n 1 | { .a == 1 }\n   |      ^^\n  = help: write `=`"
    );
    assert_eq!(
        render("{ status = \"error\" }"),
        "error[TQ0302]: `=` cannot be between a status and text\n   |\n 1 | { status = \"error\" }\n   |   ^^^^^^^^^^^^^^^^\n  \
         = help: leave out the quotes: `error`"
    );
    assert_eq!(
        render("{ durtion > 1s }"),
        "error[TQ0204]: `durtion` is no intrinsic and no value\n   |\n 1 | { durtion > 1s }\n   |   ^^^^^^^\n  \
         = help: did you mean `duration`? An attribute is written `.durtion`"
    );
    assert!(render("{ name =~ \"(\" }").contains("this parenthesis is not closed"));
    assert!(render("{ .a } | rate()").contains("a pipeline is not supported yet"));
    assert!(render("{ .a = 1").contains("the query ends where an operator or the closing bracket is expected"));
}

#[test]
fn hostile_queries_are_refused_in_a_small_stack() {
    let queries = [
        format!("{{ {}.a{} }}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{{ {} }}", ".a || ".repeat(200_000)),
        format!("{{ {}.a }}", "!".repeat(10_000)),
        format!("{{ {}.a = 1 }}", "-".repeat(10_000)),
        format!("{{ {}1 = 1 }}", "1 + ".repeat(5_000)),
        format!("{{ {}.a }}", ".a && ".repeat(10_000)),
        format!("{{ .a =~ \"{}\" }}", "(".repeat(5_000)),
        format!("{{ .a =~ \"{}\" }}", "(a{100}".repeat(50)),
    ];
    let checked = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for query in &queries {
            assert!(traceql::compile(query).is_err(), "{}", &query[..40]);
        }
        // As many conditions as are allowed: parsed, printed, dropped.
        let long = format!("{{ {}.a }}", ".a = 1 || ".repeat(1_900));
        let parsed = traceql::parse(&long).unwrap();
        assert!(parsed.to_string().len() > long.len());
        assert!(traceql::compile(&long).is_ok());
        let deep = format!("{{ {}.a{} }}", "(".repeat(150), ")".repeat(150));
        assert!(traceql::compile(&deep).is_ok());
    });
    checked.unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = traceql::compile(&text);
        let _ = traceql::compile(&format!("{{ {text} }}"));
    }

    #[test]
    fn no_soup_of_tokens_makes_it_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "(", ")", ".a", "span.b", "event:name", "name", "nil", "=", "!=", "=~", "!~", "<", ">=", "&&", "||",
                "!", "-", "+", "*", "/", "%", "^", "1", "1.5", "2s", "\"x\"", "`[`", "true", "error", "client", "|", ">>", "~",
                "parent.x", "duration", "&", "'", "\"", "//", "/*", "with",
            ]),
            0..20,
        )
    ) {
        let text = format!("{{ {} }}", tokens.join(" "));
        match traceql::compile(&text) {
            Ok(_) => {
                let printed = traceql::parse(&text).unwrap().to_string();
                prop_assert_eq!(traceql::parse(&printed).unwrap().to_string(), printed);
            }
            Err(error) => {
                let span = error.list()[0].span;
                prop_assert!(span.start <= span.end && span.end as usize <= text.len(), "{error}");
            }
        }
    }
}
