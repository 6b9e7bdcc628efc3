//! What there is to ask for: names of attributes and values of fields, as JSON.

use std::ffi::c_char;

use traceql::output::{tag_names_to_json, tag_values_to_json};

use crate::{
    boundary::{Out, boundary},
    error::{ts_code, ts_error},
    options::ts_tag_options,
    sized,
    store::{store, ts_store},
    text::{new_text, text, ts_text},
};

/// The names of attributes by scope: what `traceql tags -o json` prints.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_tag_names(
    store: *mut ts_store,
    options: *const ts_tag_options,
    json: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(json, "json")?;
        // SAFETY: what the options point to is the caller's word.
        let (asked, tags) = unsafe {
            let asked = sized::read(options, "options")?;
            (asked, asked.tags()?)
        };
        let (store, mut watch) = (self::store(store)?, asked.watch()?);
        let names = watch.wait(&store.runtime, store.engine()?.tag_names(&tags))?;
        out.put(new_text(tag_names_to_json(&names).to_string()));
        Ok(())
    })
}

/// The values of a field, such as `resource.service.name`, with how many spans have them, the most frequent first: what
/// `traceql values -o json` prints.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_tag_values(
    store: *mut ts_store,
    field: *const c_char,
    field_length: usize,
    options: *const ts_tag_options,
    json: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(json, "json")?;
        // SAFETY: what the arguments point to is the caller's word.
        let (field, asked, tags) = unsafe {
            let asked = sized::read(options, "options")?;
            (text(field, field_length, "field")?, asked, asked.tags()?)
        };
        let (store, mut watch) = (self::store(store)?, asked.watch()?);
        let values = watch.wait(&store.runtime, store.engine()?.tag_values(field, &tags))?;
        out.put(new_text(tag_values_to_json(&values).to_string()));
        Ok(())
    })
}
