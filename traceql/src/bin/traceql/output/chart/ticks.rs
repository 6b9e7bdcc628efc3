//! Round numbers along an axis: 1, 2 or 5 times a power of ten, and round times.

use super::unit::Unit;

/// Larger numbers are drawn at the edge, so that differences of numbers are numbers.
const LARGEST: f64 = 1e300;

/// Steps from half a minute on, in seconds.
const LONG: [f64; 12] =
    [30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0, 86_400.0];

/// The numbers along an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
    unit: Unit,
}

impl Ticks {
    /// About `count` round numbers around some values; from 0 where that costs less than half of the room.
    pub(super) fn around(values: impl Iterator<Item = f64>, count: usize, unit: Unit) -> Self {
        let finite = values.filter(|value| value.is_finite()).map(|value| value.clamp(-LARGEST, LARGEST));
        let (mut low, mut high) =
            finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if low == high {
            (low, high) = if low == 0.0 { (0.0, 1.0) } else { (low.min(0.0), high.max(0.0)) };
        } else if low > 0.0 && low <= high / 2.0 {
            low = 0.0;
        } else if high < 0.0 && high >= low / 2.0 {
            high = 0.0;
        }
        let step = round_step((high - low) / count.max(1) as f64, unit);
        let (bottom, top) = ((low / step).floor() * step, (high / step).ceil() * step);
        if step.is_normal() && bottom.is_finite() && bottom < top {
            return Self { low: bottom, high: top, step, unit };
        }
        Self { low: 0.0, high: 1.0, step: 1.0, unit }
    }

    /// The numbers and how they are written, the smallest first.
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.step).round().clamp(1.0, 50.0) as u32;
        let largest = self.low.abs().max(self.high.abs());
        let value = |place: u32| self.low + f64::from(place) * self.step;
        (0..=count).map(|place| (value(place), self.unit.tick(value(place), self.step, largest))).collect()
    }

    /// The place of a value among `places`, the largest first; what is outside is at the edge.
    pub(super) fn place(&self, value: f64, places: usize) -> usize {
        let last = places.saturating_sub(1);
        let part = (self.high - value.clamp(self.low, self.high)) / (self.high - self.low);
        ((part * last as f64).round() as usize).min(last)
    }
}

/// The first round step that is not smaller.
fn round_step(wanted: f64, unit: Unit) -> f64 {
    if unit == Unit::Seconds && wanted > 20.0 && wanted <= 86_400.0 {
        return LONG.into_iter().find(|step| *step >= wanted).unwrap_or(86_400.0);
    }
    let power = 10_f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= wanted * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    // There is no half span.
    if unit == Unit::Count { step.max(1.0) } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], unit: Unit) -> Vec<String> {
        let ticks = Ticks::around(values.iter().copied(), 4, unit);
        ticks.labels().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(labels(&[1.0, 37.0], Unit::Count), ["0", "10", "20", "30", "40"]);
        assert_eq!(labels(&[0.0, 1.0], Unit::Count), ["0", "1"]);
        assert_eq!(labels(&[0.002, 0.0193], Unit::Seconds), ["0", "5ms", "10ms", "15ms", "20ms"]);
        assert_eq!(labels(&[10.0, 250.0], Unit::Seconds), ["0", "2m", "4m", "6m"]);
        assert_eq!(labels(&[0.0, 100.0], Unit::Seconds), ["0", "30s", "1m", "1m30s", "2m"]);
        assert_eq!(labels(&[1_000.0, 1_003.0], Unit::Plain), ["1.000k", "1.001k", "1.002k", "1.003k"]);
        assert_eq!(labels(&[7.0, 7.0], Unit::Plain), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(&[-30.0, 60.0], Unit::Plain), ["-50", "0", "50", "100"]);
        assert_eq!(labels(&[-30.0, -29.0], Unit::Plain), ["-30.0", "-29.5", "-29.0"]);
        assert_eq!(labels(&[f64::NAN, f64::INFINITY], Unit::Plain), ["0", "0.5", "1.0"]);
    }

    #[test]
    fn places_are_on_the_axis_whatever_the_value() {
        let odd = [0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 1e300, 1.0, -1.0, f64::INFINITY];
        for one in odd {
            for other in odd {
                let ticks = Ticks::around([one, other].into_iter(), 4, Unit::Plain);
                assert!(ticks.labels().len() <= 51);
                for value in odd {
                    assert!(ticks.place(value, 16) < 16, "{one} {other} {value}");
                }
            }
        }
    }
}
