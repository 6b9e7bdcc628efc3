//! Attribute keys of a block in the making: their numbers, how often each has which type, and which of them get columns.

use hashbrown::HashMap;

use crate::{
    block::{AttributeScope, AttributeType},
    otlp::{KeyValueView, ValueView},
};

/// At most this many columns per scope: a footer entry and a page index cost bytes whatever is in the column.
const MAX_COLUMNS: [(AttributeScope, usize); 3] =
    [(AttributeScope::Span, 96), (AttributeScope::Event, 24), (AttributeScope::Link, 16)];
/// A column needs a value on one owner in this many ...
const MIN_SHARE: u64 = 250;
/// ... and this many values in all.
const MIN_VALUES: u64 = 16;

/// A key within its scope.
pub(super) type KeyNumber = u32;

/// What is known of one key.
#[derive(Debug, Clone, Default)]
struct Key {
    name: String,
    /// First occurrences and their bytes, by scalar type.
    values: [u64; 4],
    bytes: [u64; 4],
    /// The list that had the key last, and how often.
    last_list: u64,
    repeats: u32,
}

/// The keys of one scope.
#[derive(Debug, Default)]
struct ScopeKeys {
    keys: Vec<Key>,
    numbers: HashMap<String, KeyNumber, foldhash::fast::FixedState>,
    lists: u64,
}

/// All keys, by scope.
#[derive(Debug, Default)]
pub(super) struct KeyStatistics {
    scopes: [ScopeKeys; 5],
}

/// The attributes that get a column, by scope, key and type.
#[derive(Debug, Clone, Default)]
pub(super) struct ChosenColumns {
    /// For each scope and key number the column's index by scalar type.
    columns: [Vec<[Option<usize>; 4]>; 5],
    /// The columns of each scope in their order.
    pub(super) lists: [Vec<(String, AttributeType)>; 5],
}

/// The scalar type of a value, `None` for arrays and the rest.
pub(super) fn scalar_type(value: &ValueView<'_>) -> Option<AttributeType> {
    match value {
        ValueView::String(_) => Some(AttributeType::String),
        ValueView::Int(_) => Some(AttributeType::Int),
        ValueView::Double(_) => Some(AttributeType::Float),
        ValueView::Bool(_) => Some(AttributeType::Bool),
        _ => None,
    }
}

impl ScopeKeys {
    fn number(&mut self, name: &str) -> KeyNumber {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.keys.len() as KeyNumber;
        self.keys.push(Key { name: name.to_owned(), ..Key::default() });
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

impl KeyStatistics {
    /// Counts the attributes of one list.
    pub(super) fn count_list<'a>(&mut self, scope: AttributeScope, list: impl Iterator<Item = KeyValueView<'a>>) {
        let Some(keys) = self.scopes.get_mut(scope as usize) else { return };
        keys.lists += 1;
        let list_number = keys.lists;
        for attribute in list {
            let number = keys.number(attribute.key);
            let Some(key) = keys.keys.get_mut(number as usize) else { continue };
            let first = key.last_list != list_number;
            key.last_list = list_number;
            if let (true, Some(scalar)) = (first, scalar_type(&attribute.value)) {
                let bytes = match attribute.value {
                    ValueView::String(text) => text.len() as u64,
                    _ => 8,
                };
                if let (Some(values), Some(sum)) =
                    (key.values.get_mut(scalar as usize), key.bytes.get_mut(scalar as usize))
                {
                    *values += 1;
                    *sum += bytes;
                }
            }
        }
    }

    /// Begins the second pass over the lists: occurrences are told apart anew.
    pub(super) fn restart(&mut self) {
        for keys in &mut self.scopes {
            for key in &mut keys.keys {
                key.last_list = 0;
            }
            keys.lists = 0;
        }
    }

    /// Begins a list of the second pass.
    pub(super) fn begin_list(&mut self, scope: AttributeScope) {
        if let Some(keys) = self.scopes.get_mut(scope as usize) {
            keys.lists += 1;
        }
    }

    /// The number of a key of the current list, and how often the list had it before.
    pub(super) fn occurrence(&mut self, scope: AttributeScope, name: &str) -> (KeyNumber, u32) {
        let Some(keys) = self.scopes.get_mut(scope as usize) else { return (0, 0) };
        let number = keys.number(name);
        let Some(key) = keys.keys.get_mut(number as usize) else { return (0, 0) };
        if key.last_list == keys.lists {
            key.repeats += 1;
        } else {
            key.last_list = keys.lists;
            key.repeats = 0;
        }
        (number, key.repeats)
    }

    /// The key with a number.
    pub(super) fn name(&self, scope: AttributeScope, number: KeyNumber) -> &str {
        let keys = self.scopes.get(scope as usize);
        keys.and_then(|keys| keys.keys.get(number as usize)).map_or("", |key| &key.name)
    }

    /// The rank of each key among the keys of its scope, by key number.
    pub(super) fn ranks(&self, scope: AttributeScope) -> Vec<u32> {
        let Some(keys) = self.scopes.get(scope as usize) else { return Vec::new() };
        let mut order: Vec<usize> = (0..keys.keys.len()).collect();
        order.sort_by_key(|number| keys.keys.get(*number).map(|key| key.name.as_str()));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            if let Some(slot) = ranks.get_mut(number) {
                *slot = rank;
            }
        }
        ranks
    }

    /// Chooses the attributes that get a column: the most frequent ones, as long as they are on enough spans (events,
    /// links). What is rare costs less in the residual table than a column of nulls does.
    pub(super) fn choose_columns(&self) -> ChosenColumns {
        let mut chosen = ChosenColumns::default();
        for (scope, max) in MAX_COLUMNS {
            let Some(keys) = self.scopes.get(scope as usize) else { continue };
            let least = MIN_VALUES.max(keys.lists / MIN_SHARE);
            let mut candidates = Vec::new();
            for (number, key) in keys.keys.iter().enumerate() {
                for (index, (values, bytes)) in key.values.iter().zip(key.bytes).enumerate() {
                    if *values >= least {
                        candidates.push((values * 4 + bytes, number, index));
                    }
                }
            }
            candidates.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            candidates.truncate(max);
            let name = |number: usize| keys.keys.get(number).map_or("", |key| key.name.as_str());
            candidates.sort_by(|a, b| (name(a.1), a.2).cmp(&(name(b.1), b.2)));
            let (Some(table), Some(list)) =
                (chosen.columns.get_mut(scope as usize), chosen.lists.get_mut(scope as usize))
            else {
                continue;
            };
            table.resize(keys.keys.len(), [None; 4]);
            for (_, number, index) in candidates {
                let slot = table.get_mut(number).and_then(|types| types.get_mut(index));
                if let (Some(slot), Some(value_type)) = (slot, AttributeType::ALL.get(index)) {
                    *slot = Some(list.len());
                    list.push((name(number).to_owned(), *value_type));
                }
            }
        }
        chosen
    }
}

impl ChosenColumns {
    /// The index of the column for values of a key and scalar type.
    pub(super) fn index(&self, scope: AttributeScope, key: KeyNumber, value_type: AttributeType) -> Option<usize> {
        let types = self.columns.get(scope as usize)?.get(key as usize)?;
        types.get(value_type as usize).copied().flatten()
    }
}
