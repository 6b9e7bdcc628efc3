//! At most so many series: which ones stay depends on their labels alone.

use crate::{nodes::pipeline::attributes::encode, series::Series};

/// The series whose labels have the smallest hashes, in their order, and how many were left out; 0 is no limit.
pub(super) fn limit(series: Vec<Series>, max: usize) -> (Vec<Series>, usize) {
    if max == 0 || series.len() <= max {
        return (series, 0);
    }
    let left_out = series.len() - max;
    let mut hashed: Vec<(u64, usize, Series)> =
        series.into_iter().enumerate().map(|(place, series)| (hash(&series), place, series)).collect();
    hashed.sort_by_key(|(hash, place, _)| (*hash, *place));
    hashed.truncate(max);
    hashed.sort_by_key(|(_, place, _)| *place);
    (hashed.into_iter().map(|(_, _, series)| series).collect(), left_out)
}

fn hash(series: &Series) -> u64 {
    let mut bytes = Vec::new();
    for label in &series.labels {
        bytes.extend(label.name.as_bytes());
        encode(&[(0, Some(label.value.clone()))], &mut bytes);
    }
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Label;

    #[test]
    fn the_same_series_stay_whatever_else_there_is() {
        let series =
            |name: &str| Series { labels: vec![Label::text("x", name)], values: vec![1.0], exemplars: Vec::new() };
        let names = ["a", "b", "c", "d", "e"];
        let (kept, left_out) = limit(names.map(series).to_vec(), 2);
        assert_eq!((kept.len(), left_out), (2, 3));
        let reversed: Vec<Series> = names.iter().rev().map(|name| series(name)).collect();
        let (mut others, _) = limit(reversed, 2);
        others.reverse();
        assert_eq!(kept, others);
        assert_eq!(limit(vec![series("a")], 0).1, 0);
    }
}
