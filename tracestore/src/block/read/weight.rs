//! For how many spans a sampled one stands: the rejection threshold in its W3C trace state.
//!
//! `ot=th:c` says that of 16 spans 12 were dropped: `th` are the first digits of a hexadecimal fraction of 14, the
//! probability of being dropped
//! (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>).

/// How many digits a threshold has when it is written out.
const DIGITS: usize = 14;

/// The weight that a trace state gives its span; 1 where it gives none, or none that makes sense.
pub(super) fn weight(trace_state: &str) -> f64 {
    let member = trace_state.split(',').find_map(|member| member.trim().strip_prefix("ot="));
    let threshold = member.and_then(|fields| fields.split(';').find_map(|field| field.trim().strip_prefix("th:")));
    threshold.and_then(of_threshold).unwrap_or(1.0)
}

fn of_threshold(digits: &str) -> Option<f64> {
    let hexadecimal = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if digits.is_empty() || digits.len() > DIGITS || !hexadecimal {
        return None;
    }
    let value = u64::from_str_radix(digits, 16).ok()?;
    let all = 1_u64 << (4 * DIGITS);
    let dropped = value << (4 * (DIGITS - digits.len()));
    Some(all as f64 / (all - dropped) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_trace_states() {
        let cases = [
            ("", 1.0),
            ("ot=th:0", 1.0),
            ("ot=th:8", 2.0),
            ("ot=th:c", 4.0),
            ("vendor=1, ot=rv:6e6d1a75832a2f;th:fd ,x=y", 256.0 / 3.0),
            ("ot=th:fffffffffffffe", 36_028_797_018_963_968.0),
            ("ot=th:", 1.0),
            ("ot=th:g", 1.0),
            ("ot=th:000000000000000", 1.0),
            ("not=th:8", 1.0),
        ];
        for (state, expected) in cases {
            assert_eq!(weight(state), expected, "{state}");
        }
    }
}
