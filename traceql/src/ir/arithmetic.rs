//! Arithmetic as SEMANTICS.md V5 has it: exact or no value, never an error. Shared by constant folding and the engine.

use super::ArithmeticOp;

/// Two integers; `None` where the result does not exist or does not fit.
#[must_use]
pub fn integers(op: ArithmeticOp, left: i64, right: i64) -> Option<i64> {
    match op {
        ArithmeticOp::Add => left.checked_add(right),
        ArithmeticOp::Subtract => left.checked_sub(right),
        ArithmeticOp::Multiply => left.checked_mul(right),
        ArithmeticOp::Divide => left.checked_div(right),
        ArithmeticOp::Modulo => left.checked_rem(right).or((right == -1).then_some(0)),
        ArithmeticOp::Power => power(left, right),
    }
}

/// Exact; a negative exponent truncates towards zero.
fn power(base: i64, exponent: i64) -> Option<i64> {
    match (base, exponent) {
        (0, exponent) if exponent < 0 => None,
        (1, _) => Some(1),
        (-1, exponent) => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        (_, exponent) if exponent < 0 => Some(0),
        (0, exponent) if exponent > 0 => Some(0),
        (base, exponent) => base.checked_pow(u32::try_from(exponent).ok()?),
    }
}

/// Two floats, as in IEEE 754.
#[must_use]
pub fn floats(op: ArithmeticOp, left: f64, right: f64) -> f64 {
    match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left * right,
        ArithmeticOp::Divide => left / right,
        ArithmeticOp::Modulo => left % right,
        ArithmeticOp::Power => left.powf(right),
    }
}

/// An integer with a float, exactly: `None` for NaN.
#[must_use]
pub fn compare_mixed(left: i64, right: f64) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering;
    if right.is_nan() {
        return None;
    }
    // 2^63 is the first float above every integer.
    if right >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if right < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = right.trunc();
    let fraction = right - whole;
    Some(left.cmp(&(whole as i64)).then(0.0_f64.total_cmp(&if fraction == 0.0 { 0.0 } else { fraction })))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use super::*;

    #[test]
    fn what_does_not_fit_has_no_value() {
        use ArithmeticOp::{Add, Divide, Modulo, Power};
        for (op, left, right, expected) in [
            (Add, i64::MAX, 1, None),
            (Divide, 1, 0, None),
            (Divide, -7, 2, Some(-3)),
            (Divide, i64::MIN, -1, None),
            (Modulo, -7, 3, Some(-1)),
            (Modulo, 7, 0, None),
            (Modulo, i64::MIN, -1, Some(0)),
            (Power, 2, 3, Some(8)),
            (Power, 3, 40, None),
            (Power, 2, -1, Some(0)),
            (Power, 0, -1, None),
            (Power, 0, 0, Some(1)),
            (Power, -1, i64::MAX, Some(-1)),
        ] {
            assert_eq!(integers(op, left, right), expected, "{left} {op:?} {right}");
        }
    }

    #[test]
    fn integers_and_floats_compare_exactly() {
        for (left, right, expected) in [
            (9_007_199_254_740_993, 9_007_199_254_740_992.0, Some(Greater)),
            (1, 1.5, Some(Less)),
            (-1, -1.5, Some(Greater)),
            (0, -0.0, Some(Equal)),
            (i64::MAX, 9_223_372_036_854_775_808.0, Some(Less)),
            (i64::MIN, -9_223_372_036_854_775_808.0, Some(Equal)),
            (i64::MIN, f64::NEG_INFINITY, Some(Greater)),
            (0, f64::NAN, None),
        ] {
            assert_eq!(compare_mixed(left, right), expected, "{left} {right}");
        }
    }
}
