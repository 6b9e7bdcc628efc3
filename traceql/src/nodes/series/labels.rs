//! What rows have for a label, as codes: every value gets a number when it is first met, the same in all batches; 0 is
//! nil. What the file keeps as codes is looked at once for each of its codes.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch},
        datatypes::Int32Type,
    },
    common::{Result, internal_err},
    physical_expr::expressions::Column,
};

use crate::{
    Value,
    functions::Dimension,
    nodes::values::{Key, PartKind, Reader, Source, value},
};

/// The codes of rows.
#[derive(Debug)]
pub(crate) enum Codes {
    /// One each.
    One(Vec<u32>),
    /// For each row the different ones up to its end.
    Many { ends: Vec<u32>, codes: Vec<u32> },
}

impl Codes {
    /// Those of a row.
    pub(crate) fn of(&self, row: usize) -> &[u32] {
        match self {
            Self::One(codes) => codes.get(row..=row).unwrap_or(&[]),
            Self::Many { ends, codes } => {
                let end = |row: usize| ends.get(row).copied().unwrap_or(0) as usize;
                let start = row.checked_sub(1).map_or(0, end);
                codes.get(start..end(row)).unwrap_or(&[])
            }
        }
    }
}

/// Values as numbers.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<(u8, u64), u32, foldhash::fast::RandomState>,
    texts: [HashMap<Box<str>, u32, foldhash::fast::RandomState>; 2],
    /// By number, from 1.
    values: Vec<Value>,
    size: usize,
}

impl Interner {
    fn number(&mut self, key: Key<'_>) -> u32 {
        let Self { numbers, texts, values, size } = self;
        let mut next = |bytes: usize| {
            values.push(value(key));
            *size += bytes;
            values.len() as u32
        };
        match key {
            Key::Bits(tag, bits) => *numbers.entry((tag, bits)).or_insert_with(|| next(72)),
            Key::Text(tag, text) => {
                let [plain, json] = texts;
                let texts = if tag == crate::nodes::values::JSON { json } else { plain };
                match texts.get(text) {
                    Some(number) => *number,
                    None => {
                        let number = next(100 + 2 * text.len());
                        texts.insert(text.into(), number);
                        number
                    }
                }
            }
        }
    }
}

/// The codes of one label, batch by batch.
#[derive(Debug)]
pub(crate) struct Labeler<'a> {
    source: &'a Source,
    /// The columns to read as they are, where the source is no more than that.
    plain: Option<Vec<(PartKind, String)>>,
    known: Interner,
    /// The codes of the values of a dictionary that several batches share.
    shared: Option<(ArrayRef, Vec<u32>)>,
}

/// Not looked up yet.
const UNKNOWN: u32 = u32::MAX;

impl<'a> Labeler<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, plain: plain(source), known: Interner::default(), shared: None }
    }

    /// The value of a code; `None` is nil.
    pub(crate) fn value(&self, code: u32) -> Option<&Value> {
        (code as usize).checked_sub(1).and_then(|code| self.known.values.get(code))
    }

    /// Bytes on the heap.
    pub(crate) fn size(&self) -> usize {
        self.known.size
    }

    /// The codes of a batch's rows.
    pub(crate) fn codes(&mut self, batch: &RecordBatch) -> Result<Codes> {
        match self.plain.take() {
            Some(columns) => {
                let codes = self.plain_codes(batch, &columns);
                self.plain = Some(columns);
                Ok(Codes::One(codes?))
            }
            None => self.computed_codes(batch),
        }
    }

    fn plain_codes(&mut self, batch: &RecordBatch, columns: &[(PartKind, String)]) -> Result<Vec<u32>> {
        let mut codes = vec![0; batch.num_rows()];
        for (kind, name) in columns {
            let Some(array) = batch.column_by_name(name) else {
                return internal_err!("series need a column `{name}`");
            };
            match array.as_dictionary_opt::<Int32Type>() {
                _ if array.null_count() == array.len() => {}
                Some(coded) => self.coded(*kind, coded.keys(), coded.values(), &mut codes)?,
                None => {
                    let reader = Reader::new(*kind, array)?;
                    let mut last: Option<(Key<'_>, u32)> = None;
                    for (row, code) in codes.iter_mut().enumerate() {
                        reader.read(row, &mut |key| {
                            *code = match last {
                                // Neighbours are often alike.
                                Some((same, number)) if same == key => number,
                                _ => self.known.number(key),
                            };
                            last = Some((key, *code));
                        });
                    }
                }
            }
        }
        Ok(codes)
    }

    /// Fills in the codes of rows that have a value in a dictionary.
    fn coded(&mut self, kind: PartKind, keys: &Int32Array, values: &ArrayRef, codes: &mut [u32]) -> Result<()> {
        let known = self.shared.take().filter(|(shared, _)| Arc::ptr_eq(shared, values));
        let mut of_values = known.map_or_else(|| vec![UNKNOWN; values.len()], |(_, known)| known);
        let reader = Reader::new(kind, values)?;
        let mut translate = |key: i32, code: &mut u32| {
            let Some(slot) = usize::try_from(key).ok().and_then(|key| of_values.get_mut(key)) else { return };
            if *slot == UNKNOWN {
                *slot = 0;
                reader.read(key.unsigned_abs() as usize, &mut |key| *slot = self.known.number(key));
            }
            if *slot > 0 {
                *code = *slot;
            }
        };
        match keys.nulls() {
            None => keys.values().iter().zip(codes).for_each(|(key, code)| translate(*key, code)),
            Some(nulls) => {
                let valid = keys.values().iter().zip(nulls).zip(codes).filter(|((_, valid), _)| *valid);
                valid.for_each(|((key, _), code)| translate(*key, code));
            }
        }
        self.shared = Some((Arc::clone(values), of_values));
        Ok(())
    }

    fn computed_codes(&mut self, batch: &RecordBatch) -> Result<Codes> {
        let (groups, _) = self.source.evaluate(batch)?;
        // The batch's numbers of values as this one's; nil is 0 in both.
        let of_ranks: Vec<u32> = groups.values().iter().map(|value| self.known.number(Key::of(value))).collect();
        let code = |key: u32| (groups.rank(key) as usize).checked_sub(1).and_then(|rank| of_ranks.get(rank)).copied();
        let (mut ends, mut codes) = (Vec::with_capacity(batch.num_rows()), Vec::with_capacity(batch.num_rows()));
        for row in 0..batch.num_rows() as u32 {
            let start = codes.len();
            for code in groups.of(row).iter().filter_map(|key| code(*key)) {
                if !codes.get(start..).is_some_and(|before: &[u32]| before.contains(&code)) {
                    codes.push(code);
                }
            }
            if codes.len() == start {
                codes.push(0);
            }
            ends.push(codes.len() as u32);
        }
        Ok(if codes.len() == batch.num_rows() { Codes::One(codes) } else { Codes::Many { ends, codes } })
    }
}

/// The columns of a source that is nothing but columns, one for each type.
pub(super) fn plain(source: &Source) -> Option<Vec<(PartKind, String)>> {
    let lists = |kind: PartKind| {
        matches!(
            kind,
            PartKind::BoolList | PartKind::IntList | PartKind::FloatList | PartKind::StringList | PartKind::Json
        )
    };
    if source.dimensions.iter().any(|dimension| *dimension != Dimension::Row) {
        return None;
    }
    let parts = source.parts.iter().map(|(kind, expr)| {
        let column = expr.downcast_ref::<Column>().filter(|_| !lists(*kind))?;
        Some((*kind, column.name().to_owned()))
    });
    parts.collect()
}
