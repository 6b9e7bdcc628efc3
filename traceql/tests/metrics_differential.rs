//! Random traces, random metrics queries: the engine says what the naive evaluator says, and says the same to the last bit
//! however the spans were cut into blocks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod blocks;
mod naive;

use std::{collections::BTreeMap, num::NonZero};

use blocks::{block, cut, single_spans};
use naive::metrics::Intervals;
use proptest::prelude::*;
use traceql::{Engine, EngineOptions, MetricsOptions, Value, series::Series};
use tracestore::Snapshot;

/// The range that is asked for, in the ns that random spans start in, and the step.
const RANGE: (u64, u64, u64) = (5, 48, 10);

/// How many data sets each property is tested on, with 12 queries each: `DIFFERENTIAL_CASES` for a soak.
fn cases() -> u32 {
    std::env::var("DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

/// Series by their labels, with the types of their values.
type Answer = BTreeMap<String, Vec<f64>>;

/// As the judge writes its labels.
fn labels(series: &Series) -> String {
    let labels = series.labels.iter().map(|label| {
        let value = match &label.value {
            Value::String(text) if label.name == "__name__" => text.clone(),
            Value::String(text) => format!("{text:?}"),
            Value::Float(number) => format!("{number:?}"),
            Value::Json(text) => serde_json::Value::from(text.as_str()).to_string().trim_matches('"').to_owned(),
            _ => label.value_text(),
        };
        format!("{}={value}", label.name)
    });
    labels.collect::<Vec<_>>().join(" ")
}

fn found(series: &[Series]) -> Answer {
    series.iter().map(|series| (labels(series), series.values.clone())).collect()
}

fn expected(text: &str, traces: &[naive::Trace]) -> Answer {
    let (start, end, step) = RANGE;
    let series = naive::metrics::series(&traceql::parse(text).unwrap(), traces, &Intervals::of_range(start, end, step));
    let labels = |labels: &[naive::metrics::Label]| -> String {
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        labels.join(" ")
    };
    series.into_iter().map(|series| (labels(&series.labels), series.values)).collect()
}

/// Up to the rounding of floats that were added up in another order.
fn same(a: &[f64], b: &[f64]) -> bool {
    let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(*a, *b))
}

fn difference(expected: &Answer, found: &Answer) -> Option<String> {
    let labels = |answer: &Answer| answer.keys().cloned().collect::<Vec<_>>();
    if labels(expected) != labels(found) {
        return Some(format!("expected {:#?}\n found {:#?}", labels(expected), labels(found)));
    }
    let different = expected.iter().find(|(labels, values)| !same(values, &found[*labels]));
    different.map(|(labels, values)| format!("{labels}: expected {values:?}\n found {:?}", found[labels]))
}

fn options() -> MetricsOptions {
    let (start, end, step) = RANGE;
    MetricsOptions::new(start, end).with_step(step)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_judge_on_metrics(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        queries in prop::collection::vec(naive::metrics_query(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Some(block) = block(&requests) else { return Ok(()) };
        let (engine, traces) = (Engine::new(Snapshot::new(vec![block])), naive::Trace::of(&requests));
        for text in queries.iter().filter(|text| traceql::compile(text).is_ok()) {
            let response = runtime.block_on(engine.query_range(text, &options()));
            let response = response.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            let difference = difference(&expected(text, &traces), &found(&response.series));
            prop_assert!(difference.is_none(), "{text}\n{}", difference.unwrap_or_default());
        }
    }

    #[test]
    fn series_do_not_depend_on_the_cut_or_on_shortcuts(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        places in prop::collection::vec((any::<u8>(), prop::option::weighted(0.3, any::<u8>()), any::<u16>()), 1..40),
        blocks in 1..=8_u8,
        queries in prop::collection::vec(naive::metrics_query(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let singles = single_spans(&requests);
        let Some(block) = block(&requests) else { return Ok(()) };
        let whole = Snapshot::new(vec![block]);
        let usual = Engine::new(whole.clone());
        let engines = [
            ("cut", Engine::new(cut(&singles, &places, blocks))),
            ("three partitions", Engine::with_options(cut(&singles, &places, blocks),
                EngineOptions::default().with_partitions(NonZero::new(3).unwrap()))),
            ("no shortcuts", Engine::with_options(whole.clone(), EngineOptions::default().with_shortcuts(false, false))),
            ("no pushdown", Engine::with_options(whole, EngineOptions::default().with_shortcuts(true, false))),
        ];
        for text in queries.iter().filter(|text| traceql::compile(text).is_ok()) {
            let answer = |engine: &Engine| {
                let response = runtime.block_on(engine.query_range(text, &options().with_exemplars(6))).unwrap();
                format!("{:?}", response.series)
            };
            let expected = answer(&usual);
            for (name, engine) in &engines {
                prop_assert_eq!(&answer(engine), &expected, "{}: {}", name, text);
            }
        }
    }
}

#[test]
fn half_of_the_random_metrics_queries_are_telling() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut pairs, mut telling) = (0, 0);
    for _ in 0..60 {
        let requests = prop::collection::vec(naive::large_request(), 1..3).new_tree(&mut runner).unwrap().current();
        let traces = naive::Trace::of(&requests);
        for text in (0..10).map(|_| naive::metrics_query().new_tree(&mut runner).unwrap().current()) {
            if traceql::compile(&text).is_err() {
                continue;
            }
            pairs += 1;
            let answer = expected(&text, &traces);
            telling += u32::from(answer.values().flatten().any(|value| !value.is_nan() && *value != 0.0));
        }
    }
    println!("{telling} of {pairs} metrics queries have an answer that is not nothing");
    assert!(pairs >= 480, "{pairs} of 600 are well typed");
    assert!(telling * 2 >= pairs, "{telling} of {pairs}");
}
