//! Times as Arrow's timestamps, which end in 2262: later ones are shown as the last.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, TimestampNanosecondArray, UInt64Array},
        datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType, UInt64Type},
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// The zone of all timestamps: UTC, as `now()` has it.
const ZONE: &str = "+00:00";

/// The type of timestamps: nanoseconds in UTC.
pub(in crate::engine::sql) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some(ZONE.into()))
}

/// Nanoseconds since 1970 as timestamps.
pub(in crate::engine::sql) fn timestamps(nanos: &UInt64Array) -> ArrayRef {
    let timestamps = nanos.unary::<_, TimestampNanosecondType>(last_or);
    Arc::new(timestamps.with_timezone(ZONE))
}

fn last_or(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// A time and some nanoseconds more or less as a timestamp; wraps at 64 bits, as what it is made of did.
pub(in crate::engine::sql) fn timestamp_after() -> ScalarUDF {
    ScalarUDF::from(TimestampAfter { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimestampAfter {
    signature: Signature,
}

impl ScalarUDFImpl for TimestampAfter {
    fn name(&self) -> &str {
        "timestamp_after"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(timestamp_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (start, since) = match arrays.as_slice() {
            [start, since] => (start.as_primitive_opt::<UInt64Type>(), since.as_primitive_opt::<Int64Type>()),
            _ => (None, None),
        };
        let (Some(start), Some(since)) = (start, since) else {
            return internal_err!("timestamp_after takes a time and nanoseconds");
        };
        let sums = start.iter().zip(since).map(|(start, since)| Some(last_or(start?.wrapping_add_signed(since?))));
        let timestamps: TimestampNanosecondArray = sums.collect();
        Ok(ColumnarValue::Array(Arc::new(timestamps.with_timezone(ZONE))))
    }
}
