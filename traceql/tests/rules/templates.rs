//! Templates: what they print, and where they are wrong.

use traceql::rules::Template;

use super::script::labels;

#[test]
fn templates_print_values_and_labels() {
    let labels = labels(&[
        ("resource.service.name", "shop"),
        ("name", "GET /"),
        (".foo", "f"),
        ("span.code", "1500"),
        ("odd name", "o"),
    ]);
    for (text, expected) in [
        ("plain } text { }}", "plain } text { }}"),
        ("", ""),
        ("{{ $value }}", "0.25"),
        ("{{$value}}!", "0.25!"),
        ("{{ .Value }}", "0.25"),
        ("{{ $value | humanizePercentage }}", "25%"),
        ("{{ humanizePercentage $value }}", "25%"),
        ("{{ $value | humanizeDuration }} of {{ $value | humanize1024 }}", "250ms of 0.25"),
        ("{{ $labels.name }} {{ .Labels.name }}", "GET / GET /"),
        ("{{ $labels.resource.service.name }}", "shop"),
        ("{{ $labels.resource_service_name }}", "shop"),
        ("{{ index $labels \"resource.service.name\" }}", "shop"),
        ("{{ index $labels `odd name` }} {{ $labels._foo }} {{ index $labels \".foo\" }}", "o f f"),
        ("{{ $labels.span.code | humanize }}", "1.5k"),
        ("{{ $labels.name | humanize }}", "GET /"),
        ("[{{ $labels.nothing }}]", "[]"),
        ("{{ \"{{\" }} {{ `a\\b` }} {{ \"a\\\"\\n\" }}", "{{ a\\b a\"\n"),
        ("{{ $value\n| humanize }}", "250m"),
    ] {
        let template = Template::parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"));
        assert_eq!(template.expand(&labels, 0.25), expected, "{text}");
    }
}

#[test]
fn what_templates_do_not_know_is_pointed_to() {
    for (text, place, message) in [
        ("a {{ $value", "{{", "`{{` without `}}`"),
        ("{{ }}", "}}", "`$value` or a label is expected here"),
        ("{{ $valu }}", "$valu", "`$valu` has no meaning in templates"),
        ("{{ $value | humanise }}", "humanise", "there is no function `humanise`"),
        ("{{ $value | printf \"%.2f\" }}", "printf", "there is no function `printf`"),
        ("{{ printf \"%.2f\" $value }}", "printf", "`printf` has no meaning in templates"),
        ("{{ if $value }}x{{ end }}", "if", "`if` has no meaning in templates"),
        ("{{ $labels }}", "$labels", "a label of it is to be named"),
        ("{{ $labels. }}", "$labels.", "`$labels.` has no meaning in templates"),
        ("{{ index $labels name }}", "n", "a label's name in quotes is expected here"),
        ("{{ index name }}", "n", "`$labels` is expected here"),
        ("{{ \"a }}", "\"", "the text in quotes does not end"),
        ("{{ \"\\q\" }}", "\\q", "there is no such escape"),
        ("{{ $value $value }}", "$", "`|` or `}}` is expected here"),
        ("{{- $value }}", "-", "`$value` or a label is expected here"),
        ("é {{ $value | }}", "}}", "a function is expected here"),
    ] {
        let faults = Template::parse(text).unwrap_err();
        let fault = &faults.list()[0];
        let found = &text[fault.span.start as usize..fault.span.end as usize];
        assert_eq!((found, fault.message.as_str()), (place, message), "{text}");
        assert_eq!(fault.code, "TQ0607");
    }
    // All of them at once, with what would be right.
    let faults = Template::parse("{{ $vlaue }} {{ $labels.x }} {{ $value | humanize1000 }}").unwrap_err();
    let helps: Vec<_> = faults.list().iter().map(|fault| fault.help.as_deref().unwrap()).collect();
    assert_eq!(helps, ["did you mean `$value`?", "did you mean `humanize1024`?"]);
}
