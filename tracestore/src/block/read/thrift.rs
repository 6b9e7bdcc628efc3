//! Thrift's compact protocol, walked without keeping anything: whether some bytes are a whole message, and the numbers in
//! it. Pure; knows nothing of Parquet.
//!
//! A decoder makes room for as many elements as a list says that it has. Here every element is walked over first, so that
//! a list which passes has them, and all lists together have no more than a budget.

/// Messages nest no deeper: Parquet's have six levels.
const MAX_DEPTH: usize = 16;

/// The number of a field in its message, and of that message's field in the one around it (0 at the top).
pub(super) type Place = (i16, i16);

/// The length of the message at the start of some bytes; `None` where there is none, or its lists have more elements than
/// `budget`, from which they are taken. `visit` sees the whole numbers of the two outermost levels.
pub(super) fn walk(bytes: &[u8], budget: &mut usize, visit: &mut dyn FnMut(Place, i64)) -> Option<usize> {
    let mut walker = Walker { bytes, at: 0, budget, visit };
    walker.message(0, 0)?;
    Some(walker.at)
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    budget: &'a mut usize,
    visit: &'a mut dyn FnMut(Place, i64),
}

impl Walker<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, len: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(len).ok()?).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn message(&mut self, depth: usize, outer: i16) -> Option<()> {
        let mut number = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            number = match head >> 4 {
                0 => i16::try_from(self.signed()?).ok()?,
                delta => number.checked_add(i16::from(delta))?,
            };
            // A Boolean is in the head.
            if !matches!(head & 15, 1 | 2) {
                self.value(head & 15, depth, (outer, number))?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize, place: Place) -> Option<()> {
        match kind {
            1..=3 => self.byte().map(drop),
            4..=6 => {
                let value = self.signed()?;
                if depth < 2 {
                    (self.visit)(place, value);
                }
                Some(())
            }
            7 => self.skip(8),
            8 => {
                let len = self.varint()?;
                self.skip(len)
            }
            9 | 10 => self.list(depth, place),
            12 if depth < MAX_DEPTH => self.message(depth + 1, place.1),
            // Parquet has no maps.
            _ => None,
        }
    }

    fn list(&mut self, depth: usize, place: Place) -> Option<()> {
        let head = self.byte()?;
        let len = match head >> 4 {
            15 => self.varint()?,
            len => u64::from(len),
        };
        *self.budget = self.budget.checked_sub(usize::try_from(len).ok()?)?;
        if depth >= MAX_DEPTH {
            return None;
        }
        // What is in a list is none of the two outermost levels.
        (0..len).try_for_each(|_| self.value(head & 15, depth.max(1) + 1, (place.1, 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(bytes: &[u8], mut budget: usize) -> (Option<usize>, Vec<(Place, i64)>) {
        let mut seen = Vec::new();
        let len = walk(bytes, &mut budget, &mut |place, value| seen.push((place, value)));
        (len, seen)
    }

    #[test]
    fn numbers_of_two_levels_are_seen_and_the_rest_is_passed_over() {
        // 1: -1, 3: true, 5: { 2: 300 }, 6: "ab", 7: [1, 2], 8: [{ 1: 9 }], 300: 4
        let message = [
            0x15, 1, 0x21, 0x2c, 0x25, 0xd8, 4, 0, 0x18, 2, b'a', b'b', 0x19, 0x25, 2, 4, 0x19, 0x1c, 0x15, 18, 0,
            0x05, 0xd8, 4, 8, 0, 99,
        ];
        let (len, seen) = walked(&message, 10);
        assert_eq!(len, Some(message.len() - 1));
        assert_eq!(seen, [((0, 1), -1), ((5, 2), 300), ((0, 300), 4)]);
        assert_eq!(walked(&message, 2).0, None, "three elements");
        for cut in 0..message.len() - 1 {
            assert_eq!(walked(&message[..cut], 10).0, None, "cut to {cut} bytes");
        }
    }

    #[test]
    fn lists_that_lie_and_messages_without_a_floor_are_refused() {
        // A list of 2^28 messages in ten bytes; a text longer than the input; a list of lists of lists ...
        assert_eq!(walked(&[0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 1, 0, 0, 0], usize::MAX).0, None);
        assert_eq!(walked(&[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0], usize::MAX).0, None);
        assert_eq!(walked(&[0x1c; 1 << 20], usize::MAX).0, None);
        assert_eq!(walked(&[0x19; 1 << 20], usize::MAX).0, None);
    }
}
