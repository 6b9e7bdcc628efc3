//! How many spans one stands for where the others were sampled away.

use super::span::SpanFacts;

/// The places that may say so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Multiplier {
    key: Option<String>,
    tracestate: bool,
}

impl Multiplier {
    pub(crate) fn new(key: Option<&str>, tracestate: bool) -> Self {
        Self { key: key.filter(|key| !key.is_empty()).map(str::to_owned), tracestate }
    }

    /// The weight of a span: 1 where nothing says otherwise.
    pub(crate) fn of(&self, span: &SpanFacts<'_>) -> f64 {
        let ratio = self.key.as_ref().and_then(|key| span.span_or_resource(key)).and_then(|value| value.number());
        let weight = ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0).map(|ratio| 1.0 / ratio);
        weight.or_else(|| self.tracestate.then(|| of_tracestate(span.trace_state)).flatten()).unwrap_or(1.0)
    }
}

/// The weight that OpenTelemetry's member of the trace state gives: `ot=th:c` says that three of four were dropped.
fn of_tracestate(state: &str) -> Option<f64> {
    let members = state.split(',').filter_map(|member| member.trim().split_once('='));
    let fields = members.filter(|(key, _)| *key == "ot").flat_map(|(_, value)| value.split(';'));
    let threshold = fields.filter_map(|field| field.split_once(':')).find(|(key, _)| *key == "th")?.1;
    if threshold.is_empty() || threshold.len() > 14 {
        return None;
    }
    // Zeros at the end are left out: 14 digits are 56 bits.
    let dropped = u64::from_str_radix(&format!("{threshold:0<14}"), 16).ok()? as f64;
    Some(1.0 / (1.0 - dropped / 56_f64.exp2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_trace_states() {
        for (state, weight) in [
            ("ot=th:0", Some(1.0)),
            ("ot=th:8", Some(2.0)),
            ("a=b, ot=rv:abcdef;th:c", Some(4.0)),
            ("ot=th:fd70a4", Some(1.0 / (1.0 - f64::from(0x00fd_70a4) / 24_f64.exp2()))),
            ("ot=rv:1", None),
            ("ot=th:", None),
            ("ot=th:xyz", None),
            ("other=th:8", None),
            ("", None),
        ] {
            assert_eq!(of_tracestate(state), weight, "{state}");
        }
    }
}
