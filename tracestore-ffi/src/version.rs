//! Which ABI a program meets.

use std::ffi::c_char;

/// The version of the ABI that this header describes: raised when something that was there changes or goes. What is
/// added does not raise it.
pub const TS_ABI_VERSION: u32 = 1;

/// The version of the ABI that the library has; a program can use the library if this is its own `TS_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn ts_abi_version() -> u32 {
    TS_ABI_VERSION
}

/// The library's own version, such as `0.1.0`. Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn ts_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// How many handles of any kind are open: 0 in a program that has closed and freed all. For tests.
#[unsafe(no_mangle)]
pub extern "C" fn ts_open_handles() -> usize {
    crate::handle::open()
}
