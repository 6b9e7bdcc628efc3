//! What is offered at every place of a query, and what an unfinished query asks of spans.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use traceql::{
    Compiler,
    ir::{KNOWN_HINTS, partial_condition},
    syntax::{
        CompletionItem,
        ast::{Body, Field, Scope, StageKind},
        complete,
    },
};

const AGGREGATES: &str = "count min max avg sum";
const FUNCTIONS: &str = "rate count_over_time min_over_time max_over_time avg_over_time sum_over_time quantile_over_time \
                         histogram_over_time compare";
const INTRINSICS: &str = "duration name status statusMessage kind span:id span:parentID span:childCount traceDuration \
                          rootName rootServiceName trace:id event:name event:timeSinceStart link:traceID link:spanID \
                          instrumentation:name instrumentation:version nestedSetLeft nestedSetRight nestedSetParent parent";
const NUMERIC: &str =
    "duration span:childCount traceDuration event:timeSinceStart nestedSetLeft nestedSetRight nestedSetParent";
const SCOPES: &str = "span. resource. event. link. instrumentation. parent. trace: span: event: link: instrumentation:";
const SPANSET_OPERATORS: &str = "&& || > >> < << ~ !> !>> !< !<< !~ &> &>> &< &<< &~";
const ORDERINGS: &str = "< <= > >=";
const ARITHMETIC: &str = "+ - * / % ^";

/// The items as text: words and operators as they are, attributes as `@scope.prefix` or `@*prefix`, values as
/// `field=prefix` or `field="prefix`.
fn show(item: &CompletionItem) -> String {
    let scope = |scope: Scope| match scope {
        Scope::Unscoped => ".",
        Scope::Span => "span.",
        Scope::Resource => "resource.",
        Scope::Event => "event.",
        Scope::Link => "link.",
        Scope::Instrumentation => "instrumentation.",
        Scope::Parent => "parent.",
        Scope::ParentSpan => "parent.span.",
        Scope::ParentResource => "parent.resource.",
    };
    match item {
        CompletionItem::Keyword(word) => word.clone(),
        CompletionItem::Operator(operator) => (*operator).to_owned(),
        CompletionItem::Attribute { scope: Some(found), prefix } => format!("@{}{prefix}", scope(*found)),
        CompletionItem::Attribute { scope: None, prefix } => format!("@*{prefix}"),
        CompletionItem::Value { field, prefix, quoted } => {
            let field = match field {
                Field::Attribute(attribute) => format!("{}{}", scope(attribute.scope), attribute.name),
                Field::Intrinsic(intrinsic) => {
                    let scoped = intrinsic.scoped().map(|(scope, name)| format!("{scope}:{name}"));
                    intrinsic.bare().map(str::to_owned).or(scoped).unwrap()
                }
            };
            format!("{field}={}{prefix}", if *quoted { "\"" } else { "" })
        }
    }
}

/// `‸` is the cursor, `⟦` the place where what is replaced begins, unless that is the cursor.
fn check(marked: &str, expected: &[&str]) {
    let (before, after) = marked.split_once('‸').unwrap_or_else(|| panic!("no cursor in {marked}"));
    let start = before.find('⟦').unwrap_or(before.len());
    let before = before.replace('⟦', "");
    let completion = complete(&format!("{before}{after}"), before.len());
    let found: Vec<String> = completion.items.iter().map(show).collect();
    assert_eq!(found.join(" "), expected.join(" "), "{marked}");
    assert_eq!((completion.replace.start as usize, completion.replace.end as usize), (start, before.len()), "{marked}");
}

#[test]
fn a_query_begins_with_a_filter_or_aggregate() {
    for query in ["‸", "  ‸", "‸{ .a = 1 }", "(‸", "({ } | by(.a)) && (‸", "// all of them\n‸"] {
        check(query, &["{ (", AGGREGATES, "by select"]);
    }
    check("⟦co‸", &["count"]);
    check("⟦rate‸", &[]);
}

#[test]
fn a_filter_begins_with_a_field() {
    let fields = ["@*", INTRINSICS, SCOPES, "true false"];
    for query in ["{‸", "{ ‸", "{ ‸ && .b = 1 } | rate()", "{ } | compare({ ‸"] {
        check(query, &[&fields[..], &["}"]].concat());
    }
    for query in ["{ .a = 1 && ‸", "{ .a || ‸ }", "{ !‸", "{ !(‸", "{ .a = 1 && (‸) }"] {
        check(query, &fields);
    }
    check("{ ⟦stat‸", &["@*stat status statusMessage"]);
    check("{ ⟦STATUSm‸", &["@*STATUSm statusMessage"]);
    check("{ ⟦stat‸us = error }", &["@*stat status statusMessage"]);
    check("{ ⟦t‸", &["@*t traceDuration trace:id trace: true"]);
    check("{ ⟦sp‸", &["@*sp span:id span:parentID span:childCount span. span:"]);
    check("{ ⟦1‸", &[]);
}

#[test]
fn attributes_are_asked_for_by_scope_and_beginning() {
    for (query, expected) in [
        ("{ ⟦.‸", "@."),
        ("{ ⟦.a‸", "@.a"),
        ("{ ⟦.http.me‸thod = 1 }", "@.http.me"),
        ("{ ⟦span.‸", "@span."),
        ("{ ⟦span.ht‸", "@span.ht"),
        ("{ .a = 1 && ⟦resource.service.‸ }", "@resource.service."),
        ("{ ⟦event.e‸", "@event.e"),
        ("{ ⟦link.‸", "@link."),
        ("{ ⟦instrumentation.x‸", "@instrumentation.x"),
        ("{ ⟦parent.‸", "@parent. parent.span. parent.resource."),
        ("{ ⟦parent.s‸", "@parent.s parent.span."),
        ("{ ⟦parent.span.s‸", "@parent.span.s"),
        ("{ ⟦span.\"‸", "@span."),
        ("{ ⟦.\"foo b‸", "@.foo b"),
        ("{ ⟦.\"foo\\\" ba‸", "@.foo\" ba"),
        ("{ ⟦.\"foo b\"‸", "@.foo b"),
        ("{ ⟦.\"foo\nb‸", "@.foo\nb"),
        ("{ ⟦http.‸", "@*http."),
        ("{ ⟦http.me‸", "@*http.me"),
        ("{ .a = 1 || ⟦http.request.me‸ = 1 }", "@*http.request.me"),
    ] {
        check(query, &[expected]);
    }
}

#[test]
fn intrinsics_follow_the_colon() {
    let names = ["duration", "name", "status", "statusMessage", "kind", "id", "parentID", "childCount"];
    let of_spans = names.map(|name| format!("span:{name}")).join(" ");
    check("{ ⟦span:‸", &[&of_spans]);
    check("{ ⟦span: ‸", &[&of_spans]);
    check("{ ⟦span:s‸tatus = ok }", &["span:status span:statusMessage"]);
    check("{ ⟦trace:‸", &["trace:duration trace:rootName trace:rootService trace:id"]);
    check("{ ⟦event:t‸", &["event:timeSinceStart"]);
    check("{ ⟦link:‸", &["link:traceID link:spanID"]);
    check("{ ⟦instrumentation:v‸", &["instrumentation:version"]);
    check("{ resource⟦:‸", &[]);
    check("{ } | avg(⟦span:‸", &["span:duration span:childCount"]);
}

#[test]
fn operators_fit_the_type_on_their_left() {
    let any = ["= != =~ !~", ORDERINGS, "&& || }", ARITHMETIC];
    check("{ .a ‸", &any);
    check("{ span.a ‸ }", &any);
    check("{ http.method ‸", &any);
    check("{ .b = 1 && .a ‸", &any);
    check("{ (.a ‸", &["= != =~ !~", ORDERINGS, "&& || )", ARITHMETIC]);
    check("{ name ‸", &["= != =~ !~", ORDERINGS]);
    check("{ resource.service.name ‸", &["= != =~ !~", ORDERINGS]);
    check("{ event:name ‸", &["= != =~ !~", ORDERINGS]);
    check("{ duration ‸", &["= !=", ORDERINGS, ARITHMETIC]);
    check("{ span:childCount ‸", &["= !=", ORDERINGS, ARITHMETIC]);
    check("{ .a + 1 ‸", &["= !=", ORDERINGS, ARITHMETIC]);
    check("{ 2 ‸", &["= !=", ORDERINGS, ARITHMETIC]);
    check("{ status ‸", &["= !="]);
    check("{ kind ‸", &["= !="]);
    check("{ parent ‸", &["= !="]);
    check("{ .a ⟦!‸", &["!= !~"]);
    check("{ status ⟦!‸", &["!="]);
    check("{ .a ⟦&‸", &["&&"]);
    check("{ .a = 1 ⟦|‸", &["||"]);
}

#[test]
fn a_condition_is_joined_or_closed() {
    for query in [
        "{ .a = 1 ‸",
        "{ .a = .b ‸",
        "{ .a = \"x\"‸",
        "{ .a = nil ‸",
        "{ true ‸",
        "{ !.a ‸",
        "{ .b || .a =~ \"x\" ‸",
        "{ (.a) = (1) ‸ }",
    ] {
        check(query, &["&& || }"]);
    }
    check("{ (.a = 1 ‸", &["&& || )"]);
    check("{ .a = 1 ⟦an‸", &[]);
}

#[test]
fn values_fit_the_field() {
    for (query, expected) in [
        ("{ .a =‸", ".a= true false nil"),
        ("{ .a = ‸", ".a= true false nil"),
        ("{ .a != ‸ && .b = 1 }", ".a= true false nil"),
        ("{ .b && span.a = ‸", "span.a= true false nil"),
        ("{ http.method = ‸", ".http.method= true false nil"),
        ("{ .a > ‸", ".a="),
        ("{ .a =~ ‸", ".a="),
        ("{ .a = ⟦fo‸", ".a=fo"),
        ("{ .a = ⟦T‸", ".a=T true"),
        ("{ .a = ⟦1‸", ".a=1"),
        ("{ .a = ⟦10mi‸", ".a=10mi"),
        ("{ .a = ⟦\"‸", ".a=\""),
        ("{ .a = ⟦\"fo‸", ".a=\"fo"),
        ("{ .a = ⟦\"fo‸o\" && .b = 1 }", ".a=\"fo"),
        ("{ .a = ⟦\"fo \\\"b\\‸", ".a=\"fo \"b"),
        ("{ .a = ⟦`fo‸", ".a=\"fo"),
        ("{ .a = ⟦`fo\n} b‸ar` }", ".a=\"fo\n} b"),
        ("{ .a =~ ⟦\"fo.‸", ".a=\"fo."),
        ("{ name = ‸", "name="),
        ("{ name = ⟦G‸", "name=G"),
        ("{ resource.service.name = ⟦\"sh‸", "resource.service.name=\"sh"),
        ("{ instrumentation:version != ‸", "instrumentation:version="),
        ("{ duration > ‸", "duration="),
        ("{ duration > ⟦10‸", "duration=10"),
        ("{ duration > ⟦\"1‸", ""),
        ("{ duration =~ ‸", ""),
        ("{ status = ‸", "error ok unset"),
        ("{ span:status != ⟦o‸", "ok"),
        ("{ status > ‸", ""),
        ("{ status = ⟦\"e‸", ""),
        ("{ kind = ‸", "client server internal producer consumer unspecified"),
        ("{ kind = ⟦S‸", "server"),
        ("{ parent = ‸", "nil"),
        ("{ .a = ⟦.b‸", "@.b"),
        ("{ .a = ⟦span.b‸", "@span.b"),
        ("{ .a = ⟦http.b‸", "@*http.b"),
        ("{ .a = ⟦trace:i‸", "trace:id"),
        ("{ \"x\" =~ ‸", ""),
    ] {
        check(query, &[expected]);
    }
    for query in ["{ 1 < ‸", "{ .a + 1 = ‸", "{ nil = ‸"] {
        check(query, &["@*", INTRINSICS, SCOPES]);
    }
    for query in ["{ duration * ‸", "{ 1 < .a - ‸", "{ -‸"] {
        check(query, &["@*", NUMERIC, SCOPES]);
    }
}

#[test]
fn behind_a_filter_come_operators_and_stages() {
    for query in ["{ }‸", "{ .a = 1 } ‸", "{ } && { } ‸", "({ } > { }) ‸", "{ } | { } ‸"] {
        check(query, &["|", SPANSET_OPERATORS, "with"]);
    }
    check("({ } ‸", &["|", SPANSET_OPERATORS, ")"]);
    check("({ } | by(.a)) ‸", &[SPANSET_OPERATORS, "with"]);
    check("{ } ⟦w‸", &["with"]);
    check("{ } ⟦&‸", &["&& &> &>> &< &<< &~"]);
    check("{ } ⟦!‸", &["!> !>> !< !<< !~"]);
    for query in ["{ } &&‸", "{ } >> ‸", "{ } !~ ‸", "({ } | by(.a)) && ‸"] {
        check(query, &["{ ("]);
    }
    for query in ["{ } | by(.a) ‸", "{ } | coalesce() ‸", "{ } | select(.a) ‸", "{ } | count() > 1 ‸", "by(.a) ‸"]
    {
        check(query, &["| with"]);
    }
    check("({ } | by(.a) ‸", &["| )"]);
}

#[test]
fn behind_a_pipe_come_stages_and_functions() {
    for query in ["{ } |‸", "{ } | ‸", "{ } | by(.a) | ‸", "({ } | ‸", "{ } | ‸ | by(.a)"] {
        check(query, &[FUNCTIONS, AGGREGATES, "by select coalesce {"]);
    }
    check("{ } | ⟦ra‸", &["rate"]);
    check("{ } | ⟦rate‸() by (.a)", &["rate"]);
    check("{ } | ⟦C‸", &["count_over_time compare count coalesce"]);
    check("{ } | ⟦.a‸", &[]);
    check("{ } | rate ‸", &["("]);
    check("{ } | rate(‸", &[")"]);
    check("{ } | coalesce(‸", &[")"]);
    check("{ } | ⟦by‸", &["by"]);
}

#[test]
fn aggregates_are_compared() {
    let behind = ["= !=", ORDERINGS, ARITHMETIC];
    for query in ["{ } | count() ‸", "{ } | avg(duration) ‸", "count() ‸", "({ } | count()) ‸"] {
        check(query, &behind);
    }
    check("({ } | count() ‸", &["= !=", ORDERINGS, ARITHMETIC, ")"]);
    for query in ["{ } | count() > ‸", "{ } | count() >‸", "{ } | avg(duration) * ‸", "2 < ‸"] {
        check(query, &[AGGREGATES, "("]);
    }
    check("({ } | count()) > ‸", &["("]);
    check("{ } | count() > ⟦1‸", &[]);
}

#[test]
fn arguments_are_fields() {
    let numeric = ["@*", NUMERIC, SCOPES];
    let any = ["@*", INTRINSICS, SCOPES];
    for query in [
        "{ } | avg(‸",
        "{ } | sum( ‸ ) > 1",
        "{ } | max_over_time(‸",
        "{ } | histogram_over_time(‸",
        "{ } | quantile_over_time(‸",
    ] {
        check(query, &numeric);
    }
    for query in [
        "{ } | by(‸",
        "by(‸",
        "{ } | select(‸",
        "{ } | select(.a, ‸",
        "{ } | rate() by (‸",
        "{ } | rate() by(.a,‸",
        "{ } | rate() by (.a, ‸ )",
    ] {
        check(query, &any);
    }
    check("{ } | rate() by (⟦resource.se‸", &["@resource.se"]);
    check("{ } | rate() by (.a, ⟦http.se‸", &["@*http.se"]);
    check("{ } | by(⟦span.‸", &["@span."]);
    check("{ } | by(.a ‸", &["= != =~ !~", ORDERINGS, "&& || )", ARITHMETIC]);
    check("{ } | avg(duration ‸", &["= !=", ORDERINGS, ")", ARITHMETIC]);
    for query in
        ["{ } | select(.a ‸", "{ } | rate() by (.a ‸", "{ } | quantile_over_time(duration, .5 ‸", "{ } | compare({ } ‸"]
    {
        check(query, &[", )"]);
    }
    check("{ } | quantile_over_time(duration ‸", &[","]);
    check("{ } | max_over_time(duration ‸", &[")"]);
    for query in ["{ } | quantile_over_time(duration, ‸", "{ } | compare({ }, ‸", "{ } | rate() | topk(‸"] {
        check(query, &[]);
    }
    check("{ } | compare(‸", &["{"]);
}

#[test]
fn behind_series_come_groups_and_second_stages() {
    let second = ["| = !=", ORDERINGS];
    check("{ } | rate() ‸", &["by", &second.join(" "), "with"]);
    check("{ } | rate() ⟦b‸", &["by"]);
    check("{ } | rate() by ‸", &["("]);
    for query in ["{ } | rate() by (.a) ‸", "{ } | rate() | topk(5) ‸", "{ } | rate() > 5 ‸", "{ } | compare({ }) ‸"]
    {
        check(query, &[&second.join(" "), "with"]);
    }
    check("({ } | rate() ‸", &["by", &second.join(" "), ")"]);
    check("({ } | rate() by (.a) ‸", &[&second.join(" "), ")"]);
    check("({ } | rate()) ‸", &[&second.join(" "), "+ - * / with"]);
    check("(({ } | rate()) ‸", &["+ - * / )"]);
    check("({ } | rate()) / ‸", &["("]);
    check("{ } | rate() | ‸", &["topk bottomk"]);
    check("{ } | rate() | ⟦t‸", &["topk"]);
    check("{ } | rate() > ‸", &[]);
}

#[test]
fn hints_and_their_values_are_known() {
    check("{ } with (‸", &KNOWN_HINTS);
    check("{ } | rate() with (sample=0.1, ‸", &KNOWN_HINTS);
    check("{ } with ‸", &["("]);
    check("{ } with (⟦sam‸", &["sample"]);
    check("{ } with (most_recent ‸", &["="]);
    for hint in ["most_recent", "exemplars", "exact"] {
        check(&format!("{{ }} with ({hint}=‸"), &["true false"]);
    }
    check("{ } with (most_recent=⟦t‸", &["true"]);
    check("{ } with (job_size=‸", &[]);
    check("{ } with (most_recent=true ‸", &[", )"]);
    check("{ } with (most_recent=true) ‸", &[]);
}

#[test]
fn comments_and_characters_offer_nothing() {
    for query in ["{ // ‸", "{ .a = /* fo‸", "{ .a = // x\n /* ‸ */ 1 }", "// ‸{ }", "{ .a = '‸", "{ .a = 'fo‸"]
    {
        check(query, &[]);
    }
    check("{ .a = /* x */ ‸", &[".a= true false nil"]);
    check("{ .a = // x\n‸", &[".a= true false nil"]);
    check("{ .a = ⟦\"// ‸", &[".a=\"// "]);
}

#[test]
fn errors_before_the_cursor_do_not_matter() {
    for (query, expected) in [
        ("{ .a == 1 && status = ‸", "error ok unset"),
        ("{ foo && status = ‸", "error ok unset"),
        ("{ .a = && .b = ‸", ".b= true false nil"),
        ("{ .a = 1 .b && kind = ⟦c‸", "client consumer"),
        ("{ .a = \"x && .b = 1\n && ⟦.c‸", "@.c"),
        ("{ .a } foo { .b = ‸", ".b= true false nil"),
        ("{ } | foo() | ⟦ra‸", "rate"),
        ("rate() | { ⟦.b‸", "@.b"),
    ] {
        check(query, &[expected]);
    }
}

#[test]
fn every_word_that_is_offered_can_stand_there() {
    let compiler = Compiler::new();
    // What is needed behind each item for a whole query.
    for (before, after) in [
        ("{ ", " = 1 }"),
        ("{ span:", " = 1 }"),
        ("{ status = ", " }"),
        ("{ kind = ", " }"),
        ("{ .a = ", " }"),
        ("{ .a ", " 1 }"),
        ("{ .a = 1 ", " .b = 1 }"),
        ("{ } ", " { }"),
        ("{ } | count() ", " 1"),
        ("{ } | rate() ", " 1"),
        ("{ } | avg(", ") > 1"),
        ("{ } | max_over_time(", ")"),
        ("{ } with (", " = true)"),
    ] {
        let completion = complete(before, before.len());
        let start = completion.replace.start as usize;
        for item in completion.items {
            let text = match item {
                CompletionItem::Keyword(word) if word.ends_with('.') => word + "x",
                CompletionItem::Keyword(word) if word.ends_with(':') => continue,
                CompletionItem::Keyword(word) => word,
                CompletionItem::Operator(operator) => operator.to_owned(),
                _ => continue,
            };
            // What other things than `after` follow.
            let alone = ["}", "|", "with", "by", "=~", "!~"].contains(&text.as_str());
            if alone || before.contains("count()") && ARITHMETIC.contains(&text) {
                continue;
            }
            let query = format!("{}{text}{after}", &before[..start]);
            let report = compiler.check(&query);
            assert!(report.query.is_some(), "{}", report.diagnostics);
        }
    }
}

/// The condition of the first filter of a whole query.
fn condition(query: &str) -> Option<traceql::ir::Expr> {
    let query = traceql::parse(query).unwrap();
    let Body::Search(pipeline) = query.body else { panic!("a search") };
    let StageKind::Spansets(spansets) = &pipeline.stages[0].kind else { panic!("a filter") };
    let traceql::syntax::ast::SpansetExprKind::Filter(filter) = &spansets.kind else { panic!("a filter") };
    Some(traceql::ir::simplify(traceql::ir::lower_condition(filter.expr.as_ref()?)))
}

#[test]
fn an_unfinished_query_begins_with_what_is_finished() {
    for text in [
        "{ .a = 1 }",
        "{ .a = 1",
        "{ .a = 1 &&",
        "{ .a = 1 && }",
        "{ .a = 1 && .b = ",
        "{ .a = 1 && .b = }",
        "{ .a = 1 && .b =~ && }",
        "{ .b = && .a = 1 }",
        "{ .a = 1 && (.b = ",
        "{ .a = 1 && (.b = 2 || .c = ",
        "{ .a = 1 && !(.b = 2 && .c = ",
        "{ .a = 1 && !",
        "{ .a = 1 && .b + = 3",
        "{ .a = 1 && .b = \"x",
        "{ .a = 1 && span.",
        "{ .a = 1 && stat",
        // A name that the text ends with is still being typed, even if it is one already.
        "{ .a = 1 && status",
        "{ .a = 1 && .b",
        "{ .a = 1 && .b ",
        "{ .a = 1 && (.b",
        "{ .a = 1 && !.b",
        "{ .a = 1 && .b = .c",
        "{ .a = 1 && .b + .c",
        "({ .a = 1 ",
        "(({ .a = 1 && .b = ",
        "({ .a = 1 && .b = } | by(",
        "{ .a = 1 } |",
        "{ .a = 1 } | by(",
        "{ .a = 1 } | by(.b",
        "{ .a = 1 } | foo",
        "{ .a = 1 } | { .b = ",
        "{ .a = 1 } | count()",
        "{ .a = 1 } | count() > ",
        "{ .a = 1 } | rate() by (",
        "{ .a = 1 } | rate() | ",
        "{ .a = 1 } | rate() | topk(1)",
        "{ .a = 1 } | rate() > ",
        "{ .a = 1 } with (",
        "({ .a = 1 } | rate())",
    ] {
        assert_eq!(partial_condition(text), condition("{ .a = 1 }"), "{text}");
    }
    assert_eq!(partial_condition("{ (.a = 1 || .b = 2) && .c }"), condition("{ (.a = 1 || .b = 2) && .c }"));
    assert_eq!(partial_condition("{ .a = 1 && .b = 2 && .c = "), condition("{ .a = 1 && .b = 2 }"));
    assert_eq!(partial_condition("{ .a = 1 && (.b)"), condition("{ .a = 1 && .b }"));
    assert_eq!(partial_condition("{ .a }"), condition("{ .a }"));
    assert_eq!(partial_condition("{ false }"), condition("{ false }"));
}

#[test]
fn nothing_is_asked_where_no_filter_is_finished() {
    for text in [
        "",
        "{",
        "{ }",
        "{ } | by(.a)",
        "{ true }",
        "{ .a = ",
        "{ .a = 1 || .b = ",
        "{ !(.a = ",
        "{ .a =~ \"(\" }",
        "{ name = 1",
        "{ .a",
        "{ status",
        "{ .a = 1 || .b",
        "{ .a = 1 && status }",
        "{ .a = 1 } && { .b = 2 }",
        "{ .a = 1 } && { .b = ",
        "{ .a = 1 } >> ",
        "({ .a = 1 } | by(.b)) && ({ .c = ",
        "({ .a = 1 } | rate()) / ({ .b = 1 } | ra",
        "({ .a = 1 } | count()) > 2",
        "{ .a = 1 } { .b = 1 }",
        "by(.a)",
        "count() > 2",
        ".a = 1",
        "| { .a = 1 }",
    ] {
        assert_eq!(partial_condition(text), None, "{text}");
    }
}

/// Pieces of queries, in any order, and any characters between them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "{", "}", "(", ")", "|", "||", "&&", "=", "!=", "=~", ">", ",", "!", "-", "+", ".a", ".", "span.", "span:",
            "parent.", "http.x", "status", "duration", "nil", "true", "rate", "count", "by", "select", "compare",
            "quantile_over_time", "topk", "with", "sample", "\"x\"", "\"", "`", "\\", "//", "/*", "*/", "\n", "1", "1s",
            "'", "µ", "&", ".\"", "avg(", "rate()", "{ }",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ];
    let gap = prop::sample::select(vec!["", " "]);
    prop::collection::vec((piece, gap), 0..20)
        .prop_map(|list| list.into_iter().flat_map(|(piece, gap)| [piece, gap.to_owned()]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_replaced_lies_in_the_text_and_ends_at_the_cursor(text in texts(), cursor in 0_usize..100) {
        let completion = complete(&text, cursor);
        let (start, end) = (completion.replace.start as usize, completion.replace.end as usize);
        prop_assert!(start <= end && end <= text.len());
        prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
        prop_assert_eq!(end, text.floor_char_boundary(cursor));
        let _ = partial_condition(&text);
    }
}
