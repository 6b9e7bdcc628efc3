//! Numbers as SQL shows them: kinds and statuses as words, times as timestamps. And back, for conditions.

use std::{any::Any, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, StringViewBuilder},
        datatypes::{DataType, Int32Type, UInt64Type},
    },
    common::{Result, ScalarValue, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use super::time::{timestamp_type, timestamps};
use crate::output;

/// What is shown as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine::sql) enum Shown {
    /// A kind as a word.
    Kind,
    /// A status as a word.
    Status,
    /// Nanoseconds since 1970 as a timestamp.
    Time,
}

/// A kind's word.
pub(in crate::engine::sql) fn kind_word() -> ScalarUDF {
    ShownFunction::of(Shown::Kind)
}

/// A status' word.
pub(in crate::engine::sql) fn status_word() -> ScalarUDF {
    ShownFunction::of(Shown::Status)
}

/// A time as a timestamp.
pub(in crate::engine::sql) fn timestamp() -> ScalarUDF {
    ShownFunction::of(Shown::Time)
}

impl Shown {
    /// What a function shows, if it is one of these.
    pub(in crate::engine::sql) fn of(function: &ScalarUDF) -> Option<Self> {
        let function: &dyn Any = function.inner().as_ref();
        function.downcast_ref::<ShownFunction>().map(|function| function.shown)
    }

    /// Whether values are shown in their own order.
    pub(in crate::engine::sql) fn keeps_order(self) -> bool {
        self == Self::Time
    }

    /// The one value that is shown as this one; `None` where there is none, or there are several.
    pub(in crate::engine::sql) fn stored(self, value: &ScalarValue) -> Option<ScalarValue> {
        match (self, value) {
            // The last of the timestamps stands for all later times too.
            (Self::Time, ScalarValue::TimestampNanosecond(Some(nanos), _)) if *nanos < i64::MAX => {
                Some(ScalarValue::UInt64(Some(u64::try_from(*nanos).ok()?)))
            }
            (Self::Kind, value) => number(text(value)?, output::kind_word, "kind"),
            (Self::Status, value) => number(text(value)?, output::status_word, "status"),
            _ => None,
        }
    }

    fn show(self, array: &ArrayRef) -> Result<ArrayRef> {
        let word = match self {
            Self::Kind => output::kind_word,
            Self::Status => output::status_word,
            Self::Time => match array.as_primitive_opt::<UInt64Type>() {
                Some(nanos) => return Ok(timestamps(nanos)),
                None => return internal_err!("a time is no {}", array.data_type()),
            },
        };
        let Some(codes) = array.as_primitive_opt::<Int32Type>() else {
            return internal_err!("a kind or status is no {}", array.data_type());
        };
        let mut words = StringViewBuilder::with_capacity(codes.len()).with_deduplicate_strings();
        codes.iter().for_each(|code| words.append_option(code.map(word)));
        Ok(Arc::new(words.finish()))
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}

/// The number that has a word.
fn number(text: &str, word: fn(i32) -> String, name: &str) -> Option<ScalarValue> {
    let known = (0..=5).find(|code| word(*code) == text);
    let other = || text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?.parse().ok();
    known.or_else(other).filter(|code| word(*code) == text).map(|code| ScalarValue::Int32(Some(code)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ShownFunction {
    shown: Shown,
    signature: Signature,
}

impl ShownFunction {
    fn of(shown: Shown) -> ScalarUDF {
        ScalarUDF::from(Self { shown, signature: Signature::any(1, Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for ShownFunction {
    fn name(&self) -> &str {
        match self.shown {
            Shown::Kind => "kind_word",
            Shown::Status => "status_word",
            Shown::Time => "timestamp",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.shown {
            Shown::Kind | Shown::Status => DataType::Utf8View,
            Shown::Time => timestamp_type(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [codes] => Ok(ColumnarValue::Array(self.shown.show(&codes.to_array(args.number_rows)?)?)),
            other => internal_err!("{} takes one argument, not {}", self.name(), other.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_found_again() {
        for code in [-1, 0, 1, 2, 3, 5, 6, i32::MAX] {
            let stored = Some(ScalarValue::Int32(Some(code)));
            assert_eq!(Shown::Kind.stored(&ScalarValue::from(output::kind_word(code))), stored);
            assert_eq!(Shown::Status.stored(&ScalarValue::from(output::status_word(code))), stored);
        }
        for word in ["", "Error", "status(2)", "status(x)", "status(+7)", "kind(7)"] {
            assert_eq!(Shown::Status.stored(&ScalarValue::from(word)), None, "{word}");
        }
        let time = |nanos| ScalarValue::TimestampNanosecond(Some(nanos), Some("+00:00".into()));
        assert_eq!(Shown::Time.stored(&time(7)), Some(ScalarValue::UInt64(Some(7))));
        assert_eq!(Shown::Time.stored(&time(-7)), None);
        assert_eq!(Shown::Time.stored(&time(i64::MAX)), None);
    }
}
