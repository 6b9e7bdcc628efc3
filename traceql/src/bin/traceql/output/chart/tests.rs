//! Charts as they are in `testdata/charts`, and laws that hold for any series.
//!
//! `UPDATE_GOLDEN=1 cargo test -p traceql --bin traceql` writes the files anew.

use proptest::prelude::*;
use traceql::{
    MetricsResponse, SearchStats, Value,
    series::{Intervals, Label, Series},
};
use unicode_width::UnicodeWidthStr;

use super::{
    Look, Units, chart, table,
    unit::Unit::{self, Count, Plain, Rate, Seconds},
};
use crate::terminal::Style;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
/// 2026-11-21T23:30:00Z.
const START: u64 = 1_795_303_800 * SECOND;
const NONE: f64 = f64::NAN;

const UNICODE: Look = Look { style: Style { color: false, width: 80 }, ascii: false };
const ASCII: Look = Look { style: Style { color: false, width: 80 }, ascii: true };
const COLOR: Look = Look { style: Style { color: true, width: 80 }, ascii: false };

fn units(values: Unit, buckets: Unit) -> Units {
    Units { values, buckets }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn series(labels: &[(&str, Value)], values: Vec<f64>) -> Series {
    let labels = labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect();
    Series { labels, values, exemplars: Vec::new() }
}

fn answer(intervals: Intervals, series: Vec<Series>) -> MetricsResponse {
    MetricsResponse { intervals, series, stats: SearchStats::default(), notes: Vec::new(), partial: false }
}

/// 91 intervals around midnight.
fn an_hour_and_a_half() -> Intervals {
    Intervals::of_range(START, START + 90 * MINUTE, MINUTE).unwrap()
}

/// An instant query's.
fn whole() -> Intervals {
    Intervals::of_instant(START, START + 15 * MINUTE).unwrap()
}

fn drawn(response: &MetricsResponse, units: Units, look: Look) -> String {
    let mut out = Vec::new();
    chart(&mut out, response, units, look).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares with a file, or writes it.
fn golden(name: &str, found: &str) {
    let path = format!("{}/../testdata/charts/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{name} is expected to be\n{expected}\nand is\n{found}");
}

/// Waves of several heights; the second has gaps.
fn services() -> MetricsResponse {
    let wave = |place: usize, size: f64| {
        (0..91_u8).map(move |at| {
            let at = usize::from(at);
            let up = (at * (place + 1)) % 40;
            size * up.min(40 - up) as f64 / 20.0
        })
    };
    let of = |(place, name): (usize, &str)| {
        let mut values: Vec<f64> = wave(place, 40.0 / (place + 1) as f64).collect();
        if place == 1 {
            values.iter_mut().skip(30).take(25).for_each(|value| *value = NONE);
        }
        series(&[("resource.service.name", text(name))], values)
    };
    let names = [
        "api-gateway",
        "checkout",
        "a\x1b[31mred\nname",
        "服务",
        "catalog-of-everything-there-is-to-be-bought-in-the-shop",
    ];
    answer(an_hour_and_a_half(), names.into_iter().enumerate().map(of).collect())
}

#[test]
fn lines() {
    let by_service = services();
    golden("lines", &drawn(&by_service, units(Rate, Plain), UNICODE));
    golden("lines-ascii", &drawn(&by_service, units(Rate, Plain), ASCII));
    golden("lines-color", &drawn(&by_service, units(Rate, Plain), COLOR));
    let quantile = (0..91_u8).map(|at| 0.012 + f64::from(at % 13) * 0.0004).collect();
    let one = answer(an_hour_and_a_half(), vec![series(&[("p", Value::Float(0.99))], quantile)]);
    golden("lines-one", &drawn(&one, units(Seconds, Plain), UNICODE));
}

#[test]
fn only_the_largest_series_are_drawn() {
    let many = (0..20_i64).map(|place| series(&[("span.n", Value::Int(place))], vec![place as f64; 91])).collect();
    let found = drawn(&answer(an_hour_and_a_half(), many), units(Count, Plain), ASCII);
    assert!(found.ends_with("and 12 more series with smaller averages\n"), "{found}");
    let legend: Vec<&str> =
        found.lines().rev().skip(1).take(8).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(legend, ["12", "13", "14", "15", "16", "17", "18", "19"]);
}

#[test]
fn histograms_are_heat_maps() {
    let bucket = |service: &str, power: i32, most: usize| {
        let values = (0..91).map(|at| ((at * 7 + usize::try_from(power).unwrap()) % (most + 1)) as f64).collect();
        let end = 2_f64.powi(power) / 1e9;
        series(&[("resource.service.name", text(service)), ("__bucket", Value::Float(end))], values)
    };
    let all = vec![
        bucket("api-gateway", 20, 3),
        bucket("api-gateway", 21, 40),
        bucket("api-gateway", 22, 17),
        bucket("api-gateway", 24, 1),
        bucket("checkout", 21, 4),
    ];
    let maps = answer(an_hour_and_a_half(), all);
    golden("heat", &drawn(&maps, units(Count, Seconds), UNICODE));
    golden("heat-ascii", &drawn(&maps, units(Count, Seconds), ASCII));
    golden("heat-color", &drawn(&maps, units(Count, Seconds), COLOR));
    let groups = (0..9_i32).map(|place| bucket(&format!("service-{place}"), 20, 2)).collect();
    let found = drawn(&answer(an_hour_and_a_half(), groups), units(Count, Seconds), ASCII);
    assert!(found.ends_with("and 5 more groups with fewer spans\n"), "{found}");
}

#[test]
fn instants_are_bars() {
    let of = |(name, value): (&str, f64)| series(&[("name", text(name)), ("kind", Value::Kind(2))], vec![value]);
    let values =
        [("GET /products", 120.0), ("POST /checkout", 37.5), ("", 1.0), ("rollback", -12.0), ("x", f64::INFINITY)];
    let bars = answer(whole(), values.map(of).into());
    golden("bars", &drawn(&bars, units(Plain, Plain), UNICODE));
    golden("bars-ascii", &drawn(&bars, units(Plain, Plain), ASCII));
    let buckets = [(30, 2.0), (9, 5.0), (20, 1.0)];
    let buckets =
        buckets.map(|(power, count)| series(&[("__bucket", Value::Float(2_f64.powi(power) / 1e9))], vec![count]));
    golden("bars-histogram", &drawn(&answer(whole(), buckets.into()), units(Count, Seconds), UNICODE));
}

/// 10 selected spans and 1,000 others, over two intervals.
#[test]
fn compare_is_a_ranking() {
    let of = |meta: &str, name: &str, value: Value, count: f64| {
        series(&[("__meta_type", text(meta)), (name, value)], vec![count - 1.0, 1.0])
    };
    let nil = || Value::Nil;
    let all = vec![
        of("selection", "span.http.status_code", Value::Int(500), 9.0),
        of("selection_total", "span.http.status_code", nil(), 9.0),
        of("baseline", "span.http.status_code", Value::Int(200), 790.0),
        of("baseline", "span.http.status_code", Value::Int(500), 10.0),
        of("baseline_total", "span.http.status_code", nil(), 800.0),
        of("selection", "kind", Value::Kind(2), 10.0),
        of("selection_total", "kind", nil(), 10.0),
        of("baseline", "kind", Value::Kind(2), 500.0),
        of("baseline", "kind", Value::Kind(3), 500.0),
        of("baseline_total", "kind", nil(), 1_000.0),
        // Only the most frequent are listed: u-7 may be on up to 20 spans of the baseline.
        of("selection", "span.user.id", text("u-7"), 6.0),
        of("selection_total", "span.user.id", nil(), 6.0),
        of("baseline", "span.user.id", text("u-1"), 30.0),
        of("baseline", "span.user.id", text("u-2"), 20.0),
        of("baseline_total", "span.user.id", nil(), 900.0),
        // Lists, with more elements than spans.
        of("selection", "span.skus", text("tea"), 5.0),
        of("selection_total", "span.skus", nil(), 5.0),
        of("baseline", "span.skus", text("milk"), 300.0),
        of("baseline", "span.skus", text("bread"), 250.0),
        of("baseline_total", "span.skus", nil(), 400.0),
    ];
    let compared = answer(Intervals::of_range(START, START + MINUTE, MINUTE).unwrap(), all);
    golden("compare", &drawn(&compared, units(Count, Plain), UNICODE));
    golden("compare-ascii", &drawn(&compared, units(Count, Plain), ASCII));
}

#[test]
fn counts_that_cannot_be_do_not_run_over_the_edge() {
    let labels = [("__meta_type", text("selection_total")), ("kind", Value::Nil)];
    let intervals = Intervals::of_range(START, START + MINUTE, MINUTE).unwrap();
    for (count, shown) in [(2e238, "2.00e238"), (1e-99, "1.00e-99"), (1e14, "100000000000000")] {
        let odd = answer(intervals, vec![series(&labels, vec![count, f64::INFINITY])]);
        let found = drawn(&odd, units(Count, Plain), ASCII);
        assert!(found.starts_with(&format!("selection: {shown} spans, baseline: 0 spans\n")), "{found}");
    }
}

#[test]
fn tables() {
    let table = |response: &MetricsResponse, units: Units| {
        let mut out = Vec::new();
        table(&mut out, response, units, UNICODE).unwrap();
        String::from_utf8(out).unwrap()
    };
    golden("table", &table(&services(), units(Rate, Plain)));
    let instant = answer(
        whole(),
        vec![series(&[("p", Value::Float(0.5))], vec![0.004]), series(&[("p", Value::Float(0.9))], vec![0.25])],
    );
    golden("table-instant", &table(&instant, units(Seconds, Plain)));
}

#[test]
fn nothing_to_draw() {
    let none = answer(an_hour_and_a_half(), vec![series(&[], vec![NONE; 91])]);
    assert_eq!(drawn(&none, units(Rate, Plain), UNICODE), "no series\n");
}

#[test]
fn charts_of_the_largest_answers() {
    let intervals = Intervals::of_range(START, START + 9_998 * SECOND, SECOND).unwrap();
    let long = (0..1_000_i64).map(|place| series(&[("a", Value::Int(place))], vec![place as f64; intervals.len()]));
    let found = drawn(&answer(intervals, long.collect()), units(Rate, Plain), COLOR);
    assert!(found.contains("and 992 more series"), "{found}");
    let histogram =
        (0..64).map(|power| series(&[("__bucket", Value::Float(2_f64.powi(power)))], vec![1.0; intervals.len()]));
    let found = drawn(&answer(intervals, histogram.collect()), units(Count, Seconds), UNICODE);
    assert!(found.contains("intervals a column") && found.lines().count() < 30, "{found}");
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::String),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        any::<i64>().prop_map(Value::Duration),
        prop::sample::select(vec!["selection", "baseline", "selection_total", "a\u{202e}\x1b[2J\n"]).prop_map(text),
        Just(Value::Nil),
    ]
}

fn any_answer() -> impl Strategy<Value = MetricsResponse> {
    let intervals =
        (0..u64::MAX / 4, 1..u64::MAX / 1_000_000, 1..300_u64).prop_map(|(start, step, count)| match count {
            1 => Intervals::of_instant(start, start + step).unwrap(),
            count => Intervals::of_range(start, start + (count - 1) * step, step).unwrap(),
        });
    let names = prop::sample::subsequence(vec!["a", "span.b\x07", "__bucket", "__meta_type", "__name__", "p"], 0..4);
    (intervals, names).prop_flat_map(|(intervals, names)| {
        let value = prop_oneof![any::<f64>(), Just(NONE), Just(0.0), 0.0..100.0, Just(f64::INFINITY), Just(f64::MIN)];
        let label = |name: &'static str| any_value().prop_map(move |value| Label::new(name, value));
        let labels = names.into_iter().map(label).collect::<Vec<_>>();
        let one = (labels, prop::collection::vec(value, intervals.len())).prop_map(|(labels, values)| Series {
            labels,
            values,
            exemplars: Vec::new(),
        });
        prop::collection::vec(one, 0..12).prop_map(move |series| answer(intervals, series))
    })
}

proptest! {
    /// Nothing panics, steers the terminal or, if it is not very narrow, runs over its edge; ASCII is kept to.
    #[test]
    fn any_series_can_be_drawn(
        answer in any_answer(),
        width in 40..200_usize,
        unit in prop::sample::select(vec![Count, Rate, Seconds, Plain]),
    ) {
        for (color, ascii) in [(false, false), (false, true), (true, false)] {
            let look = Look { style: Style { color, width }, ascii };
            let mut shown = Vec::new();
            table(&mut shown, &answer, units(unit, unit), look).unwrap();
            let shown = String::from_utf8(shown).unwrap() + &drawn(&answer, units(unit, unit), look);
            prop_assert!(!ascii || shown.is_ascii(), "{}", shown);
            if !color {
                prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{}", shown);
                for line in shown.lines() {
                    prop_assert!(line.width() <= width.max(100), "{} > {width}:\n{line}\n{shown}", line.width());
                }
            }
        }
    }
}
