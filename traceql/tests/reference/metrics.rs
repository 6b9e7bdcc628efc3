//! Appendix B, "Metrics": step 1 s, from 2 s before the data's second 0 to 6 s after it.

use traceql::{Engine, MetricsOptions, Value, series::Series};

use super::{SECOND, T0, engine_over, naive, reference};

/// A query and its series: labels, then `offset:value` for each value. Zeros are left out of series that have a value
/// for every time.
type Row = (&'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("{} | count_over_time()", &["__name__=count_over_time 0:1 1:5 2:2 3:2 4:1"]),
    (
        "{} | count_over_time() by(span.s)",
        &["span.s=\"g\" 1:1", "span.s=\"x\" 0:1", "span.s=\"y\" 1:1", "span.s=nil 1:3 2:2 3:2 4:1"],
    ),
    (
        "{} | count_over_time() by(span.s, span.b)",
        &[
            "span.b=false 1:1",
            "span.s=\"g\" span.b=false 1:1",
            "span.s=\"x\" span.b=true 0:1",
            "span.s=\"y\" 1:1",
            "span.s=nil 1:2 2:2 3:2 4:1",
        ],
    ),
    ("{} | max_over_time(duration)", &["__name__=max_over_time 0:1 1:0.5 2:0.02 3:0.01 4:0"]),
    // M3: seconds. Tempo: nanoseconds.
    ("{} | max_over_time(traceDuration)", &["__name__=max_over_time 0:1 1:1.02 2:1.02 3:0.01 4:0"]),
    // M1. Tempo loses the 2.5: a span without a value comes after it.
    ("{} | sum_over_time(span.f)", &["__name__=sum_over_time 0:1 1:2.5"]),
    ("{ span.f != nil } | sum_over_time(span.f)", &["__name__=sum_over_time 0:1 1:2.5"]),
    (
        "{} | quantile_over_time(duration, .5)",
        &["p=0.5 0:1.073741824 1:0.134217728 2:0.008388608 3:0.011863283203031445"],
    ),
    ("{} | quantile_over_time(span.i, 1)", &["p=1.0 1:16 2:4 3:2"]),
    (
        "{} | histogram_over_time(span.i)",
        &["__bucket=16.0 1:1", "__bucket=2.0 1:1 2:1 3:1", "__bucket=4.0 1:1 2:1", "__bucket=8.0 1:1"],
    ),
    (
        "{} | count_over_time() by(resource.service.name) | topk(1)",
        &[
            "resource.service.name=\"svcA\" -2:0 -1:0 0:1 2:2 5:0 6:0",
            "resource.service.name=\"svcB\" 1:3",
            "resource.service.name=\"svcC\" 3:2",
            "resource.service.name=\"svcD\" 4:1",
        ],
    ),
    (
        "{} | count_over_time() by(resource.service.name) | bottomk(1)",
        &["resource.service.name=\"svcC\" 4:0", "resource.service.name=\"svcD\" -2:0 -1:0 0:0 1:0 2:0 3:0 5:0 6:0"],
    ),
    ("{} | count_over_time() > 1s", &["__name__=count_over_time 1:5 2:2 3:2"]),
    (
        "({} | count_over_time()) / ({ status = error } | count_over_time())",
        &["__name__=(count_over_time / count_over_time) 1:5"],
    ),
    ("10 / ({} | count_over_time())", &["__name__=count_over_time 0:10 1:2 2:5 3:5 4:10"]),
    (
        "({} | count_over_time() by(resource.service.name)) / ({} | count_over_time())",
        &[
            "resource.service.name=\"svcA\" 0:1 1:0.4 2:1 3:0 4:0",
            "resource.service.name=\"svcB\" 0:0 1:0.6 2:0 3:0 4:0",
            "resource.service.name=\"svcC\" 0:0 1:0 2:0 3:1 4:0",
            "resource.service.name=\"svcD\" 0:0 1:0 2:0 3:0 4:1",
        ],
    ),
    // M2: as in a search. Tempo counts those that are named R.
    ("{ !(name = \"R\") } | count_over_time()", &["__name__=count_over_time 1:5 2:2 3:2 4:1"]),
    // M2: not R, not the two of the next second that last longer, nor the one of just 100 ms. Tempo counts the longer ones.
    ("{ 100ms > duration } | count_over_time()", &["__name__=count_over_time 1:2 2:2 3:2 4:1"]),
    ("{ span.i / 0 = 1 } | count_over_time()", &["__name__=count_over_time"]),
];

/// A series in the notation of the rows.
fn text(labels: &str, values: &[f64]) -> String {
    let gaps = values.iter().any(|value| value.is_nan());
    let shown = (-2..).zip(values).filter(|(_, value)| !value.is_nan() && (gaps || **value != 0.0));
    let shown = shown.map(|(offset, value): (i32, &f64)| format!(" {offset}:{value}"));
    labels.to_owned() + &shown.collect::<String>()
}

fn of_engine(series: &Series) -> String {
    let labels = series.labels.iter().map(|label| {
        let value = match &label.value {
            Value::String(text) if label.name != "__name__" => format!("{text:?}"),
            Value::Float(number) => format!("{number:?}"),
            _ => label.value_text(),
        };
        format!("{}={value}", label.name)
    });
    text(&labels.collect::<Vec<_>>().join(" "), &series.values)
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

fn options() -> MetricsOptions {
    MetricsOptions::new((T0 - 2) * SECOND, (T0 + 6) * SECOND).with_step(SECOND)
}

fn engine() -> Engine {
    engine_over(&reference())
}

#[tokio::test]
async fn every_metrics_query_of_the_reference_has_its_series() {
    let (engine, traces) = (engine(), naive::Trace::of(&[reference()]));
    let intervals = naive::metrics::Intervals::of_range((T0 - 2) * SECOND, (T0 + 6) * SECOND, SECOND);
    let mut wrong = Vec::new();
    for (query, expected) in ROWS {
        let found = engine.query_range(query, &options()).await.unwrap();
        let found = sorted(found.series.iter().map(of_engine).collect());
        let judged = naive::metrics::series(&traceql::parse(query).unwrap(), &traces, &intervals);
        let judged = judged.iter().map(|series| {
            let labels: Vec<String> = series.labels.iter().map(ToString::to_string).collect();
            text(&labels.join(" "), &series.values)
        });
        let judged = sorted(judged.collect());
        if found != *expected || judged != *expected {
            wrong.push(format!("{query}\n  expected {expected:?}\n  engine   {found:?}\n  judge    {judged:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn an_instant_query_divides_by_its_range() {
    let response = engine().query_instant("{} | rate()", &options()).await.unwrap();
    assert_eq!(response.series.iter().map(|series| series.values.clone()).collect::<Vec<_>>(), [[11.0 / 8.0]]);
}

/// M8: Tempo counts the first of every two spans, 0:1.8333 1:3.6667 2:1.8333 3:1.8333 4:1.8333; here a trace is in the
/// sample or not, by its id, and what is in it stands for twice as much.
#[tokio::test]
async fn a_sample_is_of_whole_traces_and_says_so() {
    let engine = engine();
    let all = engine.query_range("{} | count_over_time() by(trace:id)", &options()).await.unwrap();
    let sampled = engine.query_range("{} | count_over_time() by(trace:id) with(sample=0.5)", &options()).await.unwrap();
    assert!(!sampled.series.is_empty() && sampled.series.len() < all.series.len(), "{}", sampled.series.len());
    for series in &sampled.series {
        let whole = all.series.iter().find(|other| other.labels == series.labels).unwrap();
        assert_eq!(series.values, whole.values.iter().map(|value| value * 2.0).collect::<Vec<_>>());
    }
    assert!(sampled.notes[0].starts_with("a sample of 50 % of the traces, "), "{:?}", sampled.notes);
    assert!(all.notes.is_empty());
    let whole = engine.query_range("{} | count_over_time() by(trace:id) with(sample=1)", &options()).await.unwrap();
    assert_eq!(whole.series, all.series);
    let refused = engine.query_range("{} | rate() with(sample=0)", &options()).await.unwrap_err();
    assert!(refused.is_query() && refused.to_string().contains("more than 0, at most 1"), "{refused}");
}

#[tokio::test]
async fn spans_can_be_sampled_one_by_one() {
    let engine = engine();
    let of = |hint: &str| format!("{{}} | sum_over_time(span:childCount) by(span:id) with(span_sample={hint})");
    let all = engine.query_range(&of("1.0"), &options()).await.unwrap();
    let some = engine.query_range(&of("0.6"), &options()).await.unwrap();
    assert!(!some.series.is_empty() && some.series.len() < all.series.len());
    let more = engine.query_range(&of("0.8"), &options()).await.unwrap();
    let within = |series: &Series| more.series.iter().any(|other| other.labels == series.labels);
    assert!(some.series.iter().all(within), "a larger sample has all of a smaller one");
}

#[tokio::test]
async fn exact_quantiles_are_values() {
    let query = |rest: &str| format!("{{}} | quantile_over_time(span.i, 0, .5, 1) {rest}");
    let exact = engine().query_instant(&query("with(exact=true)"), &options()).await.unwrap();
    let bucketed = engine().query_instant(&query(""), &options()).await.unwrap();
    // 1, 1, 1, 2, 2, 2, 3, and three more up to 9: the fifth is the median.
    let values = |series: &[Series]| series.iter().map(of_instant).collect::<Vec<_>>();
    assert_eq!(values(&exact.series), ["p=0.0 1", "p=0.5 2", "p=1.0 9"]);
    assert_eq!(values(&bucketed.series), ["p=0.0 1.2599210498948732", "p=0.5 2.8284271247461903", "p=1.0 16"]);
}

fn of_instant(series: &Series) -> String {
    of_engine(series).replace("-2:", "")
}

#[tokio::test]
async fn series_that_are_too_many_are_left_out_and_counted() {
    let engine = engine();
    let query = "{} | count_over_time() by(name)";
    let all = engine.query_range(query, &options()).await.unwrap();
    let few = engine.query_range(query, &options().with_max_series(3)).await.unwrap();
    assert_eq!((few.series.len(), few.partial, all.partial), (3, true, false));
    assert!(few.series.iter().all(|series| all.series.contains(series)));
    assert_eq!(
        few.notes,
        [format!("{} of {} series were left out: at most 3 are wanted", all.series.len() - 3, all.series.len())]
    );
}

#[tokio::test]
async fn limits_end_in_errors() {
    let engine = engine();
    let query = "{} | count_over_time() by(name)";
    let error = engine.query_range(query, &options().with_max_memory(100)).await.unwrap_err();
    assert!(error.is_limit(), "{error}");
    let no_time = options().with_limits(Some(std::time::Duration::ZERO), None);
    assert!(engine.query_range(query, &no_time).await.unwrap_err().is_limit());
    let error = engine.query_range(query, &MetricsOptions::new(10, 5)).await.unwrap_err();
    assert!(error.is_options(), "{error}");
    let error = engine.query_range("{ name = `R` }", &options()).await.unwrap_err();
    assert!(error.is_query() && error.to_string().contains("it has no series"), "{error}");
    let error = engine.search(query, &traceql::SearchOptions::default()).await.unwrap_err();
    assert!(error.is_query() && error.to_string().contains("has series, not traces"), "{error}");
    let plan = engine.explain(query, &traceql::SearchOptions::default(), true).await.unwrap();
    assert!(plan.contains("SeriesExec: { true } | count_over_time()by(name)") && plan.contains("cells in"), "{plan}");
}

#[tokio::test]
async fn exemplars_stand_behind_the_values_of_their_series() {
    let engine = engine();
    let of = |query: &str, wanted: usize| {
        let (engine, query) = (engine.clone(), query.to_owned());
        async move { engine.query_range(&query, &options().with_exemplars(wanted)).await.unwrap().series }
    };
    let series = of("{ } | max_over_time(duration) by (name)", 100).await;
    assert!(!series.is_empty());
    for series in &series {
        // One span of each name.
        let [exemplar] = series.exemplars.as_slice() else { panic!("{series:?}") };
        let value = series.values.iter().find(|value| !value.is_nan()).unwrap();
        assert_eq!(exemplar.value, *value, "{series:?}");
        let names: Vec<&str> = exemplar.labels.iter().map(|label| label.name.as_str()).collect();
        assert_eq!(names, ["trace:id", "span:id", "name"]);
        assert_eq!(exemplar.labels[2], series.labels[0]);
    }
    // Two of different traces in each part of the range; where spans are counted, the value of the series.
    let series = of("{ } | count_over_time()", 2).await;
    let exemplars = &series[0].exemplars;
    let traces: Vec<String> = exemplars.iter().map(|exemplar| exemplar.labels[0].value_text()).collect();
    assert!(exemplars.len() == 2 && traces[0] != traces[1], "{exemplars:?}");
    for exemplar in exemplars {
        let at = (exemplar.time_unix_nano - (T0 - 3) * SECOND).div_ceil(SECOND) - 1;
        assert_eq!(exemplar.value, series[0].values[usize::try_from(at).unwrap()]);
    }
    // The bucket that the value is in.
    let series = of("{ } | histogram_over_time(duration)", 100).await;
    assert!(series.iter().all(|series| !series.exemplars.is_empty()), "{series:?}");
    // Filters take exemplars along; the hint goes before the options.
    let series = of("{ } | max_over_time(duration) by (name) > 100ms", 100).await;
    assert!(!series.is_empty() && series.iter().all(|series| series.exemplars.iter().all(|found| found.value > 0.1)));
    let series = of("{ } | rate() by (name) with (exemplars = false)", 100).await;
    assert!(series.iter().all(|series| series.exemplars.is_empty()));
}

/// The hint `extrapolate`: a span counts for all that its sampler dropped, as its trace state says.
#[tokio::test]
async fn sampled_spans_stand_for_those_that_were_dropped() {
    let mut request = reference();
    let states = ["ot=th:8", "ot=th:c;rv:ffffffffffffff", "vendor=x", ""];
    let resources = request.resource_spans.iter_mut();
    let spans = resources.flat_map(|resource| resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans));
    let weights: Vec<f64> = spans
        .zip(states.iter().cycle())
        .map(|(span, state)| {
            span.trace_state = (*state).to_owned();
            [("ot=th:8", 2.0), ("ot=th:c;rv:ffffffffffffff", 4.0)]
                .iter()
                .find(|(known, _)| known == state)
                .map_or(1.0, |known| known.1)
        })
        .collect();
    let engine = engine_over(&request);
    let total = |query: &str| {
        let (engine, query) = (engine.clone(), query.to_owned());
        async move {
            let response = engine.query_instant(&query, &options()).await.unwrap();
            response.series.iter().flat_map(|series| series.values.clone()).sum::<f64>()
        }
    };
    assert_eq!(total("{ } | count_over_time()").await, 11.0);
    let all: f64 = weights.iter().sum();
    assert!(all > 11.0);
    assert_eq!(total("{ } | count_over_time() with(extrapolate=true)").await, all);
    assert_eq!(total("{ } | count_over_time() by(name) with(extrapolate=true)").await, all);
    assert_eq!(total("{ } | rate() with(extrapolate=true)").await, all / 8.0);
    assert_eq!(total("{ } | max_over_time(duration) with(extrapolate=true)").await, 1.0);
    let ids = total("{ } | sum_over_time(span:childCount)").await;
    assert!(total("{ } | sum_over_time(span:childCount) with(extrapolate=true)").await > ids);
    assert!(total("{ } | avg_over_time(span:childCount) with(extrapolate=true)").await < 4.0);
    assert_eq!(total("{ } | avg_over_time(span:childCount) with(extrapolate=false)").await, ids / 11.0);
}
