//! What the numbers of an answer are, by the query, and how they are written.

use traceql::{
    ir::{ArithmeticOp, Metrics, MetricsFunctionKind},
    syntax::ast::{Field, Intrinsic},
};

use crate::terminal;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Spans.
    Count,
    /// Spans per second.
    Rate,
    /// Time, in seconds.
    Seconds,
    /// Something else.
    Plain,
}

/// What the values of an answer are, and the upper ends of its buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) values: Unit,
    pub(crate) buckets: Unit,
}

impl Units {
    /// Those of numbers that nothing is known of.
    pub(super) const PLAIN: Self = Self { values: Unit::Plain, buckets: Unit::Plain };

    /// Those of a query.
    pub(crate) fn of(metrics: &Metrics) -> Self {
        match metrics {
            Metrics::Number(_) => Self::PLAIN,
            Metrics::Query { function, .. } => Self::of_function(&function.kind),
            Metrics::TopK { input, .. } | Metrics::BottomK { input, .. } | Metrics::Threshold { input, .. } => {
                Self::of(input)
            }
            Metrics::Arithmetic { op, left, right } => {
                let (one, other) = (Self::of(left), Self::of(right));
                let constant = |side: &Metrics| matches!(side, Metrics::Number(_));
                let sums = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
                let agree = |one: Unit, other: Unit| match sums && (one == other || constant(right)) {
                    true => one,
                    false if sums && constant(left) => other,
                    false => Unit::Plain,
                };
                let buckets = if constant(left) { other.buckets } else { one.buckets };
                Self { values: agree(one.values, other.values), buckets }
            }
        }
    }

    fn of_function(function: &MetricsFunctionKind) -> Self {
        use MetricsFunctionKind as Kind;
        let values = match function {
            Kind::Rate => Unit::Rate,
            Kind::CountOverTime | Kind::HistogramOverTime(_) | Kind::Compare { .. } => Unit::Count,
            Kind::MinOverTime(field)
            | Kind::MaxOverTime(field)
            | Kind::AvgOverTime(field)
            | Kind::SumOverTime(field)
            | Kind::QuantileOverTime(field, _) => Unit::of_field(field),
        };
        let buckets = if let Kind::HistogramOverTime(field) = function { Unit::of_field(field) } else { Unit::Plain };
        Self { values, buckets }
    }
}

impl Unit {
    fn of_field(field: &Field) -> Self {
        match field {
            Field::Intrinsic(Intrinsic::Duration | Intrinsic::TraceDuration | Intrinsic::EventTimeSinceStart) => {
                Self::Seconds
            }
            _ => Self::Plain,
        }
    }

    /// What there is so many of, where the number alone does not say it.
    pub(crate) fn words(self) -> Option<&'static str> {
        match self {
            Self::Count => Some("spans"),
            Self::Rate => Some("spans per second"),
            Self::Seconds | Self::Plain => None,
        }
    }

    /// A number for people: three digits that count.
    pub(crate) fn show(self, value: f64) -> String {
        if value.is_infinite() {
            return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
        }
        match self {
            Self::Seconds => seconds(value),
            Self::Rate => format!("{}/s", number(value)),
            Self::Count | Self::Plain => number(value),
        }
    }

    /// A number on an axis whose numbers are at most `largest`, and `step` apart: all in one unit, with equal decimals.
    pub(crate) fn tick(self, value: f64, step: f64, largest: f64) -> String {
        let units: &[(f64, &str)] = match self {
            Self::Seconds if (60.0..1e9).contains(&largest) => {
                return if value == 0.0 || value.abs() >= 60.0 { seconds(value) } else { format!("{value:.0}s") };
            }
            Self::Seconds => &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
            _ => &[(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")],
        };
        let unit = units.iter().find(|(size, _)| largest >= *size).or(units.last());
        let (size, name) = unit.copied().unwrap_or((1.0, ""));
        let (value, step) = (value / size, step / size);
        if value.abs() < step / 2.0 {
            return "0".to_owned();
        }
        if value.abs() >= 1e6 || step < 1e-6 {
            return format!("{value:.2e}{name}");
        }
        let decimals = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5].iter().take_while(|power| !whole(step * **power)).count();
        format!("{value:.decimals$}{name}")
    }
}

/// Whether a step is a whole number, but for rounding.
fn whole(value: f64) -> bool {
    value > 0.5 && (value - value.round()).abs() < 1e-6 * value
}

fn seconds(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    match size {
        0.0 => "0".to_owned(),
        // What ns cannot show.
        size if !(1e-9..1e9).contains(&size) => format!("{value:.2e}s"),
        size => format!("{sign}{}", tidy(&terminal::duration((size * 1e9).round() as u64))),
    }
}

/// Without zeros that say nothing: `50ms` for `50.0ms`, `1h` for `1h00m00s`.
pub(super) fn tidy(duration: &str) -> String {
    let unit = duration.find(|c: char| c.is_alphabetic()).unwrap_or(duration.len());
    match duration.split_at(unit) {
        (amount, unit) if amount.contains('.') => {
            format!("{}{unit}", amount.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => duration.strip_suffix("00s").map_or(duration, |text| text.strip_suffix("00m").unwrap_or(text)).to_owned(),
    }
}

/// Three digits that count, and a letter for thousands.
fn number(value: f64) -> String {
    let size = value.abs();
    let (scale, name) = match size {
        0.0 => return "0".to_owned(),
        size if !(1e-3..1e15).contains(&size) => return format!("{value:.2e}"),
        // Rounded to three digits these are a thousand of the smaller.
        ..999.5 => (1.0, ""),
        ..999.5e3 => (1e3, "k"),
        ..999.5e6 => (1e6, "M"),
        ..999.5e9 => (1e9, "G"),
        _ => (1e12, "T"),
    };
    let value = value / scale;
    let decimals = match value.abs() {
        ..0.01 => 5,
        ..0.1 => 4,
        ..1.0 => 3,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(query: &str) -> (Unit, Unit) {
        let traceql::ir::Body::Metrics(metrics) = traceql::compile(query).unwrap().body else { panic!("{query}") };
        let Units { values, buckets } = Units::of(&metrics);
        (values, buckets)
    }

    #[test]
    fn units_follow_from_queries() {
        use Unit::{Count, Plain, Rate, Seconds};
        for (query, expected) in [
            ("{} | rate()", (Rate, Plain)),
            ("{} | count_over_time() by(name) | topk(3) | topk(2)", (Count, Plain)),
            ("{} | avg_over_time(duration) > 2s", (Seconds, Plain)),
            ("{} | quantile_over_time(traceDuration, .9)", (Seconds, Plain)),
            ("{} | max_over_time(span.size)", (Plain, Plain)),
            ("{} | histogram_over_time(duration)", (Count, Seconds)),
            ("({} | rate()) / ({} | rate())", (Plain, Plain)),
            ("({} | rate()) + ({} | rate())", (Rate, Plain)),
            ("({} | rate()) + 1", (Rate, Plain)),
            ("1 - ({} | rate())", (Rate, Plain)),
            ("({} | rate()) * 60", (Plain, Plain)),
            ("({} | rate()) + ({} | count_over_time())", (Plain, Plain)),
        ] {
            assert_eq!(units(query), expected, "{query}");
        }
    }

    #[test]
    fn numbers_read_well() {
        let counts = [0.0, 1.0, 999.4, 999.6, 1_234.0, 12_345.0, 1e6, 2.5e9, 1e15, 0.05, 0.333333, -12.0, 1e-4];
        let shown =
            ["0", "1", "999", "1k", "1.23k", "12.3k", "1M", "2.5G", "1.00e15", "0.05", "0.333", "-12", "1.00e-4"];
        assert_eq!(counts.map(|value| Unit::Count.show(value)), shown);
        let times = [0.0, 1e-9, 2.5e-6, 0.005, -1.5, 90.0, 7_200.0, 1e-12, 1e10, f64::INFINITY];
        let shown = ["0", "1ns", "2.5µs", "5ms", "-1.5s", "1m30s", "2h", "1.00e-12s", "1.00e10s", "+Inf"];
        assert_eq!(times.map(|value| Unit::Seconds.show(value)), shown);
        assert_eq!(Unit::Rate.show(12.0), "12/s");
    }

    #[test]
    fn numbers_on_an_axis_are_alike() {
        let axis = |unit: Unit, step: f64, count: u32| -> Vec<String> {
            (0..count).map(|place| unit.tick(f64::from(place) * step, step, f64::from(count - 1) * step)).collect()
        };
        assert_eq!(axis(Unit::Seconds, 0.005, 3), ["0", "5ms", "10ms"]);
        assert_eq!(axis(Unit::Seconds, 5e-4, 4), ["0", "0.5ms", "1.0ms", "1.5ms"]);
        assert_eq!(axis(Unit::Seconds, 60.0, 3), ["0", "1m", "2m"]);
        assert_eq!(axis(Unit::Count, 500.0, 4), ["0", "0.5k", "1.0k", "1.5k"]);
        assert_eq!(axis(Unit::Rate, 0.02, 3), ["0", "0.02", "0.04"]);
        assert_eq!(Unit::Count.tick(-0.2, 0.2, 0.4), "-0.2");
    }
}
