//! Encoding and codec of each column, chosen from what the column is and from the values of the first row group.
//!
//! Measured on real spans: delta-packed numbers gain nothing from a codec; small dictionaries gain little; text without
//! a dictionary needs one. See benches/README.md for what was tried.

use std::hash::BuildHasher;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Field, Int64Type, Schema, UInt32Type},
};
use hashbrown::HashSet;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion},
    schema::types::ColumnPath,
};

use crate::block::schema::{PAGE_ROWS, columns};

/// A dictionary may have at most this many values for each row that uses it, in percent: beyond, most are used once.
const MAX_DISTINCT_PERCENT: usize = 30;
/// A dictionary larger than this costs more to load than it saves.
const DICTIONARY_BYTES: usize = 4 << 20;
/// How many elements a page of lists has; [`PAGE_ROWS`] is a multiple.
const LIST_PAGE_LEVELS: usize = 2048;
/// A block of no more spans and bytes than these is not packed.
const SMALL_SPANS: usize = 256;
const SMALL_BYTES: usize = 256 << 10;

/// Properties for a file of these columns, given the arrays of its first row group and the block's [`codec`].
pub(super) fn properties(schema: &Schema, sample: &[ArrayRef], codec: Compression) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("tracestore ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(16 << 20)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(None)
        .set_dictionary_page_size_limit(2 * DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_compression(codec)
        .set_key_value_metadata(None);
    for (field, array) in schema.fields().iter().zip(sample) {
        builder = match field.data_type() {
            DataType::List(item) => list(builder, field.name(), item),
            data_type => column(builder, field.name(), data_type, array, codec),
        };
    }
    builder.build()
}

/// Lists, of which few are read at a time: to find one, the levels of the page it is on are walked, so a page ends after as
/// many as are written at once. (A page's rows are looked at as often as that as well, which whole batches do not change.)
fn list(builder: WriterPropertiesBuilder, name: &str, item: &Field) -> WriterPropertiesBuilder {
    /// Codes of so many elements take more, if there are a few texts. Without a dictionary, which very many services would be
    /// too large for, a page ends behind the text that fills it: it should have some.
    const TEXT_BYTES: usize = 512;
    let DataType::Struct(fields) = item.data_type() else { return builder };
    fields.iter().fold(builder.set_write_batch_size(LIST_PAGE_LEVELS), |builder, field| {
        let path = [name, "list", item.name(), field.name()];
        let bytes = if *field.data_type() == DataType::Utf8 { TEXT_BYTES } else { 1 };
        builder.set_column_data_page_size_limit(ColumnPath::new(path.map(str::to_owned).to_vec()), bytes)
    })
}

/// How the files of a block of so many spans, of so many bytes as received, are packed: by zstd, but where there is nothing to
/// gain. Live data is made into small blocks for each view, and what a codec costs by itself is 50 µs for a column chunk in a
/// virtual machine (`block/read/pages.rs`), most of what such a block costs.
pub(super) fn codec(spans: usize, bytes: usize) -> Compression {
    if spans <= SMALL_SPANS && bytes <= SMALL_BYTES { Compression::UNCOMPRESSED } else { zstd() }
}

/// Level 7: 1 % smaller than level 3 over a whole block at the same CPU seconds; 9 gives little more.
fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(7).unwrap_or_default())
}

/// What a column needs.
enum Choice {
    /// Small differences between neighbours.
    Delta,
    /// Few distinct values; the codec squeezes the runs of codes.
    Dictionary(Compression),
    /// Values as they are.
    Plain(Compression),
    /// Text with shared prefixes.
    Text(Encoding),
}

fn column(
    builder: WriterPropertiesBuilder,
    name: &str,
    data_type: &DataType,
    sample: &ArrayRef,
    codec: Compression,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::new(vec![name.to_owned()]);
    let (choice, statistics) = match (name, data_type) {
        (columns::START_TIME | columns::DURATION, _) => (Choice::Delta, EnabledStatistics::Page),
        (columns::TRACE, _) => (Choice::Delta, EnabledStatistics::Chunk),
        (columns::START15 | "span" | "row" | "start" | "first_row" | "by_id" | "time_since_start", _) => {
            (Choice::Delta, EnabledStatistics::None)
        }
        (columns::KIND | columns::STATUS_CODE, _) => (Choice::Dictionary(codec), EnabledStatistics::Page),
        (columns::SPAN_ID | "trace_id", DataType::FixedSizeBinary(_)) => {
            (Choice::Plain(Compression::UNCOMPRESSED), EnabledStatistics::None)
        }
        (columns::PARENT_SPAN_ID, _) => (Choice::Plain(codec), EnabledStatistics::None),
        (_, DataType::Utf8 | DataType::Binary) => match text_choice(sample) {
            true => (Choice::Dictionary(codec), EnabledStatistics::None),
            false => (Choice::Text(Encoding::DELTA_BYTE_ARRAY), EnabledStatistics::None),
        },
        (_, DataType::Int64) => (number_choice(sample, codec), EnabledStatistics::Page),
        (_, DataType::Float64) => match few_distinct(sample.len(), distinct_floats(sample)) {
            true => (Choice::Dictionary(codec), EnabledStatistics::Page),
            false => (Choice::Plain(codec), EnabledStatistics::Page),
        },
        (_, DataType::Boolean) => (Choice::Plain(codec), EnabledStatistics::Page),
        _ => (number_choice(sample, codec), EnabledStatistics::None),
    };
    let (encoding, dictionary, codec) = match choice {
        Choice::Delta => (Some(Encoding::DELTA_BINARY_PACKED), false, Compression::UNCOMPRESSED),
        Choice::Dictionary(codec) => (None, true, codec),
        Choice::Plain(codec) => (Some(Encoding::PLAIN), false, codec),
        Choice::Text(encoding) => (Some(encoding), false, codec),
    };
    let builder = match encoding {
        Some(encoding) => builder.set_column_encoding(path.clone(), encoding),
        None => builder,
    };
    builder
        .set_column_dictionary_enabled(path.clone(), dictionary)
        .set_column_compression(path.clone(), codec)
        .set_column_statistics_enabled(path, statistics)
}

/// Numbers: a dictionary where there are few, else differences.
fn number_choice(sample: &ArrayRef, codec: Compression) -> Choice {
    let distinct = match sample.data_type() {
        DataType::Int64 => distinct(sample.as_primitive::<Int64Type>().iter().flatten()),
        DataType::UInt32 => distinct(sample.as_primitive::<UInt32Type>().iter().flatten()),
        _ => Some(1),
    };
    if few_distinct(sample.len(), distinct) { Choice::Dictionary(codec) } else { Choice::Delta }
}

/// Whether a text column is worth a dictionary.
fn text_choice(sample: &ArrayRef) -> bool {
    let Some(texts) = sample.as_string_opt::<i32>() else { return true };
    let mut seen: HashSet<&str, foldhash::fast::FixedState> =
        HashSet::with_hasher(foldhash::fast::FixedState::default());
    let (mut values, mut bytes) = (0, 0);
    for text in texts.iter().flatten() {
        values += 1;
        if seen.insert(text) {
            bytes += text.len() + 4;
        }
    }
    bytes <= DICTIONARY_BYTES && few_distinct(values, Some(seen.len()))
}

fn distinct_floats(sample: &ArrayRef) -> Option<usize> {
    distinct(sample.as_primitive_opt::<arrow::datatypes::Float64Type>()?.iter().flatten().map(f64::to_bits))
}

/// The number of distinct values, `None` when there are very many.
fn distinct<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> Option<usize> {
    let hasher = foldhash::fast::FixedState::default();
    let mut seen: HashSet<u64> = HashSet::new();
    for value in values {
        seen.insert(hasher.hash_one(value));
        if seen.len() > 1 << 16 {
            return None;
        }
    }
    Some(seen.len())
}

fn few_distinct(values: usize, distinct: Option<usize>) -> bool {
    distinct.is_some_and(|distinct| distinct <= 16 || distinct * 100 <= values * MAX_DISTINCT_PERCENT)
}
