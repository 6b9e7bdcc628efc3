//! Label sets of series as bytes: `name 0xFF value 0xFF …`, which no UTF-8 text has in it. Made in one buffer per
//! processor, so that a span whose series is there allocates nothing.

use foldhash::{HashMap, HashMapExt, HashSet};

/// Ends a name and a value.
const END: u8 = 0xff;
/// What a value becomes of which its label already has too many.
const OVERFLOW_VALUE: &str = "__cardinality_overflow__";
/// The labels of the series that all others go to when there are too many.
pub(crate) const OVERFLOW: &[u8] = b"metric_overflow\xfftrue\xff";

/// How long labels may be, and how many values each may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelLimits {
    /// Bytes of a name; longer ones are cut. Default 1024.
    pub max_name_length: usize,
    /// Bytes of a value; longer ones are cut. Default 2048.
    pub max_value_length: usize,
    /// Values of one label; further ones become `__cardinality_overflow__`. 0, the default, for any number.
    pub max_cardinality: usize,
}

impl Default for LabelLimits {
    fn default() -> Self {
        Self { max_name_length: 1024, max_value_length: 2048, max_cardinality: 0 }
    }
}

/// Where label sets are made.
#[derive(Debug, Default)]
pub(crate) struct LabelBuffer {
    bytes: Vec<u8>,
    limits: LabelLimits,
    /// Hashes of the values that labels have had; filled only where their number is limited.
    values: HashMap<Box<str>, HashSet<u64>>,
}

impl LabelBuffer {
    pub(crate) fn new(limits: LabelLimits) -> Self {
        Self { bytes: Vec::with_capacity(256), limits, values: HashMap::new() }
    }

    /// Begins a label set.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a label. One with an empty value is none, as Prometheus has it.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        let value = cut(value, self.limits.max_value_length);
        if value.is_empty() {
            return;
        }
        let name = cut(name, self.limits.max_name_length);
        let value = if self.has_room(name, value) { value } else { OVERFLOW_VALUE };
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(END);
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(END);
    }

    fn has_room(&mut self, name: &str, value: &str) -> bool {
        let limit = self.limits.max_cardinality;
        if limit == 0 {
            return true;
        }
        let hash = xxhash_rust::xxh3::xxh3_64(value.as_bytes());
        if !self.values.contains_key(name) {
            self.values.insert(name.into(), HashSet::default());
        }
        let Some(values) = self.values.get_mut(name) else { return true };
        values.contains(&hash) || values.len() < limit && values.insert(hash)
    }

    /// Forgets the values that no series has: they count no more.
    pub(crate) fn keep_values_of<'a>(&mut self, series: impl Iterator<Item = Labels<'a>>) {
        self.values.clear();
        if self.limits.max_cardinality > 0 {
            let labels = series.flat_map(Labels::iter).filter(|(_, value)| *value != OVERFLOW_VALUE);
            for (name, value) in labels {
                let hash = xxhash_rust::xxh3::xxh3_64(value.as_bytes());
                self.values.entry(name.into()).or_default().insert(hash);
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn cut(text: &str, length: usize) -> &str {
    if text.len() <= length {
        return text;
    }
    text.get(..text.floor_char_boundary(length)).unwrap_or("")
}

/// The labels of a series, in the order they were given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels<'a>(pub(crate) &'a [u8]);

impl<'a> Labels<'a> {
    /// Names and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut texts = self.0.split(|byte| *byte == END).map(|bytes| std::str::from_utf8(bytes).unwrap_or(""));
        std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }
}

/// A name that Prometheus takes for a label: what is no ASCII letter, digit or underscore becomes an underscore, and so
/// a digit at the start.
#[must_use]
pub fn sanitize_label(name: &str) -> String {
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.replace_range(..1, "_");
    }
    if text.is_empty() { "_".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_in_bytes() {
        let limits = LabelLimits { max_name_length: 4, max_value_length: 3, max_cardinality: 2 };
        let mut buffer = LabelBuffer::new(limits);
        let mut set = |labels: &[(&str, &str)]| {
            buffer.clear();
            labels.iter().for_each(|(name, value)| buffer.push(name, value));
            let labels = Labels(buffer.bytes()).iter();
            labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
        };
        assert_eq!(set(&[("a", "1"), ("empty", ""), ("longer", "aé é")]), "a=1,long=aé");
        assert_eq!(set(&[("a", "2"), ("long", "éé")]), "a=2,long=é");
        assert_eq!(set(&[("a", "3"), ("b", "3")]), "a=__cardinality_overflow__,b=3");
        assert_eq!(set(&[("a", "1"), ("long", "x")]), "a=1,long=__cardinality_overflow__");
    }

    #[test]
    fn names_that_prometheus_takes() {
        for (name, expected) in
            [("http.method", "http_method"), ("9x", "_x"), ("a-é b", "a___b"), ("", "_"), ("Ab_1", "Ab_1")]
        {
            assert_eq!(sanitize_label(name), expected);
        }
    }
}
