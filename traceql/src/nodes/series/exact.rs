//! Sums of floats that do not depend on their order: a long accumulator (Kulisch), as wide as the floats that were added
//! need it. Every sum is exact until it is read, and then rounded once, to the nearest.

/// The exponent of the lowest digit's lowest bit: below that of the smallest float, 2^-1074.
const LOWEST: i32 = -1_088;
const DIGIT: u32 = 32;
const MASK: i64 = 0xffff_ffff;
/// After so many additions carries are passed on: a digit gets less than 2^32 from each, and has room for 2^63.
const PENDING: u32 = 1 << 30;
/// The largest top digit before it is split.
const LARGE: i64 = 1 << 40;
/// How many digits a float of the largest exponent needs, with carries.
const DIGITS: usize = 72;

/// The sum of some floats.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExactSum {
    /// The number of the lowest digit kept.
    first: usize,
    /// Digits of 32 bits, lowest first, carries pending.
    digits: Vec<i64>,
    pending: u32,
    /// The sum of what is not finite.
    special: f64,
}

impl ExactSum {
    pub(crate) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.special += value;
            return;
        }
        let bits = value.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = if biased == 0 { (fraction, -1_074) } else { (fraction | 1 << 52, biased - 1_075) };
        if mantissa == 0 {
            return;
        }
        let place = exponent.saturating_sub(LOWEST).unsigned_abs();
        let (digit, shift) = ((place / DIGIT) as usize, place % DIGIT);
        let wide = u128::from(mantissa) << shift;
        let sign = if value < 0.0 { -1 } else { 1 };
        self.reserve(digit, 3);
        let start = digit - self.first;
        for (index, slot) in self.digits.iter_mut().skip(start).take(3).enumerate() {
            *slot += sign * ((wide >> (DIGIT as usize * index)) as i64 & MASK);
        }
        self.pending += 1;
        if self.pending >= PENDING {
            self.carry();
        }
    }

    /// Adds an integer, exactly.
    pub(crate) fn add_integer(&mut self, mut value: i128) {
        while value != 0 {
            let part = value as f64;
            self.add(part);
            value = value.saturating_sub(part as i128);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.special += other.special;
        if other.digits.is_empty() {
            return;
        }
        self.reserve(other.first, other.digits.len());
        let start = other.first - self.first;
        for (slot, digit) in self.digits.iter_mut().skip(start).zip(&other.digits) {
            *slot += digit;
        }
        self.pending = self.pending.saturating_add(other.pending).saturating_add(1);
        if self.pending >= PENDING {
            self.carry();
        }
    }

    /// The sum, rounded to the nearest float.
    pub(crate) fn value(&self) -> f64 {
        if self.special != 0.0 {
            // Infinity, or not a number.
            return self.special;
        }
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.digits.last().is_some_and(|top| *top < 0);
        if negative {
            sum.digits.iter_mut().for_each(|digit| *digit = -*digit);
            sum.carry();
        }
        let Some(top) = sum.digits.iter().rposition(|digit| *digit != 0) else { return 0.0 };
        // The top digit may be larger than the others.
        let digit = |index: usize| sum.digits.get(index).map_or(0, |digit| digit.unsigned_abs());
        let mut bits = 0_u128;
        for down in 0..3 {
            bits = bits << DIGIT | u128::from(top.checked_sub(down).map_or(0, digit));
        }
        if (0..top.saturating_sub(2)).any(|index| digit(index) != 0) {
            bits |= 1;
        }
        let exponent = LOWEST + DIGIT as i32 * (i32::try_from(sum.first + top).unwrap_or(i32::MAX) - 2);
        // More than 64 bits: rounded once, here. What follows is exact, or beyond the largest float.
        let rounded = (bits as f64) * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
        if negative { -rounded } else { rounded }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + 8 * self.digits.len());
        bytes.extend(self.special.to_le_bytes());
        bytes.extend(u32::try_from(self.first).unwrap_or(0).to_le_bytes());
        bytes.extend(self.pending.to_le_bytes());
        bytes.extend(self.digits.iter().flat_map(|digit| digit.to_le_bytes()));
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (special, rest) = bytes.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_first_chunk::<4>()?;
        let (pending, rest) = rest.split_first_chunk::<4>()?;
        let (digits, []) = rest.as_chunks::<8>() else { return None };
        let first = u32::from_le_bytes(*first) as usize;
        if first + digits.len() > DIGITS {
            return None;
        }
        let digits = digits.iter().map(|digit| i64::from_le_bytes(*digit)).collect();
        let (special, pending) = (f64::from_le_bytes(*special), u32::from_le_bytes(*pending));
        Some(Self { first, digits, pending, special })
    }

    /// Bytes on the heap.
    pub(crate) fn size(&self) -> usize {
        self.digits.capacity() * size_of::<i64>()
    }

    /// Makes room for some digits.
    fn reserve(&mut self, digit: usize, count: usize) {
        if self.digits.is_empty() {
            self.first = digit;
        }
        if digit < self.first {
            self.digits.splice(0..0, std::iter::repeat_n(0, self.first - digit));
            self.first = digit;
        }
        let end = digit + count - self.first;
        if self.digits.len() < end {
            self.digits.resize(end, 0);
        }
    }

    /// Passes carries on: every digit but the top one is between 0 and 2^32 then, and the top one has the sign.
    fn carry(&mut self) {
        self.pending = 0;
        let mut carry = 0;
        let top = self.digits.len().saturating_sub(1);
        for digit in self.digits.iter_mut().take(top) {
            *digit += carry;
            carry = *digit >> DIGIT;
            *digit &= MASK;
        }
        let Some(last) = self.digits.last_mut() else { return };
        *last += carry;
        if last.unsigned_abs() >= LARGE.unsigned_abs() {
            let carry = *last >> DIGIT;
            *last &= MASK;
            self.digits.push(carry);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        assert_eq!(sum(&[f64::from_bits(1), f64::from_bits(1)]), f64::from_bits(2));
        assert_eq!(sum(&[f64::MIN_POSITIVE, -f64::from_bits(1)]), f64::MIN_POSITIVE - f64::from_bits(1));
        assert_eq!(sum(&[-1.5, 0.25]), -1.25);
        assert_eq!(sum(&[]), 0.0);
        // Half way between two floats, and a little more.
        assert_eq!(sum(&[2_f64.powi(53), 1.0]), 2_f64.powi(53));
        assert_eq!(sum(&[2_f64.powi(53), 1.0, 1e-300]), 2_f64.powi(53) + 2.0);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(sum(&[f64::NAN, 1.0]).is_nan());
    }

    #[test]
    fn many_carries() {
        let mut sum = ExactSum { pending: PENDING - 3, ..ExactSum::default() };
        (0..1_000_000).for_each(|_| sum.add(-0.7));
        assert!((sum.value() + 700_000.0).abs() < 1e-9, "{}", sum.value());
    }

    proptest! {
        #[test]
        fn integers_are_summed_as_integers(values in prop::collection::vec(any::<i64>(), 0..50)) {
            let total: i128 = values.iter().map(|value| i128::from(*value)).sum();
            let mut exact = ExactSum::default();
            values.iter().for_each(|value| exact.add_integer(i128::from(*value)));
            prop_assert_eq!(exact.value(), total as f64);
        }

        #[test]
        fn neither_order_nor_parts_matter(
            values in prop::collection::vec(any::<f64>().prop_filter("finite", |value| value.is_finite()), 1..40),
            cut in 0..40_usize,
        ) {
            let cut = cut.min(values.len());
            let mut reversed = values.clone();
            reversed.reverse();
            let mut left = ExactSum::default();
            let mut right = ExactSum::default();
            values[..cut].iter().for_each(|value| left.add(*value));
            values[cut..].iter().for_each(|value| right.add(*value));
            right.merge(&left);
            let right = ExactSum::from_bytes(&right.to_bytes()).unwrap();
            prop_assert_eq!(sum(&values).to_bits(), sum(&reversed).to_bits());
            prop_assert_eq!(sum(&values).to_bits(), right.value().to_bits());
        }

        #[test]
        fn two_floats_add_up_as_they_do(a in any::<f64>(), b in any::<f64>()) {
            let (found, expected) = (sum(&[a, b]), a + b);
            prop_assert!(found == expected || found.is_nan() && expected.is_nan(), "{found} {expected}");
        }
    }
}
